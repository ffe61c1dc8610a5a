#pragma once
// Who has how many places of one kind: each class of askers has its own, and within a class nobody
// has more than one may have.

#include "draco/fetcher/fetcher.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace draco::fetcher {

constexpr std::size_t kAskerClasses = 3;

constexpr std::size_t index_of(interfaces::AskerClass kind) {
    return static_cast<std::size_t>(kind);
}

constexpr std::size_t max_of(const PlaceLimits& limits, interfaces::AskerClass kind) {
    return std::array{limits.strangers, limits.payers, limits.owner}[index_of(kind)];
}

// Whether this asker is bounded by `PlaceLimits::one_max`.
constexpr bool is_told_apart(const interfaces::Asker& asker) {
    return asker.number.has_value() && asker.kind != interfaces::AskerClass::Owner;
}

// Thread-safe.
class Places {
public:
    explicit Places(const PlaceLimits& limits) : limits_(limits) {}

    // False: its class, or it, has all that it may have.
    bool take(const interfaces::Asker& asker);
    void give_back(const interfaces::Asker& asker, std::size_t count = 1);

private:
    const PlaceLimits limits_;
    std::mutex mutex_;
    std::array<std::size_t, kAskerClasses> taken_{};
    std::map<interfaces::Asker, std::size_t> taken_by_;  // those who are told apart
};

// One place, given back when this is gone. Perhaps none.
class Place {
public:
    Place() = default;

    // Takes over one that was taken.
    Place(std::shared_ptr<Places> places, const interfaces::Asker& asker)
        : places_(std::move(places)), asker_(asker) {}

    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), asker_(other.asker_) {}

    Place& operator=(Place&& other) noexcept {
        std::swap(places_, other.places_);
        std::swap(asker_, other.asker_);
        return *this;
    }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    ~Place() {
        if (places_) places_->give_back(asker_);
    }

    // Whose it is, or was before it was moved.
    const interfaces::Asker& asker() const { return asker_; }

private:
    std::shared_ptr<Places> places_;
    interfaces::Asker asker_;
};

}  // namespace draco::fetcher
