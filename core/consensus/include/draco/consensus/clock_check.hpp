#pragma once
// Whether this member's clock is so far ahead of the committee's that its transactions wait: the
// others vote for a header only when their own clocks have nearly come to its time (Voter), and a
// quorum goes on without it meanwhile. Neither sign alone is enough: headers are also old when they
// were long on the way, and one is also passed over when its author is slow.

#include "draco/consensus/parameters.hpp"
#include "draco/types/committee.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace draco::consensus {

class ClockCheck {
public:
    ClockCheck(const types::Committee& committee, std::uint64_t lead_ms_max)
        : faulty_max_(committee.faulty_max()),
          lead_ms_max_(lead_ms_max),
          heard_(committee.size()) {}

    // A header of another member came; of each the highest round counts.
    void heard(types::AuthorityIndex author, types::Round round, UnixTime created, UnixTime now);

    // A quorum went on without the own last header.
    void passed_over() { ++passed_over_; }

    // Others have voted for an own header.
    void certified() { passed_over_ = 0; }

    // Own headers are passed over, again and again, and of more members than can be faulty the
    // newest header was older, by the own clock, than one of this member may be young.
    bool is_ahead() const;

private:
    struct Heard {
        std::optional<types::Round> round;
        bool was_old = false;
    };

    std::size_t faulty_max_;
    std::uint64_t lead_ms_max_;
    std::vector<Heard> heard_;  // by author
    std::size_t passed_over_ = 0;
};

}  // namespace draco::consensus
