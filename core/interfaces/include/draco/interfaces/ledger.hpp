#pragma once
// The chain of this node: takes blocks in their order, from consensus or from peers, stores them,
// executes them and tells who wants to know. It owns the Application (the one writer) and the
// archive of blocks.
//
// A block is archived durably before it is executed, so the archive is the log of the application:
// what a crash takes from the state is executed again from the archive.

#include "draco/interfaces/application.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace draco::interfaces {

struct BlockWithContent {
    types::Block block;
    types::BlockDigest digest;
    std::vector<std::shared_ptr<const types::Batch>> batches;  // as block.batches
};

enum class BlockOrigin : std::uint8_t {
    Consensus,  // this node's own core committed it
    Followed,   // from a peer, certified
};

struct LedgerBlock {
    BlockWithContent content;
    BlockOrigin origin;
    ExecutedBlock result;
};

// Called one at a time, in the order of heights; quick, and without throwing.
class LedgerObserver {
public:
    virtual ~LedgerObserver() = default;
    // The block and all before it are durable and executed.
    virtual void on_block(const std::shared_ptr<const LedgerBlock>& block) = 0;
    // An executed block got its first certificate; not of every height.
    virtual void on_certificate(const types::BlockCertificate& certificate) = 0;
};

// A block as it is stored and sent to those who follow. BCS.
struct ArchivedBlock {
    types::Block block;
    bcs::Bounded<std::vector<types::Batch>, types::kBlockBatchesMax> batches;
    std::optional<types::BlockCertificate> certificate;

    bool operator==(const ArchivedBlock&) const = default;
};

// Thread-safe.
class Ledger {
public:
    virtual ~Ledger() = default;

    // Queues a block. One that is executed or queued already is ignored, and so is one that is
    // void: the epoch that it is of ends before it, which who committed it could not know. A queued
    // block that turns out to be void is dropped. InvalidArgument if it leaves a gap. Exhausted if
    // too many wait: come back after the next on_block. Unavailable after a failure of the storage,
    // which has been escalated.
    virtual Result<> append(BlockWithContent block, BlockOrigin origin) = 0;
    // The caller has verified it. Kept until its block is executed; ignored if there is one of this
    // height, or its block is not this chain's (then the error is Corrupt: a fork).
    virtual Result<> certify(const types::BlockCertificate& certificate) = 0;

    // The newest executed state.
    virtual std::shared_ptr<const StateView> view() const = 0;
    // Of the highest executed block that has one.
    virtual std::optional<types::BlockCertificate> latest_certificate() const = 0;
    // The lowest height that read() still has.
    virtual types::Height lowest() const = 0;
    // BCS of an ArchivedBlock, with the newest certificate known. nullopt outside [lowest, head].
    // Reads the disk; Corrupt if what it finds is damaged.
    virtual Result<std::optional<Bytes>> read(types::Height height) const = 0;

    // Observers are told of every block from the next one on, until removed; after remove_observer
    // has returned, no call runs. Not to be called inside a call of an observer.
    virtual void add_observer(LedgerObserver& observer) = 0;
    virtual void remove_observer(LedgerObserver& observer) = 0;
};

}  // namespace draco::interfaces
