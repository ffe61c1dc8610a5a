#pragma once
// The replicated state machine: the same blocks lead to the same state, bit for bit, on every node.
// Money appears at genesis only and vanishes only where a rule burns it.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/types/block.hpp"
#include "draco/types/committee.hpp"
#include "draco/types/genesis.hpp"
#include "draco/types/receipt.hpp"
#include "draco/types/revenue.hpp"
#include "draco/types/state.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace draco::interfaces {

// A block with the batches it names, in its order.
struct BlockContent {
    const types::Block& block;
    types::BlockDigest digest;
    std::span<const std::shared_ptr<const types::Batch>> batches;
};

struct TransactionOutcome {
    std::optional<types::TransactionHash> hash;  // absent: Refusal::Malformed
    std::variant<types::Receipt, types::Refusal> outcome;

    bool operator==(const TransactionOutcome&) const = default;
};

// What execution led to. `state_root` is the root of the state just committed.
struct ExecutedBlock {
    types::ChainHead head;
    types::StateRoot state_root;
    std::vector<TransactionOutcome> transactions;  // in the order of execution
    // This block was the epoch's last: the committee of the next one.
    std::optional<types::Committee> next_committee;
};

// One committed state. Immutable, thread-safe; keep it for the length of a task.
// Errors of all reads: Corrupt, Io.
class StateView {
public:
    virtual ~StateView() = default;

    virtual types::ChainId chain() const = 0;
    virtual types::GenesisDigest genesis() const = 0;
    virtual const types::ChainParameters& parameters() const = 0;
    virtual const types::ChainHead& head() const = 0;
    virtual types::StateRoot state_root() const = 0;
    virtual const types::EpochInfo& epoch() const = 0;
    virtual const types::Supply& supply() const = 0;

    // An address that never held anything has an account of zeros.
    virtual Result<types::Account> account(const types::Address& address) const = 0;
    virtual Result<std::optional<types::NodeRecord>> node(const types::NodeKey& key) const = 0;
    // Pages: ascending by key, after `after`, at most `count_max`.
    virtual Result<std::vector<std::pair<types::Address, types::Account>>> accounts(
        const std::optional<types::Address>& after, std::size_t count_max) const = 0;
    virtual Result<std::vector<std::pair<types::NodeKey, types::NodeRecord>>> nodes(
        const std::optional<types::NodeKey>& after, std::size_t count_max) const = 0;
    // Of any epoch up to the running one; nullopt for a later one.
    virtual Result<std::optional<types::Committee>> committee(types::Epoch epoch) const = 0;
    // nullopt if no block executed it.
    virtual Result<std::optional<types::Receipt>> receipt(
        const types::TransactionHash& hash) const = 0;

    // What nodes have earned in the running epoch and its end will divide.
    virtual types::UsdAmount revenue_pot() const = 0;
    // nullopt if it was never opened, or has ended.
    virtual Result<std::optional<types::Lane>> lane(const types::LaneKey& key) const = 0;
    // Pages, as above.
    virtual Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes(
        const std::optional<types::LaneKey>& after, std::size_t count_max) const = 0;
    // Of one payer. Precondition: `after` is one of this payer.
    virtual Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes_of(
        const types::Address& payer,
        const std::optional<types::LaneKey>& after,
        std::size_t count_max) const = 0;
    virtual Result<std::vector<std::pair<types::Commodity, types::UnitPrice>>> prices() const = 0;
    virtual Result<std::vector<std::pair<types::ServiceId, types::Service>>> services() const = 0;
    // nullopt if it earned nothing and was not paid, and of epochs before the last one.
    virtual Result<std::optional<types::NodeRevenue>> node_revenue(
        types::Epoch epoch, const types::NodeKey& node) const = 0;
    // nullopt until the epoch has ended.
    virtual Result<std::optional<types::EpochRevenue>> epoch_revenue(types::Epoch epoch) const = 0;

    // For atomo::verify_present or verify_absent of the account against state_root().
    virtual Result<Bytes> prove_account(const types::Address& address) const = 0;
};

class Application {
public:
    virtual ~Application() = default;

    // Executes the next block and commits the result, all or nothing. One caller at a time.
    // InvalidArgument, and nothing changed, unless the block extends the head in the running epoch
    // and `content` has the batches it names. Other errors are the storage's: the outcome is
    // unknown, and the application must be opened again.
    virtual Result<ExecutedBlock> execute(const BlockContent& content) = 0;

    // Makes all executed blocks durable, whatever the storage's policy.
    virtual Result<> sync() = 0;

    // The newest state. Thread-safe.
    virtual Result<std::shared_ptr<const StateView>> view() const = 0;

    // Whether a transaction may enter the pool: it decodes, is signed, is of a nonce not yet used
    // and at most `nonces_ahead_max` ahead, and its sender can pay for it now. The error says what
    // is wrong. Thread-safe; checks one signature.
    virtual Result<types::TransactionHash> admit(ByteView transaction,
                                                 std::uint64_t nonces_ahead_max) const = 0;
};

}  // namespace draco::interfaces
