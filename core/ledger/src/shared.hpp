#pragma once
// What the callers of the ledger and its object share.

#include "draco/affair/address.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/log/log.hpp"

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
    std::deque<types::BlockDigest> recent;  // of executed blocks; the last one is the head's
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

    // Whether a block of this epoch and height, not executed, is void: its epoch has ended. With
    // the mutex held.
    bool is_void(types::Epoch epoch, types::Height height) const {
        return height > head.height && epoch < view->epoch().epoch;
    }

    // With the mutex held: what the end of an epoch makes void.
    void drop_void() {
        while (!queue.empty() && is_void(queue.front().block->content.block.epoch,
                                         queue.front().block->content.block.height)) {
            queue_bytes -= queue.front().bytes;
            queue.pop_front();
        }
        std::erase_if(certificates, [this](const auto& each) {
            return is_void(each.second.statement.epoch, each.first);
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
