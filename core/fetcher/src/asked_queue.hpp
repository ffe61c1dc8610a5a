#pragma once
// What askers want of the disk, until a task has time for it: the classes take turns, within one
// the oldest is first. What nobody waits for any more is taken out.

#include "draco/interfaces/content.hpp"

#include "places.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <vector>

namespace draco::fetcher {

enum class Go : std::uint8_t { Run, Cancel };

// Thread-safe. Tasks run, and are destroyed, outside its mutex.
class AskedQueue {
public:
    using Task = std::move_only_function<void(Go)>;
    using AskerId = std::uint64_t;  // of a reader, or of a call of open()

    explicit AskedQueue(std::size_t runners_max) : runners_max_(runners_max) {}

    // True: there has to be one more runner, which calls pop(), and runs what it gets, until it is
    // false that it goes_on(). Whatever is pushed after close() is destroyed.
    bool push(interfaces::AskerClass kind, AskerId asker, Task task) {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return false;
        queues_[index_of(kind)].push_back({asker, std::move(task)});
        if (runners_ >= runners_max_) return false;
        ++runners_;
        return true;
    }

    // Null: nothing waits.
    Task pop() {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < kAskerClasses; ++i) {
            turn_ = (turn_ + 1) % kAskerClasses;
            if (queues_[turn_].empty()) continue;
            Task next = std::move(queues_[turn_].front().task);
            queues_[turn_].pop_front();
            return next;
        }
        return nullptr;
    }

    bool goes_on() {
        const std::lock_guard lock(mutex_);
        for (const auto& queue : queues_)
            if (!queue.empty()) return true;
        --runners_;
        return false;
    }

    // Takes out what this asker wants, to be cancelled by the caller.
    std::vector<Task> take(interfaces::AskerClass kind, AskerId asker) {
        std::vector<Task> taken;
        const std::lock_guard lock(mutex_);
        std::erase_if(queues_[index_of(kind)], [&](Waiting& one) {
            if (one.asker != asker) return false;
            taken.push_back(std::move(one.task));
            return true;
        });
        return taken;
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        std::size_t size = 0;
        for (const auto& queue : queues_) size += queue.size();
        return size;
    }

    void close() {
        std::array<std::list<Waiting>, kAskerClasses> dropped;
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        dropped.swap(queues_);
    }

private:
    struct Waiting {
        AskerId asker;
        Task task;
    };

    const std::size_t runners_max_;
    mutable std::mutex mutex_;
    std::array<std::list<Waiting>, kAskerClasses> queues_;
    std::size_t turn_ = 0;
    std::size_t runners_ = 0;
    bool is_closed_ = false;
};

}  // namespace draco::fetcher
