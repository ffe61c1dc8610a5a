#include "paid_lane.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/types/money.hpp"

#include "transaction_sender.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::string_view kPurpose = "draco.network 2026 session key v1";
constexpr std::string_view kLanesDirectory = "lanes";

Result<json::value> open_lane(const RpcClient& client,
                              const NodeHome& home,
                              const types::AccountSecretKey& account,
                              const types::NodeKey& node,
                              const types::SessionKey& session_key,
                              const std::string& reserve_usd) {
    DRACO_TRY(reserve, types::parse_usd(reserve_usd));
    return send_transaction(home,
                            client,
                            account.clone(),
                            types::OpenLane{.node = node,
                                            .lane = types::LaneIndex(0),
                                            .service = types::ServiceId(0),
                                            .session_key = session_key,
                                            .reserve = reserve},
                            {});
}

}  // namespace

Result<types::SessionSecretKey> session_key_of(const types::GenesisDigest& genesis,
                                               const types::AccountSecretKey& account) {
    const std::string text = std::string(kPurpose) + ", chain " + to_hex(genesis.view());
    const auto signature = crypto::encode(account.sign(crypto::keccak256(as_bytes(text))));
    const auto key = blake3_tree::hash(signature, blake3_tree::Mode::derive_key(kPurpose));
    return types::SessionSecretKey(crypto::Ed25519Seed(key.bytes));
}

Result<std::unique_ptr<PaidLane>> PaidLane::of(const RpcClient& client,
                                               const NodeHome& home,
                                               const types::AccountSecretKey& account,
                                               const std::string& node_key,
                                               const std::string& reserve_usd) {
    DRACO_TRY(node, parse_node_key(node_key));
    DRACO_TRY(chain, chain_of(client));
    DRACO_TRY(key, session_key_of(chain.genesis, account));
    const types::Address payer = crypto::ethereum_address(account.public_key());
    const json::array name = {crypto::to_text(payer), node_key, 0};
    DRACO_TRY(lane, client.ask("flk_lane", name));
    if (lane.is_null()) {
        DRACO_TRY_VOID(open_lane(client, home, account, node, key.public_key(), reserve_usd));
        DRACO_TRY(opened, client.ask("flk_lane", name));
        lane = std::move(opened);
    }
    DRACO_TRY(instance, number_member(lane, "instance"));
    DRACO_TRY(session_key, text_member(lane, "session_key"));
    if (const auto listed = parse_node_key(session_key);
        !listed || listed->bytes != key.public_key().bytes)
        return fail(Errc::InvalidArgument,
                    "lane 0 of " + crypto::to_text(payer) + " to node " + node_key +
                        " was opened for another session key: close it with draco lane close "
                        "first, or use another account");
    const types::session::LaneClaim claim{
        .payer = payer, .lane = types::LaneIndex(0), .instance = types::LaneInstance(instance)};
    DRACO_TRY_VOID(home.disk().create_directory(std::string(kLanesDirectory)));
    // A network that begins anew may open the same lane again.
    std::string path(kLanesDirectory);
    path.append("/").append(to_hex(chain.genesis.view().first(8))).append("-");
    path.append(to_hex(payer.view())).append("-").append(to_base58(node.view()));
    path.append("-").append(std::to_string(instance));
    auto lock = home.disk().lock(path + ".lock");
    if (!lock)
        return fail(Errc::Unavailable,
                    "another command reads on this lane: wait for it, or use another account (" +
                        lock.error().context + ")");
    DRACO_TRY(ledger, client::FileLedger::open(home.disk(), path, node, claim));
    return std::unique_ptr<PaidLane>(
        new PaidLane(*std::move(lock), std::move(ledger), claim, std::move(key)));
}

}  // namespace draco
