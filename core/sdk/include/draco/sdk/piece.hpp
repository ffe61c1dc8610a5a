#pragma once
// Bytes that are shared and not copied on their way from the disk or the network to a client.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace draco::sdk {

// Content is stored, verified and read in blocks of so many bytes.
inline constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

// Immutable bytes and what keeps them alive (nothing, for bytes that live as long as the program).
// Value type. A piece of a block keeps all of it in memory.
struct Piece {
    std::shared_ptr<const void> owner;
    ByteView bytes;
};

Piece share(std::string text);

// Called at most once, by any thread. Dropped without a call: Abandoned.
using PieceCallback = std::move_only_function<void(Result<Piece>)>;

}  // namespace draco::sdk
