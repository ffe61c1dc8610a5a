#pragma once
// Who leads which round. Everybody in turn, except those who did not keep up: at most f of them,
// judged by the blocks alone (HammerHead, Tsimos et al. 2023; Shoal, Spiegelman et al. 2023), so
// that all members who have the same blocks name the same leaders.

#include "draco/types/block.hpp"
#include "draco/types/committee.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace draco::consensus {

// A member kept up in a round if the first anchor above the round has its vertex in its history.
// Who did so in fewer than half of the last `window_rounds` rounds is passed over, the worst first.
class LeaderSchedule {
public:
    // `epoch_start`: the height of the block before the epoch's first.
    LeaderSchedule(std::size_t committee_size,
                   std::size_t faulty_max,
                   std::uint64_t window_rounds,
                   types::Height epoch_start);

    // The leader, as far as the blocks so far say, of a round above theirs.
    types::AuthorityIndex leader(types::Round round) const {
        return eligible_[round.value() % eligible_.size()];
    }

    const types::AuthoritySet& passed_over() const { return passed_over_; }

    // Blocks in order. O(rounds that it spans + members).
    void ordered(const types::Block& block);

    // False while blocks are missing that the judgement rests on: then it is not the others'.
    bool is_known() const;

private:
    struct Attendance {
        types::Round round;
        types::AuthoritySet authors;
    };

    void record(const types::Block& block);
    void judge();

    std::size_t size_;
    std::size_t faulty_max_;
    std::uint64_t window_rounds_;
    types::Height epoch_start_;
    std::optional<types::Height> first_;  // the first block seen, and its anchor's round
    types::Round first_round_;
    std::optional<types::Round> last_;
    types::AuthoritySet last_anchor_;    // the author of the last anchor
    std::deque<Attendance> attendance_;  // ascending rounds, of the window
    std::vector<std::size_t> kept_up_;   // per member, in how many of them
    types::AuthoritySet passed_over_;
    std::vector<types::AuthorityIndex> eligible_;
};

}  // namespace draco::consensus
