#pragma once
// A lane of an account to a node, as the command line uses it: opened when it is needed, and
// counted in the home, so that what was received is never acknowledged twice or forgotten.

#include "draco/base/result.hpp"
#include "draco/client/lane.hpp"
#include "draco/types/genesis.hpp"

#include "account_sender.hpp"
#include "node_home.hpp"
#include "rpc_client.hpp"

#include <memory>
#include <string>

namespace draco {

// Derived from what the account signs for this purpose alone, so it need not be kept. Whoever has
// it can spend the reserves of the account's lanes, and nothing else.
Result<types::SessionSecretKey> session_key_of(const types::GenesisDigest& genesis,
                                               const types::AccountSecretKey& account);

class PaidLane {
public:
    // The open lane 0 of the account to the node, or a new one with `reserve_usd`; the home keeps
    // its count. InvalidArgument: the open one has another session key. Unavailable:
    // another command uses it.
    static Result<std::unique_ptr<PaidLane>> of(const RpcClient& client,
                                                const NodeHome& home,
                                                const types::AccountSecretKey& account,
                                                const std::string& node_key,
                                                const std::string& reserve_usd);

    const client::LaneCredentials& credentials() const { return credentials_; }

private:
    PaidLane(std::unique_ptr<DiskLock> lock,
             std::unique_ptr<client::FileLedger> ledger,
             const types::session::LaneClaim& lane,
             types::SessionSecretKey key)
        : lock_(std::move(lock)),
          ledger_(std::move(ledger)),
          credentials_{.lane = lane, .key = std::move(key), .ledger = ledger_.get()} {}

    std::unique_ptr<DiskLock> lock_;  // two sessions would count past each other
    std::unique_ptr<client::FileLedger> ledger_;
    client::LaneCredentials credentials_;
};

}  // namespace draco
