#include "paid_lane.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/types/money.hpp"

#include "transaction_sender.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::string_view kPurpose = "draco.network 2026 session key v1";
constexpr std::string_view kLanesDirectory = "lanes";
constexpr std::string_view kReserveDefaultUsd = "1";
// An open network executes within seconds; one without a quorum never does.
constexpr Duration kOpenPatience = std::chrono::seconds(30);
// What a client may have asked for when the reserve ends.
constexpr std::uint64_t kAheadBytes = std::uint64_t{16} << 18;
constexpr types::UsdAmount kCent{10'000};

Result<> open_lane(const RpcClient& client,
                   const NodeHome& home,
                   const types::AccountSecretKey& account,
                   const std::string& node_key,
                   const types::SessionKey& session_key,
                   const PaidLaneOptions& options) {
    const std::string held =
        options.reserve_usd.empty() ? std::string(kReserveDefaultUsd) : options.reserve_usd;
    DRACO_TRY(node, parse_node_key(node_key));
    DRACO_TRY(reserve, types::parse_usd(held));
    if (!options.is_quiet)
        std::fprintf(stderr,
                     "opening lane 0 to %s, waiting for the chain (at most %lld s)\n",
                     node_key.c_str(),
                     static_cast<long long>(
                         std::chrono::duration_cast<std::chrono::seconds>(kOpenPatience).count()));
    const auto sent = send_transaction(home,
                                       client,
                                       account.clone(),
                                       types::OpenLane{.node = node,
                                                       .lane = types::LaneIndex(0),
                                                       .service = types::ServiceId(0),
                                                       .session_key = session_key,
                                                       .reserve = reserve},
                                       {.fee_max = {}, .patience = kOpenPatience});
    if (!sent && sent.error().code == Errc::DeadlineExceeded)
        return fail(Errc::DeadlineExceeded,
                    "the chain has not opened the lane in time, and nothing was fetched. Do enough "
                    "of its nodes run to agree (draco devnet status, draco node health)? When they "
                    "do, the same command goes on (" +
                        sent.error().context + ")");
    if (!sent) return std::unexpected(sent.error());
    if (!options.is_quiet)
        std::fprintf(stderr,
                     "opened lane 0 to %s, %s USD held\n",
                     node_key.c_str(),
                     to_text(reserve).c_str());
    return {};
}

// A network that begins anew may open the same lane again.
std::string ledger_path(const types::GenesisDigest& genesis,
                        const types::Address& payer,
                        const types::NodeKey& node,
                        std::uint64_t instance) {
    std::string path(kLanesDirectory);
    path.append("/").append(to_hex(genesis.view().first(8))).append("-");
    path.append(to_hex(payer.view())).append("-").append(to_base58(node.view()));
    return path.append("-").append(std::to_string(instance));
}

}  // namespace

Result<types::SessionSecretKey> session_key_of(const types::GenesisDigest& genesis,
                                               const types::AccountSecretKey& account) {
    const std::string text = std::string(kPurpose) + ", chain " + to_hex(genesis.view());
    const auto signature = crypto::encode(account.sign(crypto::keccak256(as_bytes(text))));
    const auto key = blake3_tree::hash(signature, blake3_tree::Mode::derive_key(kPurpose));
    return types::SessionSecretKey(crypto::Ed25519Seed(key.bytes));
}

std::optional<std::uint64_t> received_here(const NodeHome& home,
                                           const types::GenesisDigest& genesis,
                                           const json::value& lane) {
    const auto payer_text = text_member(lane, "payer");
    const auto node_text = text_member(lane, "node");
    const auto index = number_member(lane, "lane");
    const auto instance = number_member(lane, "instance");
    if (!payer_text || !node_text || !index || !instance) return std::nullopt;
    const auto payer = crypto::parse_ethereum_address(*payer_text);
    const auto node = parse_node_key(*node_text);
    if (!payer || !node) return std::nullopt;
    const std::string path = ledger_path(genesis, *payer, *node, *instance);
    const auto is_there = home.disk().exists(path);
    if (!is_there || !*is_there) return std::nullopt;
    const auto ledger =
        client::FileLedger::open(home.disk(),
                                 path,
                                 *node,
                                 {.payer = *payer,
                                  .lane = types::LaneIndex(static_cast<std::uint16_t>(*index)),
                                  .instance = types::LaneInstance(*instance)});
    if (!ledger) return std::nullopt;
    return (*ledger)->received();
}

Result<PaidLane::Terms> PaidLane::read_terms(const json::value& lane) {
    const auto* object = lane.if_object();
    const auto* price = object == nullptr ? nullptr : object->if_contains("price");
    if (price == nullptr) return fail(Errc::Corrupt, "the node's answer is no lane with a price");
    DRACO_TRY(usd_text, text_member(*price, "usd"));
    DRACO_TRY(usd, types::parse_usd(usd_text));
    DRACO_TRY(units, number_member(*price, "units"));
    DRACO_TRY(reserve_text, text_member(lane, "reserve"));
    DRACO_TRY(reserve, types::parse_usd(reserve_text));
    DRACO_TRY(settled, number_member(lane, "settled"));
    Terms terms;
    terms.price = {.usd = usd, .units = units};
    terms.reserve = reserve;
    terms.settled = settled;
    return terms;
}

Result<std::unique_ptr<PaidLane>> PaidLane::of(const RpcClient& client,
                                               const NodeHome& home,
                                               const types::AccountSecretKey& account,
                                               const std::string& node_key,
                                               const PaidLaneOptions& options) {
    DRACO_TRY(node, parse_node_key(node_key));
    DRACO_TRY(chain, chain_of(client));
    DRACO_TRY(key, session_key_of(chain.genesis, account));
    const types::Address payer = crypto::ethereum_address(account.public_key());
    const json::array name = {crypto::to_text(payer), node_key, 0};
    DRACO_TRY(lane, client.ask("flk_lane", name));
    const bool is_new = lane.is_null();
    if (is_new) {
        DRACO_TRY_VOID(open_lane(client, home, account, node_key, key.public_key(), options));
        DRACO_TRY(opened, client.ask("flk_lane", name));
        lane = std::move(opened);
    }
    DRACO_TRY(terms, read_terms(lane));
    terms.node = node_key;
    terms.is_new = is_new;
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
    const std::string path = ledger_path(chain.genesis, payer, node, instance);
    auto lock = home.disk().lock(path + ".lock");
    if (!lock)
        return fail(Errc::Unavailable,
                    "another command reads on this lane: wait for it, or use another account (" +
                        lock.error().context + ")");
    DRACO_TRY(ledger, client::FileLedger::open(home.disk(), path, node, claim));
    return std::unique_ptr<PaidLane>(
        new PaidLane(*std::move(lock), std::move(ledger), claim, std::move(key), std::move(terms)));
}

types::UsdAmount PaidLane::cost() const {
    return types::cost(terms_.price, acknowledged()).value_or(types::UsdAmount{});
}

bool PaidLane::is_nearly_used_up() const {
    const std::uint64_t received = std::max(ledger_->received(), terms_.settled);
    const auto next = types::cost(terms_.price, received - terms_.settled + kAheadBytes);
    return !next || *next > terms_.reserve;
}

types::UsdAmount PaidLane::topup_for(std::optional<std::uint64_t> bytes) const {
    const auto needed = bytes ? types::cost(terms_.price, *bytes + kAheadBytes)
                              : types::parse_usd(kReserveDefaultUsd).value();
    if (!needed) return kCent;
    const auto cents = (needed->units + kCent.units - 1) / kCent.units;
    return types::UsdAmount{std::max<types::UsdAmount::Units>(cents, 1) * kCent.units};
}

}  // namespace draco
