#pragma once

#include "draco/base/bytes.hpp"
#include "draco/base/disk.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace draco::atomo {

// A file that is a byte string.
class MemoryFile final : public File {
public:
    explicit MemoryFile(Bytes content = {}) : content(std::move(content)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override {
        if (on_read) on_read();
        if (offset >= content.size()) return 0;
        const std::size_t count = std::min(out.size(), content.size() - offset);
        std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
        return count;
    }

    Result<> write_at(std::uint64_t offset, ByteView data) override {
        content.resize(std::max(content.size(), offset + data.size()));
        std::ranges::copy(data, content.begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }

    Result<> truncate(std::uint64_t size_bytes) override {
        content.resize(size_bytes);
        return {};
    }

    Result<> preallocate(std::uint64_t size_bytes) override {
        content.resize(std::max<std::size_t>(content.size(), size_bytes));
        return {};
    }

    Result<> sync() override { return {}; }

    Result<std::uint64_t> size() const override { return content.size(); }

    mutable Bytes content;
    std::function<void()> on_read;  // called before each read
};

}  // namespace draco::atomo
