// flk_*: transactions and what became of them.

#include "draco/types/dag.hpp"

#include "json_values.hpp"
#include "method.hpp"
#include "transaction_waiters.hpp"

#include <array>
#include <chrono>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::array kHash = {
    ParameterSpec{"hash", ParameterType::Hash, true, "of the transaction"}};
constexpr std::array kHashAndTimeout = {
    ParameterSpec{"hash", ParameterType::Hash, true, "of the transaction"},
    ParameterSpec{"timeout_ms", ParameterType::Number, false, "30000 if not given"}};
constexpr std::array kTransaction = {
    ParameterSpec{"transaction", ParameterType::Hex, true, "BCS of the signed transaction"},
    ParameterSpec{"options",
                  ParameterType::Options,
                  false,
                  "wait (false): answer with the receipt; timeout_ms (30000): give up then"}};
constexpr std::array<std::string_view, 2> kSendOptions = {"wait", "timeout_ms"};
constexpr std::uint64_t kWaitDefaultMs = 30'000;

Instant after_ms(const Context& context, std::uint64_t ms) {
    return context.on.executor.clock().now() + std::chrono::milliseconds(ms);
}

RpcError refused(std::string reason, std::string_view where, const std::string& hash) {
    std::string message = "the transaction was refused: " + reason;
    return {Code::Refused,
            std::move(message),
            {{"reason", std::move(reason)}, {"where", where}, {"hash", hash}}};
}

RpcError submission_error(Error error, const std::string& hash) {
    switch (error.code) {
        case Errc::InvalidArgument:
        case Errc::Unauthenticated:
        case Errc::NotFound:
        case Errc::AlreadyExists:
            return refused(std::move(error.context), "admission", hash);
        default: {
            RpcError other(error);
            other.data["hash"] = hash;
            return other;
        }
    }
}

enum class Wanted : std::uint8_t { Hash, Receipt };

Outcome<json::value> answer_to(const types::TransactionHash& of,
                               Wanted wanted,
                               WaitOutcome outcome) {
    const std::string hash = hex_text(of.view());
    if (const auto* const receipt = std::get_if<types::Receipt>(&outcome)) {
        if (wanted == Wanted::Hash) return json::value(hash);
        return json::value(receipt_json(of, *receipt));
    }
    if (const auto* const in_block = std::get_if<RefusedInBlock>(&outcome)) {
        RpcError error = refused(std::string(types::to_string(in_block->refusal)), "block", hash);
        error.data["height"] = in_block->height.value();
        return std::unexpected(std::move(error));
    }
    if (auto* const error = std::get_if<Error>(&outcome))
        return std::unexpected(submission_error(std::move(*error), hash));
    if (std::holds_alternative<SubmissionAccepted>(outcome)) return json::value(hash);
    if (std::holds_alternative<WaitStopped>(outcome)) return std::unexpected(stopping());
    return std::unexpected(RpcError(
        Code::Deadline,
        wanted == Wanted::Receipt ? "no block executed the transaction in time; it may "
                                    "still come: see draco tx HASH, or flk_get_transaction_receipt"
                                  : "no member of the committee took the transaction in "
                                    "time; sending it again is safe",
        {{"hash", hash}}));
}

// What becomes of a transaction, as the answer.
std::optional<TransactionWaiters::Key> wait_for(const Context& context,
                                                const types::TransactionHash& hash,
                                                std::uint64_t timeout_ms,
                                                WaitFor what,
                                                Wanted wanted,
                                                Answer answer) {
    // Shared with a refusal, which leaves the callback uncalled.
    const auto held = std::make_shared<Answer>(std::move(answer));
    const auto key =
        context.waiters->wait({.hash = hash,
                               .deadline = after_ms(context, timeout_ms),
                               .what = what,
                               .client = std::string(context.client)},
                              [hash, wanted, held](WaitOutcome outcome) {
                                  held->give(answer_to(hash, wanted, std::move(outcome)));
                              });
    if (key) return *key;
    held->give(std::unexpected(RpcError(key.error())));
    return std::nullopt;
}

Outcome<json::value> receipt(const Context& context, const Parameters& parameters) {
    DRACO_TRY(hash, parameters.hash(0));
    DRACO_TRY(found, context.on.ledger.view()->receipt(hash));
    if (!found) return json::value(nullptr);
    return json::value(receipt_json(hash, *found));
}

struct WaitRequest {
    types::TransactionHash hash;
    std::uint64_t timeout_ms;
};

Outcome<WaitRequest> read_wait(const Context& context, const Parameters& parameters) {
    DRACO_TRY(hash, parameters.hash(0));
    std::uint64_t timeout_ms = std::min(kWaitDefaultMs, context.limits.wait_ms_max);
    if (parameters.has(1)) {
        DRACO_TRY(given, parameters.number(1, context.limits.wait_ms_max));
        timeout_ms = given;
    }
    return WaitRequest{.hash = hash, .timeout_ms = timeout_ms};
}

void wait_txn(const Context& context, const Parameters& parameters, Answer answer) {
    const auto request = read_wait(context, parameters);
    if (!request) return answer.give(std::unexpected(request.error()));
    wait_for(context,
             request->hash,
             request->timeout_ms,
             WaitFor::Other,
             Wanted::Receipt,
             std::move(answer));
}

struct SendRequest {
    Bytes bytes;
    types::TransactionHash hash;
    Wanted wanted = Wanted::Hash;
    std::uint64_t timeout_ms = 0;
};

Outcome<SendRequest> read_send(const Context& context, const Parameters& parameters) {
    DRACO_TRY(bytes, parameters.hex(0, types::kTransactionBytesMax));
    const auto transaction = bcs::decode<types::SignedTransaction>(bytes);
    if (!transaction)
        return bad_parameter("transaction",
                             "hex of the BCS of a SignedTransaction",
                             shown(to_string(Error(transaction.error()))));
    DRACO_TRY_VOID(parameters.check_options(1, kSendOptions));
    DRACO_TRY(wait, parameters.option(1, "wait", false));
    const std::uint64_t max = context.limits.wait_ms_max;
    const std::uint64_t otherwise = wait ? kWaitDefaultMs : context.limits.submit_ms_max;
    DRACO_TRY(timeout_ms, parameters.option(1, "timeout_ms", std::min(otherwise, max), max));
    return SendRequest{
        .bytes = std::move(bytes),
        .hash = types::digest_of(context.on.ledger.view()->chain(), transaction->transaction),
        .wanted = wait ? Wanted::Receipt : Wanted::Hash,
        .timeout_ms = timeout_ms};
}

void send_txn(const Context& context, const Parameters& parameters, Answer answer) {
    auto request = read_send(context, parameters);
    if (!request) return answer.give(std::unexpected(request.error()));
    // Before it is submitted, so that no block is missed.
    const auto key = wait_for(context,
                              request->hash,
                              request->timeout_ms,
                              WaitFor::Own,
                              request->wanted,
                              std::move(answer));
    if (!key) return;
    context.on.forwarder.submit(
        std::move(request->bytes),
        [weak = std::weak_ptr(context.waiters), key = *key, wanted = request->wanted](
            Result<types::TransactionHash> taken) {
            const auto waiters = weak.lock();
            if (!waiters) return;
            Result<> outcome;
            if (!taken) outcome = std::unexpected(std::move(taken).error());
            waiters->submitted(key, std::move(outcome), wanted == Wanted::Hash);
        });
}

constexpr std::array kTransactionMethods = {
    Method{.name = "flk_get_transaction_receipt",
           .parameters = kHash,
           .result = "receipt or null",
           .doc = "What became of a transaction; null while no block has executed it.",
           .read = receipt},
    Method{.name = "flk_send_txn",
           .parameters = kTransaction,
           .result = "hash, or receipt",
           .doc = "Brings a signed transaction to the committee; sending it again is safe.",
           .start = send_txn},
    Method{.name = "flk_wait_txn",
           .parameters = kHashAndTimeout,
           .result = "receipt",
           .doc = "Answers once a block has executed the transaction.",
           .start = wait_txn}};

}  // namespace

std::span<const Method> transaction_methods() {
    return kTransactionMethods;
}

}  // namespace draco::rpc
