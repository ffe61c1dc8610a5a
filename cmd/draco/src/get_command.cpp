#include "get_command.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/client/client.hpp"

#include "content_address.hpp"
#include "content_getter.hpp"
#include "content_nodes.hpp"
#include "output_file.hpp"
#include "paid_lane.hpp"
#include "progress.hpp"
#include "shown_text.hpp"
#include "transaction_sender.hpp"

#include <boost/json/object.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::string_view kFreePace = "free: about 1 MiB/s; --pay lifts it";

Result<std::vector<client::NodeAddress>> addresses(const std::vector<ContentNode>& nodes) {
    std::vector<client::NodeAddress> made;
    made.reserve(nodes.size());
    for (const ContentNode& node : nodes) {
        DRACO_TRY(key, parse_node_key(node.key));
        made.push_back({.host = node.host, .port = node.session_port, .key = key});
    }
    return made;
}

// The node that shows the URL is asked first, if the chain knows it by that name.
void prefer(std::vector<ContentNode>& nodes, const HttpUrl& front) {
    const auto found = std::ranges::find_if(nodes, [&](const ContentNode& node) {
        return node.host == front.host && node.http_port == front.port;
    });
    if (found != nodes.end()) std::rotate(nodes.begin(), found, found + 1);
}

// --- money ---

std::string usd_text(types::UsdAmount amount) {
    return amount.is_zero() ? "less than 0.000001 USD" : to_text(amount) + " USD";
}

void say_paid(const PaidLane& lane) {
    const std::uint64_t acknowledged = lane.acknowledged();
    if (acknowledged == 0) return;
    std::fprintf(stderr,
                 "acknowledged %s = %s (settled within the epoch)\n",
                 human_bytes(static_cast<double>(acknowledged)).c_str(),
                 usd_text(lane.cost()).c_str());
}

std::string payer_options(const Invocation& invocation, const SenderOptions& sender) {
    std::string text;
    if (sender.dev_account) text += " --dev-account " + std::to_string(*sender.dev_account);
    if (!sender.account.empty()) text += " --account " + sender.account;
    if (!sender.password_file.empty()) text += " --password-file " + sender.password_file;
    if (!invocation.home.empty()) text += " --home " + invocation.home;
    return text;
}

// And the command that helps.
Error with_topup(const Invocation& invocation,
                 const GetCommandOptions& options,
                 const PaidLane& lane,
                 const ContentGetter& getter) {
    return {Errc::Exhausted,
            "the reserve of lane 0 to " + lane.node() + " is used up" + getter.kept_text() +
                ". Top it up with: draco lane topup " + lane.node() + " " +
                to_text(lane.topup_for(getter.bytes_left())) +
                payer_options(invocation, options.sender)};
}

json::object json_of(const GetCommandOptions& options, const Got& got, const PaidLane* lane) {
    json::object made{{"files", got.files},
                      {"bytes", got.bytes},
                      {"bytes_kept", got.bytes_kept},
                      {"nodes_left", got.nodes_left},
                      {"output", options.output}};
    if (lane == nullptr) return made;
    made["lane"] = {{"node", lane->node()}, {"lane", 0}, {"opened", lane->was_opened()}};
    if (lane->was_opened()) made["lane"].as_object()["held"] = to_text(lane->reserve());
    made["acknowledged"] = lane->acknowledged();
    made["cost"] = to_text(lane->cost());
    return made;
}

void print_got(const Got& got) {
    if (::isatty(STDERR_FILENO) != 1) return;
    std::string kept;
    if (got.bytes_kept > 0)
        kept =
            ", of which " + human_bytes(static_cast<double>(got.bytes_kept)) + " were here before";
    std::fprintf(stderr,
                 "%llu file%s, %s%s, verified\n",
                 static_cast<unsigned long long>(got.files),
                 got.files == 1 ? "" : "s",
                 human_bytes(static_cast<double>(got.bytes)).c_str(),
                 kept.c_str());
}

Error json_needs_a_file() {
    return {Errc::InvalidArgument, "--json describes what was written to a file: give -o FILE"};
}

Result<OutputPlace> checked_output(const Invocation& invocation, const GetCommandOptions& options) {
    DRACO_TRY(place, output_place(options.output, options.force));
    if (place.is_stream() && invocation.json) return std::unexpected(json_needs_a_file());
    if (options.output.empty() && ::isatty(STDOUT_FILENO) == 1)
        return fail(Errc::InvalidArgument,
                    "content may be anything, and standard output is a terminal: give -o FILE, or "
                    "-o - to see it here");
    return place;
}

Result<> get_on(const Invocation& invocation,
                const GetCommandOptions& options,
                const OutputPlace& place,
                const ContentAddress& wanted,
                ContentGetter& getter,
                const PaidLane* lane) {
    auto outcome = [&]() -> Result<> {
        DRACO_TRY(hash, getter.resolve(wanted.root, wanted.path));
        return getter.get(hash, place);
    }();
    if (lane != nullptr && !invocation.json) say_paid(*lane);
    if (!outcome) {
        const bool is_used_up =
            lane != nullptr && outcome.error().code == Errc::Exhausted && lane->is_nearly_used_up();
        if (is_used_up) return std::unexpected(with_topup(invocation, options, *lane, getter));
        outcome.error().context += getter.kept_text();
        return outcome;
    }
    if (invocation.json)
        print_value(invocation, json_of(options, getter.got(), lane));
    else
        print_got(getter.got());
    return {};
}

// What is wrong with what was typed is said before money moves.
Result<> get(const Invocation& invocation, const GetCommandOptions& options) {
    DRACO_TRY(wanted, parse_content_address(options.what));
    DRACO_TRY(place, checked_output(invocation, options));
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(listed, content_nodes(client));
    if (wanted.front) prefer(listed, *wanted.front);
    DRACO_TRY(nodes, addresses(listed));
    DRACO_TRY(chain, chain_of(client));
    std::optional<NodeHome> home;
    std::unique_ptr<PaidLane> lane;
    if (options.pay) {
        DRACO_TRY(opened, sender_home(invocation));
        home = std::move(opened);
        DRACO_TRY(account, sender_key(*home, options.sender));
        DRACO_TRY(paid,
                  PaidLane::of(client,
                               *home,
                               account,
                               listed[0].key,
                               {.reserve_usd = options.reserve_usd, .is_quiet = invocation.json}));
        if (!paid->was_opened() && !options.reserve_usd.empty())
            return fail(Errc::InvalidArgument,
                        "lane 0 to " + paid->node() + " is open already, with " +
                            to_text(paid->reserve()) +
                            " USD, so --reserve would do nothing: leave it out, or add to the "
                            "reserve with draco lane topup " +
                            paid->node() + " " + options.reserve_usd +
                            payer_options(invocation, options.sender));
        lane = std::move(paid);
        nodes.resize(1);
        nodes[0].lane = &lane->credentials();
    }
    DRACO_TRY(started, client::Client::start({.chain = chain.id}));
    ContentGetter getter(std::move(started),
                         std::move(nodes),
                         {.limits = options.limits,
                          .force = options.force,
                          .is_quiet = invocation.json,
                          .note = std::string(options.pay ? "" : kFreePace)});
    return get_on(invocation, options, place, wanted, getter, lane.get());
}

}  // namespace

Result<> check_get(const Invocation& invocation, const GetCommandOptions& options) {
    if (invocation.json && (options.output.empty() || options.output == "-"))
        return std::unexpected(json_needs_a_file());
    if (options.pay) return {};
    std::string given;
    if (!options.reserve_usd.empty()) given = "--reserve";
    if (options.sender.dev_account) given = "--dev-account";
    if (!options.sender.account.empty()) given = "--account";
    if (!options.sender.password_file.empty()) given = "--password-file";
    if (given.empty()) return {};
    return fail(Errc::InvalidArgument,
                given + " does nothing without --pay: add --pay, or leave it out");
}

// A node chooses names, and what its refusals say.
Result<> run_get(const Invocation& invocation, const GetCommandOptions& options) {
    auto got = get(invocation, options);
    if (!got) got.error().context = shown(got.error().context);
    return got;
}

}  // namespace draco
