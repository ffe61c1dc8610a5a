#pragma once
// One block, transaction by transaction: who may, what it costs, what it does.

#include "draco/base/clock.hpp"
#include "draco/interfaces/application.hpp"

#include "working_state.hpp"

namespace draco::application {

// Decoded, and signed by its sender for this chain.
struct CheckedTransaction {
    types::SignedTransaction content;
    types::TransactionHash hash;
    std::size_t bytes = 0;
};

struct RefusedTransaction {
    types::Refusal why;
    std::optional<types::TransactionHash> hash;
};

Result<CheckedTransaction, RefusedTransaction> check_transaction(types::ChainId chain,
                                                                 ByteView bytes);

// fee_base + fee_per_byte * bytes; nullopt if no amount is as large.
std::optional<types::FlkAmount> fee_of(const types::ChainParameters& parameters, std::size_t bytes);

// Why the sender cannot pay for it, if so. `account` is the sender's.
std::optional<types::Refusal> fee_refusal(const types::ChainParameters& parameters,
                                          const CheckedTransaction& transaction,
                                          const types::Account& account);

// Executes the transactions of one block in order.
class BlockExecution {
public:
    BlockExecution(WorkingState& state, types::Height height, UnixTime block_time)
        : state_(state), height_(height), block_time_(block_time) {}

    Result<interfaces::TransactionOutcome> run(ByteView transaction);

private:
    Result<std::variant<types::Receipt, types::Refusal>> run_checked(
        const CheckedTransaction& transaction);
    Result<std::optional<types::Refusal>> charge(const types::Address& sender,
                                                 const CheckedTransaction& transaction);
    Result<std::optional<types::Refusal>> charge(const types::NodeKey& sender,
                                                 const CheckedTransaction& transaction);

    WorkingState& state_;
    types::Height height_;
    UnixTime block_time_;
    std::uint32_t index_ = 0;
};

}  // namespace draco::application
