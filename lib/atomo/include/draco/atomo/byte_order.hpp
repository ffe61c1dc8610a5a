#pragma once
// The order of keys: byte strings compare as strings of unsigned bytes, a prefix before the whole.

#include "draco/base/bytes.hpp"

#include <algorithm>
#include <cstring>

namespace draco::atomo {

inline bool bytes_less(ByteView a, ByteView b) {
    const std::size_t common = std::min(a.size(), b.size());
    const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    return order != 0 ? order < 0 : a.size() < b.size();
}

// For ordered containers of Bytes; finds by view.
struct BytesLess {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name

    bool operator()(ByteView a, ByteView b) const { return bytes_less(a, b); }
};

}  // namespace draco::atomo
