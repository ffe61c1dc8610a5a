#include "content_owner.hpp"

#include "draco/node/config.hpp"
#include "draco/rpc/admin.hpp"

#include "devnet_record.hpp"
#include "node_home.hpp"
#include "shown_text.hpp"
#include "text_file.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

constexpr Duration kTimeout = std::chrono::minutes(2);  // a finished upload waits for the disk
constexpr Duration kProbeTimeout = std::chrono::seconds(2);

struct Owned {
    HttpUrl rpc;
    std::string token;
    std::string front_url;
};

// What an address to listen on is called by who is on the same machine.
std::string reachable(const std::string& address) {
    if (address == "0.0.0.0") return "127.0.0.1";
    if (address == "::") return "::1";
    return address;
}

Result<Owned> owned_node(const std::string& path) {
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY(config, home.config());
    auto token = rpc::read_admin_token(
        home.disk(), config.node.data_directory + "/" + std::string(rpc::kAdminTokenFile));
    if (!token && token.error().code == Errc::NotFound)
        return fail(Errc::NotFound,
                    "the node in " + path + " was never started: draco node run --home " + path);
    if (!token) return fail(token.error().code, path + "/" + token.error().context);
    const HttpUrl front{.host = reachable(config.http.address), .port = config.http.port};
    return Owned{.rpc = {.host = reachable(config.rpc.address), .port = config.rpc.port},
                 .token = *std::move(token),
                 .front_url = front.text()};
}

std::string member_text(const json::value& value, std::string_view name) {
    const auto* object = value.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains(name);
    return found == nullptr || !found->is_string() ? "" : std::string(found->get_string());
}

Errc code_of(unsigned status) {
    switch (status) {
        case 400:
            return Errc::InvalidArgument;
        case 401:
            return Errc::Unauthenticated;
        case 404:
            return Errc::NotFound;
        case 409:
            return Errc::AlreadyExists;
        case 422:
            return Errc::Corrupt;
        case 507:
            return Errc::Exhausted;
        default:
            return Errc::Unavailable;
    }
}

}  // namespace

Result<ContentOwner> ContentOwner::of(const Invocation& invocation) {
    DRACO_TRY(home, home_path(invocation));
    for (const std::string& each : {home, home + "/devnet"}) {
        if (path_exists(each + "/" + std::string(node::kConfigFile)))
            return of_node(invocation, each);
        if (path_exists(each + "/" + std::string(kDevnetRecordFile)))
            return of_devnet(invocation, each);
    }
    return fail(Errc::NotFound,
                home +
                    " is no home of a node or a devnet: give --home DIR of a node that you "
                    "run, or start a network with draco devnet up");
}

Result<ContentOwner> ContentOwner::of_node(const Invocation& invocation, const std::string& home) {
    DRACO_TRY(owned, owned_node(home));
    if (!invocation.node.empty()) {
        DRACO_TRY(url, HttpUrl::parse(invocation.node));
        owned.rpc = std::move(url);
    }
    return ContentOwner(home, std::move(owned.rpc), std::move(owned.token), {owned.front_url});
}

Result<ContentOwner> ContentOwner::of_devnet(const Invocation& invocation,
                                             const std::string& home) {
    DRACO_TRY(record, load_devnet_record(home));
    std::vector<std::string> fronts;
    fronts.reserve(record.nodes.size());
    for (const DevnetNodeRecord& node : record.nodes) fronts.push_back(node.http_url());
    if (!invocation.node.empty()) {
        DRACO_TRY(url, HttpUrl::parse(invocation.node));
        for (const DevnetNodeRecord& node : record.nodes) {
            if (node.rpc_port != url.port) continue;
            const std::string own_home = node_home(home, node.index);
            DRACO_TRY(owned, owned_node(own_home));
            return ContentOwner(
                own_home, std::move(url), std::move(owned.token), std::move(fronts));
        }
        return fail(Errc::NotFound,
                    "the devnet in " + home + " has no node at " + url.text() +
                        "; draco devnet status shows its nodes");
    }
    for (const DevnetNodeRecord& node : record.nodes) {
        auto owned = owned_node(node_home(home, node.index));
        if (!owned || !http_request(owned->rpc, {.target = "/version"}, kProbeTimeout)) continue;
        return ContentOwner(node_home(home, node.index),
                            std::move(owned->rpc),
                            std::move(owned->token),
                            std::move(fronts));
    }
    return fail(Errc::Unavailable,
                "no node of the devnet in " + home + " answers: draco devnet up --home " + home);
}

Result<ContentOwner::Reply> ContentOwner::ask(std::string_view method,
                                              std::string_view target,
                                              Bytes body) const {
    DRACO_TRY(answer,
              http_request(url_,
                           {.method = std::string(method),
                            .target = "/content/v0/" + std::string(target),
                            .body = std::move(body),
                            .bearer = token_},
                           kTimeout));
    Reply reply{.status = answer.status, .body = {}};
    boost::system::error_code failed;
    if (!answer.body.empty()) reply.body = json::parse(answer.body, failed);
    if (answer.status >= 200 && answer.status < 300 && !failed) return reply;
    const std::string error = member_text(reply.body, "error");
    if (error.empty())
        return fail(Errc::Corrupt,
                    url_.text() + " answers with status " + std::to_string(answer.status) +
                        "; is it a Draco node of this version?");
    return fail(code_of(answer.status),
                shown(error) + "; " + shown(member_text(reply.body, "hint")));
}

std::string content_url(const std::string& front_url, std::string_view hash, bool is_directory) {
    return front_url + "/b3/" + std::string(hash) + (is_directory ? "/" : "");
}

}  // namespace draco
