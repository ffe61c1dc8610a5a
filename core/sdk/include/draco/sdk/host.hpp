#pragma once
// What a service may ask of the node it runs on: content, by its address. Every byte that comes has
// been checked against the address that was asked for, and comes while others are still arriving.
//
// Each ask takes a callback. It is called exactly once, by any thread, perhaps before the ask
// returns; it is quick, does not block and does not throw. The service owns what it captures: it
// may be called when the request is over, and after the service has gone.
//
// A request ends before its answer when its client is gone or was told that it takes too long, or
// the node stops. The node then takes back what the request has asked for: asks that wait, on the
// Host and on each Content of it, are Abandoned soon; its contents are let go and know no more than
// info(); asks that come later are Abandoned before they return. So a service that treats Abandoned
// as any failure has nothing else to do, and the answer that it gives then is not heard. Once an
// answer is given, its body alone says how the client fares (answer.hpp).
//
// Errors: NotFound (nobody this node can reach has it), Corrupt (damaged here, and dropped: a new
// open() fetches it anew), Exhausted (no room, or too much at once), Unavailable (the node stops),
// DeadlineExceeded, Abandoned (the Content was destroyed, or nobody waits for the answer),
// InvalidArgument (what was asked makes no sense for this content), Io.

#include "draco/base/result.hpp"
#include "draco/sdk/piece.hpp"
#include "draco/types/content.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace draco::sdk {

// Entries of one list().
inline constexpr std::size_t kListedAtOnceMax = 256;

// An object that is here or on its way. Thread-safe. Destroying it cancels the asks that wait, also
// inside a callback of its own; their callbacks get Abandoned, if they had no outcome yet.
class Content {
public:
    using FindCallback =
        std::move_only_function<void(Result<std::optional<types::DirectoryEntry>>)>;
    using ListCallback = std::move_only_function<void(Result<std::vector<types::DirectoryEntry>>)>;

    virtual ~Content() = default;

    virtual const types::ContentInfo& info() const = 0;

    // Of a file the bytes from `first` on: `bytes_max` of them, or as many as there are to the end
    // of their block (kBlockBytes). Waits for the block if it is on its way, and asks for it first.
    // InvalidArgument for a directory, from the end of the file on, and for no bytes.
    virtual void read(std::uint64_t first, std::size_t bytes_max, PieceCallback callback) = 0;

    // Of a directory the entry of that name, or none. Costs O(log entries). `name` is valid during
    // the call. InvalidArgument for a file.
    virtual void find(std::string_view name, FindCallback callback) = 0;

    // Of a directory the entries from the first-th, ascending by name: `count_max` of them,
    // kListedAtOnceMax, or as many as there are. InvalidArgument for a file.
    virtual void list(std::uint64_t first, std::size_t count_max, ListCallback callback) = 0;
};

// The node, as one request sees it: what is opened is opened for the client that asked, with what
// that client may have. Thread-safe.
class Host {
public:
    using OpenCallback = std::move_only_function<void(Result<std::unique_ptr<Content>>)>;

    virtual ~Host() = default;

    // From this node or from whoever has it. A directory is whole when it is open; of a file, what
    // is read has to arrive first. Ends by the deadline of the request, or with the request.
    virtual void open(const types::ContentHash& hash, OpenCallback callback) = 0;
};

}  // namespace draco::sdk
