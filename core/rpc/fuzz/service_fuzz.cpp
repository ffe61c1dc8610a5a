// Arbitrary bytes as a body: one answer, and it is a valid JSON-RPC response.

#include "draco/base/assert.hpp"

#include "../test/service_fixture.hpp"

namespace {

namespace json = boost::json;

void check_response(const json::value& response) {
    const json::object& object = response.as_object();
    DRACO_ASSERT(object.size() == 3 && object.at("jsonrpc") == "2.0", "the version");
    const json::value& id = object.at("id");
    DRACO_ASSERT(id.is_null() || id.is_number() || id.is_string(), "an id");
    DRACO_ASSERT(object.contains("result") != object.contains("error"), "one of the two");
    if (const auto* const error = object.if_contains("error"))
        DRACO_ASSERT(error->at("code").is_int64() && error->at("message").is_string(), "an error");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    static rpc::testing::Node node({.wait_ms_max = 10, .submit_ms_max = 10});
    const std::string body(as_text(ByteView(data, size)));
    // Half of them with the right to administer.
    const bool by_admin = size % 2 == 1;
    const auto answer = node.begin(body, by_admin ? node.parts->authorization() : std::string());
    DRACO_ASSERT(node.world.run_for(std::chrono::milliseconds(20)).has_value(), "time passes");
    node.parts->forwarder.submissions.clear();
    node.parts->signer.executions.clear();
    DRACO_ASSERT(answer->has_value(), "every body is answered");
    if ((*answer)->empty()) return 0;  // notifications
    const json::value response = json::parse(**answer);
    if (const auto* const batch = response.if_array()) {
        DRACO_ASSERT(!batch->empty(), "no batch is empty");
        for (const json::value& each : *batch) check_response(each);
    } else {
        check_response(response);
    }
    return 0;
}
