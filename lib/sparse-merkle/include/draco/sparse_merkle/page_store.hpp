#pragma once
// Where a tree's pages live. The tree has no storage of its own: it reads pages through PageStore
// and hands back PageWrites, which the owner stores atomically with the data they authenticate.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace draco::sparse_merkle {

// Names the subtree a page holds: its depth (0..255) and the first `depth` bits of its keys.
// As bytes: depth, then ceil(depth / 8) bytes of prefix whose unused low bits are zero, so the
// pages of one depth are adjacent and in key order in any byte-ordered store.
class PageId {
public:
    static constexpr std::size_t kBytesMax = 33;

    PageId() = default;
    // The page at `depth` on the path to `key`.
    PageId(std::uint8_t depth, const Key& key);
    // Corrupt unless `bytes` is exactly what view() of some id gives.
    static Result<PageId> from_bytes(ByteView bytes);

    std::uint8_t depth() const { return raw_[0]; }

    ByteView view() const { return {raw_.data(), 1 + (raw_[0] + std::size_t{7}) / 8}; }

    // The smallest key under this page.
    Key first_key() const;

    bool operator==(const PageId&) const = default;
    auto operator<=>(const PageId&) const = default;

private:
    std::array<std::uint8_t, kBytesMax> raw_{};
};

// One page to put (bytes present) or to delete (absent).
struct PageWrite {
    PageId id;
    std::optional<Bytes> page;
};

// A consistent view of the stored pages, e.g. a database snapshot. The bytes may be damaged: the
// tree decodes them as foreign input. Must not change during a call into the tree; needs to be
// thread-safe only if its owner shares it among threads.
class PageStore {
public:
    // Bytes are valid during the call only. An error it returns ends the read and is passed on.
    using ReadVisitor = std::function<Result<void>(std::size_t index, ByteView page)>;
    using ScanVisitor = std::function<Result<void>(const PageId& id, ByteView page)>;

    virtual ~PageStore() = default;

    // Calls visit(i, page) for each ids[i] that is stored, in any order; skips the others. `ids`
    // ascend strictly.
    virtual Result<void> read(std::span<const PageId> ids, const ReadVisitor& visit) const = 0;

    // Calls visit for every stored page whose depth is `depth`, in ascending order of id.
    virtual Result<void> scan(std::uint8_t depth, const ScanVisitor& visit) const = 0;
};

}  // namespace draco::sparse_merkle

template <>
struct std::hash<draco::sparse_merkle::PageId> {
    std::size_t operator()(const draco::sparse_merkle::PageId& id) const noexcept {
        return std::hash<std::string_view>{}(draco::as_text(id.view()));
    }
};
