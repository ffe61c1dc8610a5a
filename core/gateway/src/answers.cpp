#include "answers.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace draco::gateway {
namespace {

using http::FieldBlock;

constexpr std::string_view kExposed =
    "Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After";

std::shared_ptr<const FieldBlock> block_of(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    auto block = std::make_shared<FieldBlock>();
    for (const auto& [name, value] : fields) block->add(name, value);
    block->add("X-Content-Type-Options", "nosniff");
    block->add("Access-Control-Allow-Origin", "*");
    block->add("Access-Control-Expose-Headers", kExposed);
    return block;
}

}  // namespace

std::shared_ptr<const FieldBlock> front_fields() {
    static const auto kFields = block_of({});
    return kFields;
}

std::shared_ptr<const FieldBlock> preflight_fields(std::string_view methods) {
    return block_of({{"Allow", methods},
                     {"Access-Control-Allow-Methods", methods},
                     {"Access-Control-Allow-Headers",
                      "Cache-Control, If-Match, If-Modified-Since, If-None-Match, If-Range, Range"},
                     {"Access-Control-Max-Age", "86400"}});
}

http::Answer refusal(unsigned status, std::string text) {
    static const auto kFields =
        block_of({{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}});
    return {.status = status,
            .shared_fields = kFields,
            .fields = {},
            .body = http::share(std::move(text) + "\n")};
}

http::Answer wrong_method(std::string_view service, std::string_view methods) {
    http::Answer answer = refusal(405,
                                  "the service '" + std::string(service) +
                                      "' does not do that: use " + std::string(methods) + ".");
    answer.fields.add("Allow", methods);
    return answer;
}

http::Answer too_many(Duration wait) {
    const auto seconds =
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1);
    http::Answer answer =
        refusal(429,
                "your address has asked this node for more than it gives for nothing. Ask again "
                "in " +
                    std::to_string(seconds) + " s.");
    answer.fields.add("Retry-After", std::to_string(seconds));
    return answer;
}

}  // namespace draco::gateway
