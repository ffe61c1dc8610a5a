#pragma once
// The batches this member holds, its own and others', until no header that could still be ordered
// names them and every block that orders them is executed. Bounded per author, by what they take in
// memory. Of a batch that a worker process holds there is only what its head says.

#include "draco/consensus/verify.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace draco::consensus {

class BatchStore {
public:
    enum class Demand : std::uint8_t { Pushed, Requested };
    enum class Addition : std::uint8_t { Added, Known, OverQuota };

    // What a batch counts for in the bounds.
    static std::size_t cost(const CheckedBatch& batch);

    // A record of round r is in the log until the floor is `window_rounds` above it.
    BatchStore(std::size_t committee_size,
               std::size_t author_bytes_max,
               std::size_t bytes_max,
               std::uint64_t window_rounds)
        : author_bytes_max_(author_bytes_max),
          bytes_max_(bytes_max),
          window_rounds_(window_rounds),
          bytes_(committee_size) {}

    // Kept until the floor is above `round`. A requested batch is taken over the bounds; has_room()
    // tells whether to request more.
    Addition add(CheckedBatch batch, Round round, Demand demand);

    // Null if not held.
    const CheckedBatch* find(const types::BatchDigest& digest) const;

    // The batch, if what names it in `round` needs a record of it: there is none, or the log
    // forgets it before `round` is below the floor. The caller writes one of that round. Null:
    // there is one, or the batch is not held.
    const CheckedBatch* to_log(const types::BatchDigest& digest, Round round);

    // A header of `round` names the batch. True if it is held, and was not to be held so long.
    bool keep_until(const types::BatchDigest& digest, Round round);

    // Until which floor the batch is held; nullopt if it is not.
    std::optional<Round> kept_until(const types::BatchDigest& digest) const;

    struct Lost {
        CheckedBatch batch;
        Round round;
    };

    // Takes out what is not held any more.
    template <class Gone>  // gone(const CheckedBatch&) -> bool
    std::vector<Lost> take_out(Gone&& gone) {
        std::vector<Lost> lost;
        for (const auto& [digest, entry] : batches_)
            if (gone(entry.batch)) lost.push_back({entry.batch, entry.round});
        for (const Lost& each : lost) erase(batches_.find(each.batch.digest));
        return lost;
    }

    template <class Visit>  // visit(const CheckedBatch&, Round kept_until), by digest
    void for_each(Visit&& visit) const {
        for (const auto& [digest, entry] : batches_) visit(entry.batch, entry.round);
    }

    // O(batches whose round it passes).
    void raise_floor(Round floor);

    std::size_t bytes(AuthorityIndex author) const { return bytes_[author.value()]; }

    bool has_room() const { return total_bytes_ < bytes_max_; }

    std::size_t size() const { return batches_.size(); }

private:
    struct Entry {
        CheckedBatch batch;
        Round round;
        std::optional<Round> logged{};
    };

    using Entries = std::map<types::BatchDigest, Entry>;

    void erase(Entries::iterator entry);

    std::size_t author_bytes_max_;
    std::size_t bytes_max_;
    std::uint64_t window_rounds_;
    std::vector<std::size_t> bytes_;  // by author
    std::size_t total_bytes_ = 0;
    Entries batches_;
    // Where to look when the floor passes a round: each batch is in the entry of a round that is
    // not above its own.
    std::map<Round, std::vector<types::BatchDigest>> by_round_;
    Round floor_;
};

}  // namespace draco::consensus
