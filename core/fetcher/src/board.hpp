#pragma once
// Between the threads that leave notes and the object that acts on them, one Look at a time.
// Bounded by who leaves notes: chunks by the credit of asks, calls by Options.

#include "draco/affair/registry.hpp"
#include "draco/interfaces/content.hpp"

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace draco::fetcher {

class Fetching;

struct Look {};

// Thread-safe. Notes are destroyed outside its mutex: their destructors may answer somebody.
class Board {
public:
    using Note = std::move_only_function<void(Fetching* object)>;

    void note(Note note) {
        {
            const std::lock_guard lock(mutex_);
            if (is_closed_) return;
            notes_.push_back(std::move(note));
            if (is_called_ || !object_) return;
            is_called_ = true;
        }
        static_cast<void>(object_->tell(Look{}));
    }

    std::vector<Note> take() {
        const std::lock_guard lock(mutex_);
        is_called_ = false;
        return std::exchange(notes_, {});
    }

    // Before the first note.
    void set_object(const affair::Address<Look>& object) { object_.emplace(object); }

    // What waits, and what comes, is destroyed.
    void close() {
        std::vector<Note> dropped;
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        dropped.swap(notes_);
    }

private:
    std::mutex mutex_;
    std::vector<Note> notes_;
    std::optional<affair::Address<Look>> object_;
    bool is_called_ = false;
    bool is_closed_ = false;
};

// A callback that is called exactly once, come what may.
template <class T>
class Answer {
public:
    using Callback = std::move_only_function<void(Result<T>)>;

    explicit Answer(Callback callback) : callback_(std::move(callback)) {}

    Answer(Answer&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}

    Answer& operator=(Answer&& other) noexcept {
        callback_.swap(other.callback_);
        return *this;
    }

    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

    ~Answer() {
        if (callback_)
            callback_(fail(Errc::Unavailable, "content is no longer read: the node is stopping"));
    }

    void operator()(Result<T> result) {
        auto callback = std::exchange(callback_, nullptr);
        callback(std::move(result));
    }

private:
    Callback callback_;
};

using OpenAnswer = Answer<std::shared_ptr<interfaces::Content>>;
using BlockAnswer = Answer<std::shared_ptr<const Bytes>>;

}  // namespace draco::fetcher
