#include "transaction_sender.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <thread>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kWaitMs = 60'000;
constexpr int kJournalAttempts = 50;  // another command holds it for a moment
constexpr auto kJournalPause = std::chrono::milliseconds(100);
constexpr int kSendAttempts = 20;  // transactions with earlier nonces may still be on their way
constexpr auto kSendPause = std::chrono::milliseconds(250);
constexpr std::uint64_t kFeeBytes = 512;  // a transfer takes about 200

struct Chain {
    types::ChainId id;
    types::GenesisDigest genesis;
};

Result<Chain> chain_of(const RpcClient& client) {
    DRACO_TRY(answer, client.ask("flk_get_genesis"));
    DRACO_TRY(id, number_member(answer, "chain_id"));
    DRACO_TRY(digest_text, text_member(answer, "digest"));
    if (!digest_text.starts_with("0x"))
        return fail(Errc::Corrupt, "the node's answer has no digest of the genesis");
    DRACO_TRY(digest,
              fixed_from_hex<types::GenesisDigest>(std::string_view(digest_text).substr(2)));
    return Chain{.id = types::ChainId(id), .genesis = digest};
}

Result<types::FlkAmount> fee_max_of(const RpcClient& client, const std::string& given) {
    if (!given.empty()) return types::parse_flk(given);
    DRACO_TRY(parameters, client.ask("flk_get_protocol_params"));
    DRACO_TRY(base_text, text_member(parameters, "fee_base"));
    DRACO_TRY(byte_text, text_member(parameters, "fee_per_byte"));
    DRACO_TRY(base, types::parse_flk(base_text));
    DRACO_TRY(per_byte, types::parse_flk(byte_text));
    const auto bytes = per_byte.times(kFeeBytes);
    const auto fee = bytes ? base.plus(*bytes) : std::nullopt;
    if (!fee) return fail(Errc::Corrupt, "the node's fees make no sense; give --fee-max");
    return *fee;
}

// What the chain has executed of this sender; and that it can pay, because a signed nonce is spent.
Result<types::Nonce> executed_nonce(const RpcClient& client,
                                    const types::Address& sender,
                                    types::FlkAmount fee_max) {
    const std::string text = crypto::to_text(sender);
    DRACO_TRY(account, client.ask("flk_get_account_info", {text}));
    DRACO_TRY(nonce, number_member(account, "nonce"));
    DRACO_TRY(flk_text, text_member(account, "flk"));
    DRACO_TRY(flk, types::parse_flk(flk_text));
    if (flk < fee_max)
        return fail(Errc::InvalidArgument,
                    text + " has " + to_text(flk) + " FLK, too little for a fee of up to " +
                        to_text(fee_max) + " FLK; fund it, or lower --fee-max");
    return types::Nonce(nonce);
}

struct Signed {
    std::vector<identity::SignedBytes> before;  // not executed, as far as the node knows
    identity::SignedBytes now;
};

// The journal is free again when this returns.
Result<Signed> sign_next(const NodeHome& home,
                         const RpcClient& client,
                         const Chain& chain,
                         const identity::TransactionKey& key,
                         types::Method method,
                         const SendOptions& options) {
    DRACO_TRY(fee_max, fee_max_of(client, options.fee_max));
    DRACO_TRY_VOID(key.check(method));
    const auto sender = std::get<types::Address>(key.sender());
    const std::string path = account_journal_path(chain.genesis, sender);
    DRACO_TRY(nonces, open_account_nonces(home, path, key, chain.genesis));
    DRACO_TRY(executed, executed_nonce(client, sender, fee_max));
    auto before = nonces.not_executed(executed);
    DRACO_TRY(now, nonces.sign(executed, fee_max, std::move(method)));
    return Signed{.before = std::move(before), .now = std::move(now)};
}

json::array send_parameters(const identity::SignedBytes& transaction, bool wait) {
    json::object wanted{{"wait", wait}};
    if (wait) wanted["timeout_ms"] = kWaitMs;
    return {"0x" + to_hex(transaction.bytes), std::move(wanted)};
}

bool may_pass(const CallError& error) {
    // In a block before the transaction with the nonce before it, or refused by a pool that has not
    // seen that one.
    return error.where == "block" || error.code == -32001 || error.code == -32004;
}

Result<json::value> send(const RpcClient& client,
                         const identity::SignedBytes& transaction,
                         bool wait) {
    const auto timeout = std::chrono::milliseconds(kWaitMs) + kCallTimeout;
    for (int attempt = 1;; ++attempt) {
        auto answer = client.call("flk_send_txn", send_parameters(transaction, wait), timeout);
        if (answer) return *std::move(answer);
        if (!may_pass(answer.error()) || attempt == kSendAttempts) {
            Error error = std::move(answer).error().error;
            error.context += "; transaction 0x" + to_hex(transaction.hash.view()) +
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
    // Errors of what is sent again are those of this transaction, which waits for them.
    for (const auto& earlier : made.before)
        static_cast<void>(client.call("flk_send_txn", send_parameters(earlier, false)));
    DRACO_TRY(answer, send(client, made.now, options.wait));
    if (options.wait) return judged(std::move(answer));
    return json::object{{"hash", "0x" + to_hex(made.now.hash.view())},
                        {"nonce", made.now.nonce.value()}};
}

}  // namespace draco
