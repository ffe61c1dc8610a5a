#pragma once
// What the callers of the ledger and its object share.

#include "draco/affair/address.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/log/log.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace draco::ledger {

// The object has something to do.
struct Wake {};

// Digests kept in memory, of the last executed blocks: older ones are read from the archive.
inline constexpr std::size_t kRecentDigestsMax = 4096;

struct QueuedBlock {
    std::shared_ptr<interfaces::LedgerBlock> block;  // `result` belongs to the object
    std::uint64_t bytes = 0;
};

struct Shared {
    std::mutex mutex;  // all but the observers
    bool failed = false;
    bool wake_sent = false;
    std::optional<affair::Address<Wake>> object;
    std::deque<QueuedBlock> queue;  // the ones after `head`, in order, until executed
    std::uint64_t queue_bytes = 0;
    types::ChainHead head;
    std::optional<types::Height> epoch_end;  // the last block of the epoch before, if seen here
    std::deque<types::BlockDigest> recent;   // of executed blocks; the last one is the head's
    std::shared_ptr<const interfaces::StateView> view;
    // Of heights that are not executed, or not stored.
    std::map<types::Height, types::BlockCertificate> certificates;
    std::optional<types::BlockCertificate> latest_certificate;

    std::mutex observers_mutex;  // held while they are called
    std::vector<interfaces::LedgerObserver*> observers;

    // The last block queued, or else executed. With the mutex held.
    types::ChainHead tail() const {
        if (queue.empty()) return head;
        const auto& content = queue.back().block->content;
        return {content.block.height, content.digest, content.block.timestamp};
    }

    // Whether the epoch of a block has ended, or is known to have ended, before it: who committed
    // it did not know. With the mutex held.
    bool is_void(const types::Block& block) const {
        const bool is_old = block.epoch < view->epoch().epoch;
        if (is_old && block.height > epoch_end.value_or(head.height)) return true;
        if (block.height <= head.height) return false;
        return std::ranges::any_of(certificates, [&](const auto& item) {
            const auto& statement = item.second.statement;
            return statement.height > head.height && statement.height <= block.height &&
                   statement.epoch > block.epoch;
        });
    }

    // Whether a block or certificate of that height and epoch, which is final, makes queued blocks
    // void. They go when the last block of their epoch is executed. With the mutex held.
    bool makes_void(types::Height height, types::Epoch epoch) const {
        return height > head.height && !queue.empty() &&
               queue.back().block->content.block.height >= height &&
               queue.back().block->content.block.epoch < epoch;
    }

    // A quorum may have certified void blocks: members sign what they commit. With the mutex held.
    bool is_void(const types::BlockStatement& statement) const {
        return statement.epoch < view->epoch().epoch &&
               statement.height > epoch_end.value_or(head.height);
    }

    void drop_void() {
        const types::Epoch running = view->epoch().epoch;
        while (!queue.empty() && queue.front().block->content.block.epoch < running) {
            queue_bytes -= queue.front().bytes;
            queue.pop_front();
        }
        std::erase_if(certificates, [&](const auto& item) {
            return item.first > head.height && item.second.statement.epoch < running;
        });
    }

    // With the mutex held. False if the object takes no more messages.
    bool wake() {
        if (wake_sent) return true;
        if (!object || !object->tell(Wake{})) return false;
        wake_sent = true;
        return true;
    }
};

}  // namespace draco::ledger
