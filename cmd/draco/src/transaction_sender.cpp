#include "transaction_sender.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include "transaction_check.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace draco {
namespace {

namespace json = boost::json;

constexpr int kJournalAttempts = 50;  // another command holds it for a moment
constexpr auto kJournalPause = std::chrono::milliseconds(100);
// A network may be starting, and transactions with earlier nonces may still be on their way.
constexpr int kSendAttempts = 60;
constexpr auto kSendPause = std::chrono::milliseconds(250);
constexpr std::uint64_t kBehindMax = 5;
constexpr std::uint64_t kFeeBytes = 512;  // a transfer takes about 200

struct Fees {
    types::FlkAmount base;
    types::FlkAmount per_byte;

    std::optional<types::FlkAmount> of(std::size_t bytes) const {
        const auto part = per_byte.times(bytes);
        return part ? base.plus(*part) : std::nullopt;
    }
};

Result<Fees> fees_of(const RpcClient& client) {
    DRACO_TRY(parameters, client.ask("flk_get_protocol_params"));
    DRACO_TRY(base_text, text_member(parameters, "fee_base"));
    DRACO_TRY(byte_text, text_member(parameters, "fee_per_byte"));
    DRACO_TRY(base, types::parse_flk(base_text));
    DRACO_TRY(per_byte, types::parse_flk(byte_text));
    return Fees{.base = base, .per_byte = per_byte};
}

Result<types::FlkAmount> fee_max_of(const Fees& fees, const std::string& given) {
    if (!given.empty()) return types::parse_flk(given);
    const auto fee = fees.of(kFeeBytes);
    if (!fee) return fail(Errc::Corrupt, "the node's fees make no sense; give --fee-max");
    return *fee;
}

// Lengths of what is signed do not depend on its numbers, so the fee is known before.
Result<types::FlkAmount> fee_of(const Fees& fees,
                                types::FlkAmount fee_max,
                                const types::Address& sender,
                                const types::Method& method) {
    const types::SignedTransaction unsigned_yet{
        .transaction = {.sender = sender, .nonce = {}, .fee_max = fee_max, .method = method},
        .signature = types::AccountSignature{}};
    const std::size_t bytes = bcs::encoded_size(unsigned_yet);
    const auto fee = fees.of(bytes);
    if (!fee) return fail(Errc::Corrupt, "the node's fees make no sense");
    if (*fee <= fee_max) return *fee;
    return fail(Errc::InvalidArgument,
                "this transaction has " + std::to_string(bytes) + " bytes and costs " +
                    to_text(*fee) + " FLK, and --fee-max is " + to_text(fee_max) +
                    " FLK; raise it or leave it out. Nothing was signed");
}

// A node that is behind names a nonce that is used up.
Result<> check_is_current(const RpcClient& client) {
    DRACO_TRY(status, client.ask("flk_node_status"));
    DRACO_TRY(height, number_member(status, "height"));
    const auto* object = status.if_object();
    const auto* sync = object == nullptr ? nullptr : object->if_contains("sync");
    if (sync == nullptr) return fail(Errc::Corrupt, "the node's status says nothing of its sync");
    DRACO_TRY(known, number_member(*sync, "known"));
    if (known <= height + kBehindMax) return {};
    return fail(Errc::Unavailable,
                "the node is " + std::to_string(known - height) +
                    " blocks behind the chain; wait until it has caught up (draco node health), "
                    "or ask another with --node URL. Nothing was signed");
}

// The most that what is under way may take from its sender.
types::FlkAmount taken_by(const std::vector<identity::SignedBytes>& earlier) {
    types::FlkAmount sum;
    for (const identity::SignedBytes& entry : earlier) {
        const auto decoded = bcs::decode<types::SignedTransaction>(entry.bytes);
        if (!decoded) continue;
        const types::Transaction& transaction = decoded->transaction;
        types::FlkAmount moved;
        if (const auto* transfer = std::get_if<types::TransferFlk>(&transaction.method))
            moved = transfer->amount;
        if (const auto* stake = std::get_if<types::Stake>(&transaction.method))
            moved = stake->amount;
        sum = sum.plus(moved).value_or(sum).plus(transaction.fee_max).value_or(sum);
    }
    return sum;
}

// A nonce is signed once: what cannot pay its fee when its turn comes would hold up the account.
Result<> check_can_pay(const RpcClient& client,
                       const types::Address& sender,
                       types::FlkAmount fee_max,
                       const std::vector<identity::SignedBytes>& earlier) {
    const std::string text = crypto::to_text(sender);
    DRACO_TRY(account, client.ask("flk_get_account_info", {text}));
    DRACO_TRY(flk_text, text_member(account, "flk"));
    DRACO_TRY(flk, types::parse_flk(flk_text));
    const types::FlkAmount left = flk.minus(taken_by(earlier)).value_or(types::FlkAmount{});
    if (left >= fee_max) return {};
    if (flk >= fee_max)
        return fail(Errc::InvalidArgument,
                    text + " has " + to_text(flk) + " FLK, of which " +
                        std::to_string(earlier.size()) +
                        " earlier transactions may leave too little for a fee of up to " +
                        to_text(fee_max) +
                        " FLK: wait until they are executed (draco account pending), or fund the "
                        "account. Nothing was signed");
    return fail(Errc::InvalidArgument,
                text + " has " + to_text(flk) + " FLK, too little for a fee of up to " +
                    to_text(fee_max) + " FLK; fund it, or lower --fee-max. Nothing was signed");
}

bool may_pass(const CallError& error) {
    // In a block before the transaction with the nonce before it, or refused by a pool that has not
    // seen that one.
    return error.where == "block" || error.code == -32001 || error.code == -32004;
}

// Gives the node what was signed before and has not been executed; a later nonce waits for it.
Result<> send_earlier(const RpcClient& client,
                      const types::Address& sender,
                      const std::vector<identity::SignedBytes>& earlier) {
    for (const auto& transaction : earlier) {
        const auto answer = client.call("flk_send_txn", send_parameters(transaction, false));
        if (answer || may_pass(answer.error())) continue;
        // It may have been executed meanwhile.
        DRACO_TRY(executed, executed_nonce(client, sender));
        if (executed >= transaction.nonce) continue;
        Error error = answer.error().error;
        error.context = "transaction 0x" + to_hex(transaction.hash.view()) + ", nonce " +
                        std::to_string(transaction.nonce.value()) +
                        ", which an earlier command signed and which has to be executed first: " +
                        error.context + ". " + std::string(kStuckAdvice);
        return std::unexpected(std::move(error));
    }
    return {};
}

// What is under way may make it possible, so it is seen through.
std::unexpected<Error> refused_with(const RpcClient& client,
                                    const types::Address& sender,
                                    const std::vector<identity::SignedBytes>& earlier,
                                    Error why) {
    if (earlier.empty()) return std::unexpected(std::move(why));
    const auto sent = send_earlier(client, sender, earlier);
    if (!sent) return std::unexpected(sent.error());
    why.context +=
        "; transactions that were signed before are not executed yet and may change "
        "that: draco account pending";
    return std::unexpected(std::move(why));
}

struct Signed {
    std::vector<identity::SignedBytes> before;  // not executed, as far as the node knows
    identity::SignedBytes now;
};

// The journal is free again when this returns.
Result<Signed> sign_next(const NodeHome& home,
                         const RpcClient& client,
                         const ChainName& chain,
                         const identity::TransactionKey& key,
                         types::Method method,
                         const SendOptions& options) {
    DRACO_TRY(fees, fees_of(client));
    DRACO_TRY(fee_max, fee_max_of(fees, options.fee_max));
    DRACO_TRY_VOID(key.check(method));
    const auto sender = std::get<types::Address>(key.sender());
    DRACO_TRY(fee, fee_of(fees, fee_max, sender, method));
    DRACO_TRY_VOID(check_is_current(client));
    const std::string path = account_journal_path(chain.genesis, sender);
    DRACO_TRY(nonces, open_account_nonces(home, path, key, chain.genesis));
    DRACO_TRY(executed, executed_nonce(client, sender));
    auto before = nonces.not_executed(executed);
    auto sound = check_can_pay(client, sender, fee_max, before);
    if (sound) sound = check_effect(client, sender, fee, method);
    if (!sound) return refused_with(client, sender, before, sound.error());
    DRACO_TRY(now, nonces.sign(executed, fee_max, std::move(method)));
    return Signed{.before = std::move(before), .now = std::move(now)};
}

// The nonce may be used up by a transaction that this home knows nothing of.
Result<> check_not_overtaken(const RpcClient& client,
                             const types::Address& sender,
                             const identity::SignedBytes& transaction) {
    const std::string hash = "0x" + to_hex(transaction.hash.view());
    DRACO_TRY(executed, executed_nonce(client, sender));
    if (executed < transaction.nonce) return {};
    DRACO_TRY(receipt, client.ask("flk_get_transaction_receipt", {hash}));
    if (!receipt.is_null()) return {};
    return fail(Errc::Unavailable,
                "transaction " + hash +
                    " came too late and is void: the chain had executed another "
                    "one with nonce " +
                    std::to_string(transaction.nonce.value()) +
                    ", which the node did not know yet, because it was behind, or which was signed "
                    "elsewhere with this key. Nothing was moved or paid; repeat the command");
}

Result<json::value> send(const RpcClient& client,
                         const types::Address& sender,
                         const Signed& made,
                         const SendOptions& options) {
    const std::uint64_t patience_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(options.patience).count());
    const std::uint64_t wait_ms = patience_ms == 0 ? kWaitMs : std::min(kWaitMs, patience_ms);
    const auto timeout = std::chrono::milliseconds(wait_ms) + kCallTimeout;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    for (int attempt = 1;; ++attempt) {
        DRACO_TRY_VOID(send_earlier(client, sender, made.before));
        auto answer =
            client.call("flk_send_txn", send_parameters(made.now, options.wait, wait_ms), timeout);
        if (answer) return *std::move(answer);
        const bool is_over = patience_ms > 0 && std::chrono::steady_clock::now() >= end;
        if (!may_pass(answer.error()) || attempt == kSendAttempts || is_over) {
            DRACO_TRY_VOID(check_not_overtaken(client, sender, made.now));
            Error error = std::move(answer).error().error;
            if (is_over) error.code = Errc::DeadlineExceeded;
            error.context += "; transaction 0x" + to_hex(made.now.hash.view()) +
                             " is signed and will be sent again by the next command";
            return std::unexpected(std::move(error));
        }
        std::this_thread::sleep_for(kSendPause);
    }
}

Result<json::value> judged(json::value receipt) {
    const auto* object = receipt.if_object();
    const auto* success = object == nullptr ? nullptr : object->if_contains("success");
    if (success == nullptr || !success->is_bool() || success->get_bool()) return receipt;
    DRACO_TRY(revert, text_member(receipt, "revert"));
    DRACO_TRY(hash, text_member(receipt, "hash"));
    DRACO_TRY(fee, text_member(receipt, "fee"));
    return fail(Errc::InvalidArgument,
                "the transaction did nothing but cost its fee of " + fee + " FLK: " + revert +
                    " (" + hash + ")");
}

}  // namespace

Result<ChainName> chain_of(const RpcClient& client) {
    DRACO_TRY(answer, client.ask("flk_get_genesis"));
    DRACO_TRY(id, number_member(answer, "chain_id"));
    DRACO_TRY(digest_text, text_member(answer, "digest"));
    if (!digest_text.starts_with("0x"))
        return fail(Errc::Corrupt, "the node's answer has no digest of the genesis");
    DRACO_TRY(digest,
              fixed_from_hex<types::GenesisDigest>(std::string_view(digest_text).substr(2)));
    return ChainName{.id = types::ChainId(id), .genesis = digest};
}

Result<types::Nonce> executed_nonce(const RpcClient& client, const types::Address& account) {
    DRACO_TRY(info, client.ask("flk_get_account_info", {crypto::to_text(account)}));
    DRACO_TRY(nonce, number_member(info, "nonce"));
    return types::Nonce(nonce);
}

json::array send_parameters(const identity::SignedBytes& transaction,
                            bool wait,
                            std::uint64_t wait_ms) {
    json::object wanted{{"wait", wait}};
    if (wait) wanted["timeout_ms"] = wait_ms;
    return {"0x" + to_hex(transaction.bytes), std::move(wanted)};
}

std::string account_journal_path(const types::GenesisDigest& genesis,
                                 const types::Address& sender) {
    return "journals/" + to_hex(genesis.view().first<8>()) + "-" + crypto::to_text(sender);
}

Result<identity::AccountNonces> open_account_nonces(const NodeHome& home,
                                                    const std::string& path,
                                                    const identity::TransactionKey& key,
                                                    const types::GenesisDigest& genesis) {
    DRACO_TRY_VOID(home.disk().create_directory(path.substr(0, path.rfind('/'))));
    for (int attempt = 1;; ++attempt) {
        auto nonces = identity::AccountNonces::open(home.disk(), path, key, genesis);
        if (nonces || nonces.error().code != Errc::Unavailable || attempt == kJournalAttempts)
            return nonces;
        std::this_thread::sleep_for(kJournalPause);
    }
}

Result<json::value> send_transaction(const NodeHome& home,
                                     const RpcClient& client,
                                     types::AccountSecretKey key,
                                     types::Method method,
                                     const SendOptions& options) {
    DRACO_TRY(chain, chain_of(client));
    const identity::TransactionKey signing(chain.id, std::move(key));
    DRACO_TRY(made, sign_next(home, client, chain, signing, std::move(method), options));
    const auto sender = std::get<types::Address>(signing.sender());
    DRACO_TRY(answer, send(client, sender, made, options));
    if (options.wait) return judged(std::move(answer));
    return json::object{{"hash", "0x" + to_hex(made.now.hash.view())},
                        {"nonce", made.now.nonce.value()}};
}

}  // namespace draco
