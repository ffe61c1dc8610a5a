#pragma once
// The content that a node has (Blockstore) and the content that it can get (ContentSource). Every
// block that leaves either has been checked against the address that was asked for.
//
// Errors everywhere: NotFound (nobody reachable has it), Corrupt (damaged here: what was damaged is
// dropped, ask a ContentSource), Exhausted (no room, or too much at once), Unavailable (stopping),
// DeadlineExceeded, Io.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/base/strong_id.hpp"
#include "draco/blake3_tree/hash_tree.hpp"
#include "draco/types/content.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace draco::interfaces {

// --- what this node has ---

// One object of the store. Immutable and thread-safe; while somebody holds it, it is not evicted,
// and a file of the disk is open. It may outlive the store. Reads block on the disk, and are
// verified; a damaged object answers Corrupt and is dropped from the store.
class StoredContent {
public:
    virtual ~StoredContent() = default;
    virtual const types::ContentInfo& info() const = 0;
    // The tree over blocks or entries; none for an empty directory.
    virtual std::optional<blake3_tree::TreeView> tree() const = 0;
    // A file's block, verified. Precondition: index < info().leaves, and this is a file.
    virtual Result<Bytes> read_block(std::uint64_t index) const = 0;
    // A directory's entries, from the first-th, at most count_max, ascending by name.
    // InvalidArgument for a file.
    virtual Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                               std::size_t count_max) const = 0;
    // The entry of that name. Costs O(log entries). InvalidArgument for a file.
    virtual Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const = 0;
};

// A file on its way in from a trusted hand, in pieces of any size. Dropped without finish():
// nothing is left. One thread at a time. After a failure it is of no more use: drop it.
class FileWriter {
public:
    virtual ~FileWriter() = default;
    virtual Result<> write(ByteView bytes) = 0;
    // Durable and open to readers when this returns, and not evicted as long as the writer is
    // there. Precondition of this and of write(): not called before.
    virtual Result<types::ContentInfo> finish() = 0;
};

// A file on its way in from strangers: the blocks of a tree that is verified, in any order, each
// checked as it comes. Thread-safe. Dropped without finish(): nothing is left.
class ArrivingFile {
public:
    virtual ~ArrivingFile() = default;
    virtual const types::ContentInfo& info() const = 0;
    // Corrupt if it is not this block; then nothing has changed. Corrupt also if it is, and thereby
    // shows that the file is not as long as was claimed: then no block can complete it. A block
    // that is there is ignored.
    virtual Result<> put_block(std::uint64_t index, ByteView block) = 0;
    virtual bool has_block(std::uint64_t index) const = 0;
    // A block that has arrived, from the disk, verified. NotFound if it has not; Corrupt if it was
    // damaged since, and has to arrive again; of a file that is whole, the object is dropped.
    // Precondition: index < info().leaves.
    virtual Result<Bytes> read_block(std::uint64_t index) const = 0;
    // NotFound if a block is missing. Durable, and open to readers, when this returns.
    virtual Result<> finish() = 0;
};

struct StoreUsage {
    std::uint64_t bytes = 0;  // on the disk, with what is on its way in and what is held only
    std::uint64_t bytes_max = 0;
    std::uint64_t objects = 0;
    std::uint64_t pinned_objects = 0;
    std::uint64_t evicted_objects = 0;  // since the start
    std::uint64_t damaged_objects = 0;  // found and dropped since the start

    bool operator==(const StoreUsage&) const = default;
};

// What a step of scrub() did.
struct ScrubReport {
    std::uint64_t bytes = 0;               // read
    std::uint64_t whole_objects = 0;       // checked to their end
    std::uint64_t damaged_objects = 0;     // dropped
    std::uint64_t unreadable_objects = 0;  // the disk failed; kept
    bool end_reached = false;              // the next step begins a new round

    bool operator==(const ScrubReport&) const = default;
};

struct ListedContent {
    types::ContentInfo info;
    bool pinned = false;

    bool operator==(const ListedContent&) const = default;
};

// Owner of the content on disk. Thread-safe; calls block on the disk, except has(), list() and
// usage(). When a quota is reached, what is neither pinned nor held is evicted, the least worth
// first; when that could not be enough: Exhausted.
class Blockstore {
public:
    virtual ~Blockstore() = default;

    // NotFound.
    virtual Result<std::shared_ptr<const StoredContent>> open(const types::ContentHash& hash) = 0;
    virtual bool has(const types::ContentHash& hash) const = 0;

    virtual Result<std::unique_ptr<FileWriter>> write_file() = 0;
    // `nodes` is the tree, as lib/blake3-tree lays it out, and `bytes` the claimed length. Corrupt
    // unless the tree's root is `hash` and its leaves are those of so many bytes. The length is
    // proven by the last block. If the file is here already, all its blocks are there.
    virtual Result<std::unique_ptr<ArrivingFile>> arrive(const types::ContentHash& hash,
                                                         std::vector<blake3_tree::Hash> nodes,
                                                         std::uint64_t bytes) = 0;
    // Entries in ascending order of their names, by the rules of lib/blake3-tree, names and targets
    // in UTF-8; else InvalidArgument. What they link to need not be there. Durable when it returns.
    virtual Result<types::ContentInfo> put_directory(
        const std::vector<types::DirectoryEntry>& entries) = 0;

    // A pin keeps an object from eviction, across restarts; it stays when the object is found to be
    // damaged, for when it comes again. Idempotent, durable when they return. NotFound.
    virtual Result<> pin(const types::ContentHash& hash) = 0;
    virtual Result<> unpin(const types::ContentHash& hash) = 0;
    // Drops the object and its pin, durably; who holds it can read on. NotFound.
    virtual Result<> remove(const types::ContentHash& hash) = 0;

    // Ascending by hash, those after `after`.
    virtual std::vector<ListedContent> list(const std::optional<types::ContentHash>& after,
                                            std::size_t count_max) const = 0;
    virtual StoreUsage usage() const = 0;

    // Looks for damage: verifies objects in the order of their hashes, from where the last step
    // ended, until `bytes_max` are read, or the last object is checked. A step verifies at least
    // one block, and reads the tree of the object it begins in; it counts for no use of the object.
    virtual ScrubReport scrub(std::uint64_t bytes_max) = 0;
};

// --- what this node can get ---

// On whose behalf content is got, from the least trusted to the most. Each class has places of its
// own, so that none can take those of another.
enum class AskerClass : std::uint8_t {
    Stranger,  // pays nothing
    Payer,     // what it reads is sold
    Owner,     // of this node: gets the whole object, however much is read
};

struct Asker {
    AskerClass kind = AskerClass::Stranger;
    // Who it is, as far as strangers and payers are told apart: those of one number share what one
    // may have. None: nobody in particular.
    std::optional<std::uint64_t> number{};

    auto operator<=>(const Asker&) const = default;
};

// An object that is here or on its way. Thread-safe. Callbacks are called exactly once, by any
// thread, perhaps before the call returns, but never by the destructor; quick, and without
// throwing. Reads that still wait when it is destroyed are Abandoned.
class Content {
public:
    using BlockCallback = std::move_only_function<void(Result<std::shared_ptr<const Bytes>>)>;

    virtual ~Content() = default;
    virtual const types::ContentInfo& info() const = 0;
    // Waits for the block if it is on its way, and asks for it first.
    virtual void read_block(std::uint64_t index, BlockCallback callback) = 0;
    // A file's tree, which is verified before the file is opened: nodes in post-order, from the
    // first-th, at most count_max. InvalidArgument for a directory, whose entries are its tree.
    virtual Result<std::vector<blake3_tree::Hash>> tree_nodes(std::uint64_t first,
                                                              std::size_t count_max) const = 0;
    // Directories are whole before they are opened.
    virtual Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                               std::size_t count_max) const = 0;
    virtual Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const = 0;
};

// Names a call of open_for() to the source that it was made to.
using OpenId = StrongId<struct OpenIdTag, std::uint64_t>;

class ContentSource {
public:
    using OpenCallback = std::move_only_function<void(Result<std::shared_ptr<Content>>)>;

    virtual ~ContentSource() = default;
    // From the store, or from whoever has it; several who ask for the same share one fetch. Asks as
    // a stranger.
    virtual void open(const types::ContentHash& hash, Instant deadline, OpenCallback callback) = 0;

    // The same for this asker. A source without bounds to share does not tell askers apart.
    virtual OpenId open_for(const Asker& /*asker*/,
                            const types::ContentHash& hash,
                            Instant deadline,
                            OpenCallback callback) {
        open(hash, deadline, std::move(callback));
        return {};
    }

    // The asker is gone: if the call still waits, it gives its place back at once, and is Abandoned
    // soon, but never by this call. No effect on a call that was answered, nor at a source without
    // bounds to share, where it is answered as if nothing had been said.
    virtual void cancel(OpenId /*call*/) {}
};

}  // namespace draco::interfaces
