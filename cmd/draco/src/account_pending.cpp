#include "account_pending.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/identity/signing_journal.hpp"

#include "rpc_client.hpp"
#include "text_file.hpp"
#include "transaction_sender.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

// The names of types::Method's alternatives, in their order.
constexpr std::string_view kMethodNames[] = {"transfer FLK",
                                             "transfer USD",
                                             "stake",
                                             "unstake",
                                             "withdraw unstaked",
                                             "opt in",
                                             "opt out",
                                             "end epoch",
                                             "open lane",
                                             "top up lane",
                                             "close lane",
                                             "settle lanes"};
static_assert(std::size(kMethodNames) == std::variant_size_v<types::Method>);

// Of a journal that is there; a command that only looks makes none.
Result<std::vector<identity::SignedBytes>> not_executed(const NodeHome& home,
                                                        const ChainName& chain,
                                                        const types::Address& sender,
                                                        types::Nonce executed) {
    const std::string path = account_journal_path(chain.genesis, sender);
    if (!path_exists(home.path() + "/" + path)) return std::vector<identity::SignedBytes>();
    DRACO_TRY(
        journal,
        identity::SigningJournal::open(
            home.disk(), path, {.chain = chain.id, .genesis = chain.genesis, .sender = sender}));
    std::vector<identity::SignedBytes> entries;
    for (const identity::SignedBytes& entry : journal.entries())
        if (entry.nonce > executed) entries.push_back(entry);
    return entries;
}

json::object entry_json(const RpcClient& client, const identity::SignedBytes& entry) {
    json::object made{{"nonce", entry.nonce.value()},
                      {"hash", "0x" + to_hex(entry.hash.view())},
                      {"method", nullptr},
                      {"fee_max", nullptr}};
    if (const auto decoded = bcs::decode<types::SignedTransaction>(entry.bytes)) {
        made["method"] = kMethodNames[decoded->transaction.method.index()];
        made["fee_max"] = to_text(decoded->transaction.fee_max);
    }
    const auto answer = client.call("flk_send_txn", send_parameters(entry, false));
    made["taken"] = answer.has_value();
    made["says"] = answer ? "taken, waits for a block" : answer.error().error.context;
    return made;
}

void print_entries(const json::array& entries) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(entries.size());
    const auto text = [](const json::value& value) {
        return value.is_string() ? std::string(value.get_string())
                                 : (value.is_null() ? "-" : json::serialize(value));
    };
    for (const json::value& entry : entries)
        rows.push_back({text(entry.at("nonce")),
                        text(entry.at("method")),
                        text(entry.at("fee_max")),
                        text(entry.at("hash")),
                        text(entry.at("says"))});
    print_table({"nonce", "method", "fee_max", "hash", "the node says"}, rows);
}

}  // namespace

Result<> run_account_pending(const Invocation& invocation, const SenderOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(text, sender_address(home, options));
    DRACO_TRY(sender, crypto::parse_ethereum_address(text));
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(chain, chain_of(client));
    DRACO_TRY(executed, executed_nonce(client, sender));
    DRACO_TRY(pending, not_executed(home, chain, sender, executed));
    json::array entries;
    bool is_stuck = false;
    for (const identity::SignedBytes& entry : pending) {
        entries.emplace_back(entry_json(client, entry));
        is_stuck = is_stuck || !entries.back().at("taken").get_bool();
    }
    if (invocation.json) {
        print_value(invocation,
                    json::object{{"address", text},
                                 {"executed_nonce", executed.value()},
                                 {"pending", std::move(entries)}});
        return {};
    }
    if (entries.empty()) {
        std::printf("all that %s has signed here is executed, up to nonce %llu\n",
                    text.c_str(),
                    static_cast<unsigned long long>(executed.value()));
        return {};
    }
    print_entries(entries);
    if (is_stuck)
        std::printf("What a node refuses holds up all that comes after it. %s.\n",
                    std::string(kStuckAdvice).c_str());
    return {};
}

}  // namespace draco
