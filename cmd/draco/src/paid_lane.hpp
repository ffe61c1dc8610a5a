#pragma once
// A lane of an account to a node, as the command line uses it: opened when it is needed, and
// counted in the home, so that what was received is never acknowledged twice or forgotten.

#include "draco/base/result.hpp"
#include "draco/client/lane.hpp"
#include "draco/types/commodity.hpp"
#include "draco/types/genesis.hpp"

#include "account_sender.hpp"
#include "node_home.hpp"
#include "rpc_client.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace draco {

// Derived from what the account signs for this purpose alone, so it need not be kept. Whoever has
// it can spend the reserves of the account's lanes, and nothing else.
Result<types::SessionSecretKey> session_key_of(const types::GenesisDigest& genesis,
                                               const types::AccountSecretKey& account);

// What a lane as a node describes it, of flk_lane, has received as far as the home knows; nothing
// if it does not.
std::optional<std::uint64_t> received_here(const NodeHome& home,
                                           const types::GenesisDigest& genesis,
                                           const boost::json::value& lane);

struct PaidLaneOptions {
    std::string reserve_usd;  // of a lane that is opened; empty: 1
    bool is_quiet = false;    // else what is done with money is said on standard error
};

class PaidLane {
public:
    // The open lane 0 of the account to the node, or a new one; the home keeps its count.
    // InvalidArgument: the open one has another session key. Unavailable: another command uses it.
    // DeadlineExceeded: the chain does not open one.
    static Result<std::unique_ptr<PaidLane>> of(const RpcClient& client,
                                                const NodeHome& home,
                                                const types::AccountSecretKey& account,
                                                const std::string& node_key,
                                                const PaidLaneOptions& options);

    const client::LaneCredentials& credentials() const { return credentials_; }

    const std::string& node() const { return terms_.node; }  // its key in base58

    bool was_opened() const { return terms_.is_new; }

    // Held when this was made.
    types::UsdAmount reserve() const { return terms_.reserve; }

    // Bytes, since this was made.
    std::uint64_t acknowledged() const { return ledger_->received() - received_before_; }

    // Of them.
    types::UsdAmount cost() const;

    // Whether the reserve has no room for what a session asks for at once.
    bool is_nearly_used_up() const;

    // An amount that covers so many more bytes; at least a cent.
    types::UsdAmount topup_for(std::optional<std::uint64_t> bytes) const;

private:
    struct Terms {
        std::string node;
        bool is_new = false;
        types::UnitPrice price{};
        types::UsdAmount reserve{};
        std::uint64_t settled = 0;  // bytes, which the reserve has paid before
    };

    static Result<Terms> read_terms(const boost::json::value& lane);

    PaidLane(std::unique_ptr<DiskLock> lock,
             std::unique_ptr<client::FileLedger> ledger,
             const types::session::LaneClaim& lane,
             types::SessionSecretKey key,
             Terms terms)
        : lock_(std::move(lock)),
          ledger_(std::move(ledger)),
          credentials_{.lane = lane, .key = std::move(key), .ledger = ledger_.get()},
          terms_(std::move(terms)),
          received_before_(ledger_->received()) {}

    std::unique_ptr<DiskLock> lock_;  // two sessions would count past each other
    std::unique_ptr<client::FileLedger> ledger_;
    client::LaneCredentials credentials_;
    Terms terms_;
    std::uint64_t received_before_;
};

}  // namespace draco
