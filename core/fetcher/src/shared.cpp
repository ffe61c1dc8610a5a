#include "shared.hpp"

#include "draco/fetcher/messages.hpp"

#include <utility>

namespace draco::fetcher {

void Shared::ask_disk(interfaces::AskerClass kind,
                      AskedQueue::AskerId asker,
                      AskedQueue::Task task) {
    if (asked_.push(kind, asker, std::move(task)))
        run_on_disk([self = shared_from_this()] { self->run_asked(); });
}

// One after the other as tasks, so that what comes from peers has its turn between them.
void Shared::run_asked() {
    if (auto task = asked_.pop()) task(Go::Run);
    if (asked_.goes_on()) run_on_disk([self = shared_from_this()] { self->run_asked(); });
}

void Shared::sold(const types::ContentInfo& file, std::uint64_t index) {
    const auto peer = origins.sold(file.hash, index);
    if (peer && options.on_bytes_sold) options.on_bytes_sold(*peer, block_bytes(file.bytes, index));
}

void Shared::add_arrival(const std::shared_ptr<const Arrival>& arrival) {
    const std::lock_guard lock(mutex_);
    arrivals_[arrival->info.hash] = arrival;
}

void Shared::remove_arrival(const types::ContentHash& hash) {
    std::shared_ptr<const Arrival> dropped;
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(hash);
    if (found == arrivals_.end()) return;
    dropped = std::move(found->second);
    arrivals_.erase(found);
}

std::shared_ptr<const Arrival> Shared::arrival(const types::ContentHash& hash) const {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(hash);
    return found == arrivals_.end() ? nullptr : found->second;
}

Counts Shared::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void Shared::set_counts(const Counts& counts) {
    const std::lock_guard lock(mutex_);
    counts_ = counts;
}

void Shared::close() {
    asked_.close();
    board.close();
}

}  // namespace draco::fetcher
