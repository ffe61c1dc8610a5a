#include "draco/http/answer.hpp"

#include "draco/http/message.hpp"

#include <type_traits>
#include <utility>

namespace draco::http {

FieldBlock& FieldBlock::add(std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_field_value(value)) is_well_formed_ = false;
    text_.append(name).append(": ").append(value).append("\r\n");
    return *this;
}

SharedBytes share(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const ByteView bytes = as_bytes(*owner);
    return {.owner = std::move(owner), .bytes = bytes};
}

SharedBytes share(std::shared_ptr<const Bytes> bytes) {
    const ByteView view = *bytes;
    return {.owner = std::move(bytes), .bytes = view};
}

std::uint64_t body_bytes(const Body& body) {
    if (const auto* shared = std::get_if<SharedBytes>(&body)) return shared->bytes.size();
    if (const auto* region = std::get_if<FileRegion>(&body)) return region->bytes;
    return std::get<std::unique_ptr<PullBody>>(body)->bytes();
}

Answer text_answer(unsigned status, std::string text) {
    static const auto kFields = [] {
        auto fields = std::make_shared<FieldBlock>();
        fields->add("Content-Type", "text/plain; charset=utf-8");
        fields->add("X-Content-Type-Options", "nosniff");
        fields->add("Cache-Control", "no-store");
        return std::shared_ptr<const FieldBlock>(std::move(fields));
    }();
    return {
        .status = status, .shared_fields = kFields, .fields = {}, .body = share(std::move(text))};
}

}  // namespace draco::http
