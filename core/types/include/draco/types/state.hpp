#pragma once
// What the chain remembers of accounts, nodes and itself.

#include "draco/types/block.hpp"
#include "draco/types/transaction.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace draco::types {

struct Account {
    FlkAmount flk{};
    UsdAmount usd{};
    Nonce nonce{};  // of the last transaction executed

    bool operator==(const Account&) const = default;
};

enum class Participation : std::uint8_t {
    None,
    OptedIn,   // active from the next epoch on, if it has the stake then
    Active,    // serves, and may be drawn for the committee
    OptedOut,  // still active; not from the next epoch on
};

// Stake on its way out.
struct Unbonding {
    FlkAmount amount{};
    Epoch release{};  // may be withdrawn in this epoch and later

    bool operator==(const Unbonding&) const = default;
};

struct NodeRecord {
    Address owner{};
    FlkAmount stake{};
    std::optional<Unbonding> unbonding{};
    Participation participation = Participation::None;
    NodeEndpoints endpoints{};
    Nonce nonce{};
    Epoch counted_epoch{};  // the one that the next two count in
    std::uint32_t transactions = 0;
    std::uint32_t settlements = 0;  // SettleLanes; not among `transactions`

    bool operator==(const NodeRecord&) const = default;
};

// All money there is: in accounts, staked and unbonding, reserved in lanes, and in the revenue of
// the running epoch.
struct Supply {
    FlkAmount flk{};
    UsdAmount usd{};
    FlkAmount flk_burned{};   // since genesis; not in `flk`
    FlkAmount flk_emitted{};  // since genesis; in `flk`. Never more than flk_burned

    bool operator==(const Supply&) const = default;
};

// The last executed block; height 0 and a zero digest after genesis.
struct ChainHead {
    Height height{};
    BlockDigest digest{};
    UnixTime timestamp{};

    bool operator==(const ChainHead&) const = default;
};

using CommitteeKeys = bcs::Bounded<std::vector<NodeKey>, kCommitteeMax>;

struct EpochInfo {
    Epoch epoch{};
    UnixTime started{};
    CommitteeKeys committee{};   // ascending
    AuthoritySet end_signals{};  // members that have said that the epoch's time is over

    bool operator==(const EpochInfo&) const = default;
};

}  // namespace draco::types
