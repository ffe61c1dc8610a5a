#pragma once
// The batches this member holds, its own and others', until no header that could still be ordered
// names them and every block that orders them is executed. Bounded per author, by what they take in
// memory: many small transactions take much more than their bytes.

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

    // A header of `round` names the batch.
    void keep_until(const types::BatchDigest& digest, Round round);

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

    std::size_t author_bytes_max_;
    std::size_t bytes_max_;
    std::uint64_t window_rounds_;
    std::vector<std::size_t> bytes_;  // by author
    std::size_t total_bytes_ = 0;
    std::map<types::BatchDigest, Entry> batches_;
    // Where to look when the floor passes a round: each batch is in the entry of a round that is
    // not above its own.
    std::map<Round, std::vector<types::BatchDigest>> by_round_;
    Round floor_;
};

}  // namespace draco::consensus
