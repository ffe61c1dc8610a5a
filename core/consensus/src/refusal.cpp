#include "draco/consensus/refusal.hpp"

namespace draco::consensus {

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::WrongEpoch:
            return "it belongs to another epoch";
        case Refusal::UnknownMember:
            return "it names a member that the committee does not have";
        case Refusal::WrongSender:
            return "it did not come from the member that has to send it";
        case Refusal::BadShape:
            return "its parents, signers, sizes or order contradict each other";
        case Refusal::NoQuorum:
            return "it has fewer parents or signatures than a quorum";
        case Refusal::BadSignature:
            return "a signature in it does not verify";
        case Refusal::Stale:
            return "it is superseded or below the floor";
        case Refusal::TooFarAhead:
            return "it is beyond the window of rounds or heights";
        case Refusal::Equivocation:
            return "it contradicts what the same member signed before";
        case Refusal::OverQuota:
            return "the sender's bytes are used up for now";
        case Refusal::NotAskedFor:
            return "nobody asked for it";
        case Refusal::Undecodable:
            return "its bytes do not decode";
    }
    return "unknown";
}

}  // namespace draco::consensus
