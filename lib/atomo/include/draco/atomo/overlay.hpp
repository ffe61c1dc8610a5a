#pragma once
// The writes of a transaction before they are committed.

#include "draco/atomo/byte_order.hpp"
#include "draco/base/bytes.hpp"

#include <map>
#include <optional>

namespace draco::atomo {

// By storage key (table id, then encoded key): the new value, or nullopt to remove.
using Overlay = std::map<Bytes, std::optional<Bytes>, BytesLess>;

}  // namespace draco::atomo
