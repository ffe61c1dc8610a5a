#include "opt_commands.hpp"

#include "draco/io/system_clock.hpp"
#include "draco/rpc/admin.hpp"

#include "devnet_record.hpp"
#include "node_home.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"
#include "text_file.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <thread>

namespace draco {
namespace {

namespace json = boost::json;

constexpr int kNotAdmin = -32006;
constexpr std::uint64_t kExecuteMs = 60'000;
constexpr auto kOptLookEvery = std::chrono::milliseconds(250);
constexpr int kSettleLooks = 20;
// How long --wait lasts: what ends an epoch are transactions, which may be late.
constexpr std::uint64_t kEpochsWaited = 3;
constexpr std::uint64_t kGraceMs = 60'000;

struct Admin {
    RpcClient client;
    std::string home;
};

std::string how_to_start(const std::string& home) {
    return "start it with draco node run --home " + home;
}

Result<std::string> own_token(const NodeHome& home, const node::NodeConfig& config) {
    const std::string path = config.node.data_directory + "/" + std::string(rpc::kAdminTokenFile);
    auto token = rpc::read_admin_token(home.disk(), path);
    if (!token && token.error().code == Errc::NotFound)
        return fail(Errc::NotFound,
                    "the node in " + home.path() +
                        " was never started, or by an older draco: " + how_to_start(home.path()));
    if (!token) return fail(token.error().code, home.path() + "/" + token.error().context);
    return token;
}

Result<Admin> admin_of(const Invocation& invocation) {
    DRACO_TRY(path, home_path(invocation));
    if (!path_exists(path + "/" + std::string(node::kConfigFile))) {
        if (path_exists(path + "/" + std::string(kDevnetRecordFile)))
            return fail(Errc::InvalidArgument,
                        path + " is a devnet: name the home of one of its nodes, such as --home " +
                            node_home(path, 0));
        return fail(Errc::NotFound, path + " is no node's home: give --home DIR");
    }
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY(config, home.config());
    DRACO_TRY(token, own_token(home, config));
    DRACO_TRY(url, RpcClient::url_of(invocation));
    return Admin{.client = RpcClient(std::move(url), std::move(token)), .home = path};
}

Error explained(const Admin& admin, CallError error) {
    if (error.code == 0 && error.error.code != Errc::Corrupt)
        return {Errc::Unavailable,
                "the node in " + admin.home + " does not run (" + error.error.context +
                    "): " + how_to_start(admin.home)};
    if (error.code == kNotAdmin)
        return {Errc::Unauthenticated,
                "the node at " + admin.client.url() + " is not the one in " + admin.home + ": " +
                    how_to_start(admin.home)};
    if (error.reason == "stake") error.error.context = "stake first: " + error.error.context;
    return std::move(error.error);
}

Result<json::value> ask(const Admin& admin,
                        std::string_view method,
                        const json::array& parameters = {},
                        Duration timeout = kCallTimeout) {
    auto answer = admin.client.call(method, parameters, timeout);
    if (answer) return *std::move(answer);
    return std::unexpected(explained(admin, std::move(answer).error()));
}

Result<json::value> execute(const Admin& admin, std::string_view method) {
    DRACO_TRY(
        receipt,
        ask(admin, method, {kExecuteMs}, std::chrono::milliseconds(kExecuteMs) + kCallTimeout));
    const auto* object = receipt.if_object();
    const auto* success = object == nullptr ? nullptr : object->if_contains("success");
    if (success == nullptr || !success->is_bool())
        return fail(Errc::Corrupt, admin.client.url() + " answers without a receipt");
    if (success->get_bool()) return receipt;
    DRACO_TRY(revert, text_member(receipt, "revert"));
    return fail(Errc::InvalidArgument,
                "the chain executed it without effect: " + revert + "; see draco opt status");
}

struct Standing {
    std::uint64_t epoch = 0;
    std::string key;
    std::string role;
    std::string participation;
};

Result<Standing> standing_of(const Admin& admin) {
    DRACO_TRY(status, ask(admin, "admin_status"));
    Standing now{.epoch = 0, .key = {}, .role = {}, .participation = "none"};
    DRACO_TRY(epoch, number_member(status, "epoch"));
    DRACO_TRY(key, text_member(status, "node_key"));
    DRACO_TRY(role, text_member(status, "role"));
    now.epoch = epoch;
    now.key = std::move(key);
    now.role = std::move(role);
    if (const auto* node = status.get_object().if_contains("node"); node && node->is_object()) {
        DRACO_TRY(participation, text_member(*node, "participation"));
        now.participation = std::move(participation);
    }
    return now;
}

void show_countdown(StatusLine& line, const Admin& admin, const Standing& now) {
    if (!line.is_seen()) return;
    const auto info = admin.client.ask("flk_get_epoch_info");
    const auto ends = info ? number_member(*info, "ends_after_ms") : Result<std::uint64_t>(0);
    const std::uint64_t clock_ms = io::SystemClock().unix_now().ms;
    const std::uint64_t left_s = ends && *ends > clock_ms ? (*ends - clock_ms + 999) / 1000 : 0;
    line.show("epoch " + std::to_string(now.epoch) + ": " + now.participation +
              "; the next epoch comes in about " + std::to_string(left_s) + " s");
}

Result<Duration> patience_of(const Admin& admin, const OptOptions& options) {
    if (options.patience_s > 0) return std::chrono::seconds(options.patience_s);
    DRACO_TRY(parameters, ask(admin, "flk_get_protocol_params"));
    DRACO_TRY(epoch_ms, number_member(parameters, "epoch_ms"));
    const auto epochs = checked_mul(epoch_ms, kEpochsWaited);
    constexpr std::uint64_t kPatienceMsMax = std::uint64_t{1} << 40;
    return std::chrono::milliseconds(std::min(epochs.value_or(kPatienceMsMax), kPatienceMsMax) +
                                     kGraceMs);
}

Result<Standing> wait_until(const Admin& admin,
                            std::string_view participation,
                            const OptOptions& options) {
    DRACO_TRY(patience, patience_of(admin, options));
    const io::SystemClock clock;
    const Instant deadline = clock.now() + patience;
    StatusLine line;
    for (;;) {
        DRACO_TRY(now, standing_of(admin));
        if (now.participation == participation) return now;
        if (clock.now() >= deadline)
            return fail(Errc::DeadlineExceeded,
                        "epoch " + std::to_string(now.epoch) + " has not ended yet; the node is " +
                            now.participation + " until it does: see draco opt status");
        show_countdown(line, admin, now);
        std::this_thread::sleep_for(kOptLookEvery);
    }
}

// The node's part in ordering follows its chain by a moment.
Result<Standing> settled(const Admin& admin, std::uint64_t epoch) {
    for (int look = 0; look < kSettleLooks; ++look) {
        DRACO_TRY(status, ask(admin, "flk_node_status"));
        const auto* object = status.if_object();
        const auto* consensus = object == nullptr ? nullptr : object->if_contains("consensus");
        if (consensus == nullptr) break;
        DRACO_TRY(ordered, number_member(*consensus, "epoch"));
        if (ordered >= epoch) break;
        std::this_thread::sleep_for(kOptLookEvery);
    }
    return standing_of(admin);
}

// Why a node that has left is asked to sign all the same.
Result<std::string> why_kept(const Admin& admin, std::size_t members) {
    DRACO_TRY(parameters, ask(admin, "flk_get_protocol_params"));
    DRACO_TRY(size_min, number_member(parameters, "committee_size_min"));
    return "the committee still has this node: a committee needs " + std::to_string(size_min) +
           " members that take part (committee_size_min), and while there are fewer the one of " +
           std::to_string(members) +
           " stays as it is. Keep the node running until another node has opted in and the "
           "committee is without it (draco committee)";
}

Result<json::value> standing_json(const Admin& admin, const Standing& now) {
    DRACO_TRY(members, ask(admin, "flk_get_committee_members"));
    const auto* list = members.if_array();
    const bool in_committee =
        list != nullptr && std::ranges::find(*list, json::value(now.key)) != list->end();
    json::object standing{{"epoch", now.epoch},
                          {"participation", now.participation},
                          {"in_committee", in_committee},
                          {"role", now.role}};
    if (in_committee && now.participation == "none") {
        DRACO_TRY(note, why_kept(admin, list->size()));
        standing["note"] = note;
    }
    return standing;
}

Result<> run_opt(const Invocation& invocation,
                 const OptOptions& options,
                 std::string_view method,
                 std::string_view participation) {
    DRACO_TRY(admin, admin_of(invocation));
    DRACO_TRY(answer, execute(admin, method));
    if (options.wait) {
        DRACO_TRY(reached, wait_until(admin, participation, options));
        DRACO_TRY(now, settled(admin, reached.epoch));
        DRACO_TRY(standing, standing_json(admin, now));
        answer = std::move(standing);
    }
    print_value(invocation, answer);
    return {};
}

}  // namespace

Result<> run_opt_in(const Invocation& invocation, const OptOptions& options) {
    return run_opt(invocation, options, "admin_opt_in", "active");
}

Result<> run_opt_out(const Invocation& invocation, const OptOptions& options) {
    return run_opt(invocation, options, "admin_opt_out", "none");
}

}  // namespace draco
