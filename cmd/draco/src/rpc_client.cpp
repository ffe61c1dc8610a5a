#include "rpc_client.hpp"

#include "draco/io/posix_disk.hpp"
#include "draco/node/config.hpp"

#include "child_process.hpp"
#include "devnet_record.hpp"
#include "shown_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>

namespace draco {
namespace {

namespace json = boost::json;

constexpr int kRefused = -32002;
constexpr int kNotFound = -32000;
constexpr int kDeadline = -32003;

Errc error_code_of(int code) {
    switch (code) {
        case kRefused:
            return Errc::InvalidArgument;
        case kNotFound:
            return Errc::NotFound;
        case kDeadline:
            return Errc::DeadlineExceeded;
        default:
            return Errc::Unavailable;
    }
}

std::string text_or_empty(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return std::string(value->get_string());
}

CallError answered_error(const json::object& error) {
    CallError out{.error = {Errc::Unavailable, shown(text_or_empty(error, "message"))},
                  .code = 0,
                  .reason = {},
                  .where = {}};
    if (const auto* code = error.if_contains("code"); code != nullptr && code->is_int64())
        out.code = static_cast<int>(code->get_int64());
    out.error.code = error_code_of(out.code);
    if (const auto* data = error.if_contains("data"); data != nullptr && data->is_object()) {
        out.reason = text_or_empty(data->get_object(), "reason");
        out.where = text_or_empty(data->get_object(), "where");
    }
    return out;
}

std::unexpected<CallError> unanswered(Error error) {
    return std::unexpected(
        CallError{.error = std::move(error), .code = 0, .reason = {}, .where = {}});
}

json::object request_of(std::size_t id, const RpcCall& call) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", call.method}, {"params", call.parameters}};
}

Error no_rpc(const std::string& url, unsigned status) {
    return {Errc::Corrupt,
            url + " answers with status " + std::to_string(status) +
                " and no JSON-RPC; is it a Draco node?"};
}

RpcOutcome outcome_of(const std::string& url, unsigned status, const json::value& response) {
    const auto* object = response.if_object();
    if (object == nullptr) return unanswered(no_rpc(url, status));
    if (const auto* error = object->if_contains("error"); error != nullptr && error->is_object())
        return std::unexpected(answered_error(error->get_object()));
    const auto* result = object->if_contains("result");
    if (result == nullptr) return unanswered({Errc::Corrupt, url + " answers without a result"});
    return *result;
}

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Result<HttpUrl> url_of_node_home(const std::string& home) {
    DRACO_TRY(disk, io::PosixDisk::open_root(home));
    DRACO_TRY(config, node::load_config(*disk, home + "/" + std::string(node::kConfigFile)));
    std::string host = config.rpc.address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    return HttpUrl{.host = std::move(host), .port = config.rpc.port};
}

Result<std::vector<HttpUrl>> urls_of_devnet(const std::string& home) {
    DRACO_TRY(record, load_devnet_record(home));
    std::vector<HttpUrl> urls;
    for (const DevnetNodeRecord& node : record.nodes)
        if (is_running(node.process)) urls.push_back({.host = "127.0.0.1", .port = node.rpc_port});
    if (urls.empty())
        return fail(Errc::Unavailable,
                    "no node of the devnet in " + home +
                        " runs: start them with draco devnet up --home " + home +
                        ", or ask another node with --node URL");
    return urls;
}

struct WhomToAsk {
    std::vector<HttpUrl> urls;
    std::string advice;
};

Result<WhomToAsk> whom_to_ask(const Invocation& invocation) {
    if (!invocation.node.empty()) {
        DRACO_TRY(url, HttpUrl::parse(invocation.node));
        return WhomToAsk{.urls = {std::move(url)}, .advice = {}};
    }
    DRACO_TRY(home, home_path(invocation));
    for (const std::string& each : {home, home + "/devnet"}) {
        if (exists(each + "/" + std::string(node::kConfigFile))) {
            DRACO_TRY(url, url_of_node_home(each));
            return WhomToAsk{.urls = {std::move(url)},
                             .advice = "; start the node with draco node run --home " + each +
                                       ", or ask another one with --node URL"};
        }
        if (exists(each + "/" + std::string(kDevnetRecordFile))) {
            DRACO_TRY(urls, urls_of_devnet(each));
            return WhomToAsk{.urls = std::move(urls),
                             .advice = "; no node of the devnet in " + each +
                                       " does: see draco devnet status, or ask another one with "
                                       "--node URL"};
        }
    }
    return fail(Errc::NotFound,
                "no node to ask: " + home +
                    " is no node's home; give --node URL or --home DIR, or run draco devnet up");
}

}  // namespace

Result<RpcClient> RpcClient::of(const Invocation& invocation) {
    DRACO_TRY(whom, whom_to_ask(invocation));
    return RpcClient(std::move(whom.urls), std::move(whom.advice));
}

Result<HttpUrl> RpcClient::url_of(const Invocation& invocation) {
    DRACO_TRY(whom, whom_to_ask(invocation));
    return std::move(whom.urls.front());
}

Result<HttpAnswer> RpcClient::exchange(std::string_view path,
                                       std::string_view body,
                                       Duration timeout) const {
    Result<HttpAnswer> answer = fail(Errc::Unavailable, "no node was asked");
    for (std::size_t tried = 0; tried < urls_.size(); ++tried) {
        const std::size_t at = (first_ + tried) % urls_.size();
        answer = http_exchange(urls_[at], path, body, timeout, bearer_);
        if (answer) {
            first_ = at;
            return answer;
        }
    }
    answer.error().context += advice_;
    return answer;
}

RpcOutcome RpcClient::call(std::string_view method,
                           const json::array& parameters,
                           Duration timeout) const {
    auto answer = exchange(kRpcPath, json::serialize(request_of(1, {method, parameters})), timeout);
    if (!answer) return unanswered(std::move(answer).error());
    json::error_code code;
    const json::value document = json::parse(answer->body, code);
    if (code) return unanswered(no_rpc(url(), answer->status));
    return outcome_of(url(), answer->status, document);
}

std::string batch_body(const std::vector<RpcCall>& calls) {
    json::array requests;
    for (const RpcCall& call : calls) requests.push_back(request_of(requests.size(), call));
    return json::serialize(requests);
}

Result<std::vector<RpcOutcome>> batch_outcomes(const HttpUrl& url,
                                               const HttpAnswer& answer,
                                               std::size_t count) {
    json::error_code code;
    const json::value document = json::parse(answer.body, code);
    const auto* responses = code ? nullptr : document.if_array();
    if (responses == nullptr || responses->size() != count)
        return std::unexpected(no_rpc(url.text(), answer.status));
    std::vector<RpcOutcome> outcomes;
    for (const json::value& response : *responses)
        outcomes.push_back(outcome_of(url.text(), answer.status, response));
    return outcomes;
}

Result<std::vector<RpcOutcome>> RpcClient::call_all(const std::vector<RpcCall>& calls,
                                                    Duration timeout) const {
    DRACO_TRY(answer, exchange(kRpcPath, batch_body(calls), timeout));
    return batch_outcomes(urls_[first_], answer, calls.size());
}

Result<json::value> RpcClient::ask(std::string_view method,
                                   const json::array& parameters,
                                   Duration timeout) const {
    auto answer = call(method, parameters, timeout);
    if (answer) return *std::move(answer);
    return std::unexpected(std::move(answer).error().error);
}

Result<RpcClient::Health> RpcClient::health(Duration timeout) const {
    DRACO_TRY(answer, exchange("/health", {}, timeout));
    if (answer.status == 200) return Health{.ok = true, .text = std::move(answer.body)};
    json::error_code code;
    const json::value document = json::parse(answer.body, code);
    const auto reason = code ? Result<std::string>(std::string()) : text_member(document, "reason");
    if (reason && !reason->empty()) return Health{.ok = false, .text = *reason};
    return Health{.ok = false, .text = std::move(answer.body)};
}

Result<std::string> text_member(const json::value& object, std::string_view name) {
    const auto* members = object.if_object();
    const auto* member = members == nullptr ? nullptr : members->if_contains(name);
    if (member == nullptr || !member->is_string())
        return fail(Errc::Corrupt, "the node's answer has no text '" + std::string(name) + "'");
    return std::string(member->get_string());
}

Result<std::uint64_t> number_member(const json::value& object, std::string_view name) {
    const auto* members = object.if_object();
    const auto* member = members == nullptr ? nullptr : members->if_contains(name);
    if (member != nullptr && member->is_uint64()) return member->get_uint64();
    if (member != nullptr && member->is_int64() && member->get_int64() >= 0)
        return static_cast<std::uint64_t>(member->get_int64());
    return fail(Errc::Corrupt, "the node's answer has no number '" + std::string(name) + "'");
}

}  // namespace draco
