#pragma once
// Content from nodes, verified: what a program embeds.
//
//     DRACO_TRY(client, client::Client::start({.chain = chain}));
//     DRACO_TRY(received, client->get(nodes, hash, sink));
//
// Every block is checked against the hash that was asked for before anybody sees it; a node that
// lies is left for the next one, and what was verified is kept. On a lane, what has arrived is
// acknowledged as it comes. docs/formats/session.md is what is spoken.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/client/lane.hpp"
#include "draco/io/network.hpp"
#include "draco/types/session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace draco::client {

struct ClientOptions {
    types::ChainId chain{};
    Duration connect_deadline = std::chrono::seconds(10);  // to the welcome
    // How long a node is waited for without progress, in all: a welcome, a head, verified blocks,
    // the end of a request, an acknowledgement taken. What else it says buys no time.
    Duration answer_deadline = std::chrono::seconds(30);
    // Except for parts of trees and lists, which are verified when they are whole: they may come as
    // slowly as this, over answer_deadline; the first ones of each, as many as the tree of 4 GiB
    // has, for the sake of slow links as unverified_slow_bytes_per_s_min. Rates are above 0. So the
    // tree of 256 GiB, the longest, holds a client for ten minutes at most.
    std::uint64_t unverified_bytes_per_s_min = std::uint64_t{128} << 10;
    std::uint64_t unverified_slow_bytes = std::uint64_t{1} << 20;
    std::uint64_t unverified_slow_bytes_per_s_min = std::uint64_t{16} << 10;
    std::uint64_t blocks_ahead = 8;  // asked for and not yet seen, 1 to 16
    // An acknowledgement is sent after so many bytes or so much time, half a window of the lane,
    // and at the end; the node waits for it.
    std::uint64_t ack_bytes = std::uint64_t{1} << 20;
    Duration ack_interval = std::chrono::seconds(2);
    // Of a file: its tree is held in memory, 64 bytes for each 256 KiB.
    std::uint64_t content_bytes_max = std::uint64_t{1} << 38;
};

struct NodeAddress {
    std::string host;
    std::uint16_t port = 4221;
    // Nothing: whoever answers there; content is verified all the same, but a lane is not offered.
    std::optional<types::NodeKey> key{};
    // Nothing: a free session. Outlives the calls that use it.
    const LaneCredentials* lane = nullptr;
};

// Where a file goes, block after block from the first one that was asked for.
class Sink {
public:
    virtual ~Sink() = default;

    // Once, before the first block. The length is proven by the last block.
    virtual Result<> begin(const types::ContentInfo& /*info*/) { return {}; }

    // Whether the block is here already, such as from a transfer that was interrupted: one for
    // whose bytes `verifies` says true. It is neither fetched nor written then. Asked after
    // begin(), from the first block on, until the answer is no.
    virtual Result<bool> has(std::uint64_t /*index*/,
                             const std::function<bool(ByteView block)>& /*verifies*/) {
        return false;
    }

    // Verified. An error ends the transfer, and is its outcome.
    virtual Result<> write(std::uint64_t index, ByteView block) = 0;
};

struct Transfer {
    types::ContentInfo info{};
    std::uint64_t blocks = 0;  // written in this call
    std::uint64_t bytes = 0;
    std::uint64_t bytes_kept = 0;  // that the sink had
    std::size_t nodes_left = 0;    // that failed or lied

    bool operator==(const Transfer&) const = default;
};

struct GetOptions {
    std::uint64_t first_block = 0;
    // After each block that was written. Quick.
    std::function<void(const types::ContentInfo& info, std::uint64_t blocks_written)> progress{};
};

class Download;

using ListDirectory =
    std::function<Result<std::vector<types::DirectoryEntry>>(const types::ContentHash& directory)>;

// Where the path leads from the directory, through symbolic links, never out of it. NotFound names
// the part that is missing, and the directory; InvalidArgument: a part is a file, or the path is
// too long, or its links lead in a circle. Else the errors of `list`.
Result<types::ContentHash> resolve_path(const types::ContentHash& root,
                                        std::string_view path,
                                        const ListDirectory& list);

// One session with one node. Blocking, one thread at a time. After an error other than that of a
// sink, or of NotFound, only good for being destroyed.
class Session {
public:
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // The key that the node has proved to hold.
    const types::NodeKey& node() const;
    // As the welcome told it; nothing in a free session.
    const std::optional<types::session::Standing>& standing() const;

    // Errors: NotFound; Corrupt (the node lies, or content_bytes_max is passed: Exhausted);
    // Exhausted (the reserve of the lane is used up, the free part is); InvalidArgument (a
    // directory, no such block); Unavailable (also: the lane is closing), DeadlineExceeded,
    // Unauthenticated; those of the sink and the ledger.
    Result<Transfer> get(const types::ContentHash& hash,
                         Sink& sink,
                         const GetOptions& options = {});
    // Goes on where `download` stands.
    Result<> get(Download& download, Sink& sink, const GetOptions& options);
    // Whole and verified. InvalidArgument for a file.
    Result<std::vector<types::DirectoryEntry>> list(const types::ContentHash& directory);
    // resolve_path() with the lists of the node.
    Result<types::ContentHash> resolve(const types::ContentHash& root, std::string_view path);

    class State;

private:
    friend class Client;

    explicit Session(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// Thread-safe: each call may be made by any thread, and blocks it.
class Client {
public:
    // InvalidArgument for bounds that are none; Exhausted for want of threads.
    static Result<std::unique_ptr<Client>> start(const ClientOptions& options);
    // No session outlives it.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Unavailable, DeadlineExceeded; Unauthenticated (another key, or not the lane's session key);
    // InvalidArgument (another chain or version; a lane without the node's key); NotFound (no such
    // lane); Exhausted (too many sessions); Corrupt (the node claims more than was acknowledged).
    Result<std::unique_ptr<Session>> connect(const NodeAddress& node);

    // From the first node that has it, going on at the next where one fails; round by round, as
    // long as a round brought a block. The error names what each node answered; of a single node it
    // is its answer.
    Result<Transfer> get(std::span<const NodeAddress> nodes,
                         const types::ContentHash& hash,
                         Sink& sink,
                         const GetOptions& options = {});

private:
    Client(const ClientOptions& options, io::TlsIdentity identity);

    Result<> try_node(const NodeAddress& node,
                      Download& download,
                      Sink& sink,
                      const GetOptions& options);

    const ClientOptions options_;
    const io::TlsIdentity identity_;
    std::unique_ptr<io::Network> network_;
};

}  // namespace draco::client
