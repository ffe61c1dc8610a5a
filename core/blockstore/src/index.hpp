#pragma once
// What the store has, what room it takes, and what may go: a deterministic structure without I/O.
// Its owner guards it with a mutex.
//
// Room is in use from reserve() on: for what is being written, then for the entry that it becomes,
// until the entry is out of the index, its file is removed, and nobody holds it.

#include "draco/interfaces/content.hpp"

#include "sieve_queue.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace draco::blockstore {

class StoredObject;

struct Room {
    std::uint64_t bytes = 0;
    std::uint64_t objects = 0;

    bool operator==(const Room&) const = default;

    Room& operator+=(const Room& other);
    Room& operator-=(const Room& other);
};

struct Entry {
    types::ContentInfo info;
    std::uint64_t file_bytes = 0;
    std::uint64_t sequence = 0;
    // Kept by the index.
    bool present = false;
    bool pinned = false;
    bool file_removed = false;
    std::uint64_t holds = 0;
    std::optional<SieveQueue<std::shared_ptr<Entry>>::Place> place;  // unless it is pinned
    // Kept by the index's owner: what is handed out to several who open the object.
    std::weak_ptr<const StoredObject> shared;

    Room room() const { return {.bytes = file_bytes, .objects = 1}; }
};

enum class Departure : std::uint8_t { Evicted, Removed, Damaged };

class Index {
public:
    explicit Index(Room limit) : limit_(limit) {}

    std::shared_ptr<Entry> find(const types::ContentHash& hash) const;
    // The first one in the order of hashes, after this one.
    std::shared_ptr<Entry> first_after(const std::optional<types::ContentHash>& hash) const;
    std::vector<interfaces::ListedContent> list(const std::optional<types::ContentHash>& after,
                                                std::size_t count_max) const;
    interfaces::StoreUsage usage() const;

    // False, and nothing has changed, if there is not so much free.
    bool reserve(const Room& room);
    // Whether reserve() can succeed once all goes that may go.
    bool could_reserve(const Room& room) const;

    // What is in use whether there is room or not.
    void occupy(const Room& room) { used_ += room; }

    void release(const Room& room) { used_ -= room; }

    bool is_over_limit() const;

    std::uint64_t next_sequence() { return next_sequence_++; }

    // An object whose room is in use. Precondition: none of its hash is there.
    void add(const std::shared_ptr<Entry>& entry);
    // Out of the index; no effect, and false, if it is out already. Its file is still to be
    // removed.
    bool take_out(Entry& entry, Departure departure);
    // Takes out what is worth least among what may go.
    std::shared_ptr<Entry> take_victim();
    void file_removed(Entry& entry);

    // One that never was in the index.
    void count_damaged() { ++damaged_; }

    void hold(Entry& entry);
    void let_go(Entry& entry);
    void use(Entry& entry);

    // The hash need not be there; an object that comes with it is pinned.
    void pin(const types::ContentHash& hash);
    void unpin(const types::ContentHash& hash);

    bool is_pinned(const types::ContentHash& hash) const { return pins_.contains(hash); }

    // Pins whose object is not there.
    std::vector<types::ContentHash> missing_pins() const;

    // "7 of 9 bytes and 1 of 3 objects are in use, 2 bytes of them pinned"
    std::string describe_room() const;

private:
    static bool may_go(const Entry& entry) {
        return entry.present && !entry.pinned && entry.holds == 0;
    }

    // Keeps `may_go_` true while something about the entry changes.
    template <class F>
    void change(Entry& entry, F&& make);
    void set_pinned(const std::shared_ptr<Entry>& entry, bool pinned);
    void release_if_gone(const Entry& entry);

    const Room limit_;
    Room used_;
    Room may_go_;
    Room pinned_;
    std::uint64_t evicted_ = 0;
    std::uint64_t damaged_ = 0;
    std::uint64_t next_sequence_ = 0;
    std::map<types::ContentHash, std::shared_ptr<Entry>> entries_;
    std::set<types::ContentHash> pins_;
    SieveQueue<std::shared_ptr<Entry>> queue_;  // what is not pinned
};

}  // namespace draco::blockstore
