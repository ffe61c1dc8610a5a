#pragma once
// Whether this member's clock is so far ahead of the committee's that its transactions wait: the
// others vote for a header only when their own clocks have nearly come to its time (Voter), and a
// quorum goes on without it meanwhile.
//
// Being passed over is not enough: that happens to who is slow, too. And a header that is old when
// it comes may have been long on the way. What proves it is order: an author's certificate carries
// this member's vote, so the author's next header was made after the vote was. If by its own time
// it was made long before, the two clocks differ by that much at least, however slow everything is.

#include "draco/consensus/parameters.hpp"
#include "draco/types/committee.hpp"

#include <array>
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
          authors_(committee.size()) {}

    // This member has voted for the author's header of `round`.
    void voted(types::AuthorityIndex author, types::Round round, UnixTime now);

    // The author's certificate of `round` has this member's vote, and the header that it made of
    // the next round says it was created then. Of each author the highest round counts.
    void followed(types::AuthorityIndex author, types::Round round, UnixTime created);

    // A quorum went on without the own last header.
    void passed_over() { ++passed_over_; }

    // Others have voted for an own header.
    void certified() { passed_over_ = 0; }

    // Own headers are passed over, again and again, and more members than can be faulty have proved
    // that their clocks are further behind than an own header may be young.
    bool is_ahead() const;

private:
    struct Vote {
        types::Round round;
        UnixTime time;
    };

    struct Author {
        std::array<std::optional<Vote>, 8> votes;  // by round, the latest ones
        std::optional<types::Round> judged;
        bool is_behind = false;
    };

    std::size_t faulty_max_;
    std::uint64_t lead_ms_max_;
    std::vector<Author> authors_;
    std::size_t passed_over_ = 0;
};

}  // namespace draco::consensus
