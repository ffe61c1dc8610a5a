#pragma once
// Why a message of a peer was thrown away. Counted per peer; never more than that happens here.

#include "draco/types/ids.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace draco::consensus {

enum class Refusal : std::uint8_t {
    WrongEpoch,
    UnknownMember,  // an index outside the committee
    WrongSender,    // not from the member that has to send it
    BadShape,       // parents, signers, sizes or order contradict each other
    NoQuorum,       // too few parents or signatures
    BadSignature,
    Stale,         // below the floor, or superseded
    TooFarAhead,   // beyond the window of rounds or heights
    Equivocation,  // a second header, certificate or block signature where one may be
    OverQuota,     // the sender's bytes are used up
    NotAskedFor,
    Undecodable,  // counted by drivers
};

inline constexpr std::size_t kRefusalCount = 12;

std::string_view to_string(Refusal refusal);

class RefusalCounts {
public:
    explicit RefusalCounts(std::size_t peers) : counts_(peers) {}

    // Precondition: peer is an index of the committee.
    void count(types::AuthorityIndex peer, Refusal reason) {
        ++counts_[peer.value()][static_cast<std::size_t>(reason)];
    }

    std::uint64_t of(types::AuthorityIndex peer, Refusal reason) const {
        return counts_[peer.value()][static_cast<std::size_t>(reason)];
    }

private:
    std::vector<std::array<std::uint64_t, kRefusalCount>> counts_;
};

}  // namespace draco::consensus
