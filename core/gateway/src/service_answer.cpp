#include "service_answer.hpp"

#include "draco/http/message.hpp"

#include "answers.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace draco::gateway {
namespace {

// Those that the front or the engine gives, and those of a connection (RFC 9110 7.6.1): from a
// service they could make one answer look like two.
constexpr std::array<std::string_view, 8> kFieldsOfTheFront = {"Connection",
                                                               "Content-Length",
                                                               "Date",
                                                               "Keep-Alive",
                                                               "Trailer",
                                                               "Transfer-Encoding",
                                                               "Upgrade",
                                                               "X-Content-Type-Options"};
constexpr std::string_view kCors = "Access-Control-";

bool is_of_the_front(std::string_view name) {
    return http::equals_ignoring_case(name.substr(0, kCors.size()), kCors) ||
           std::ranges::any_of(kFieldsOfTheFront, [&](std::string_view known) {
               return known.size() == name.size() && http::equals_ignoring_case(known, name);
           });
}

std::optional<http::FieldBlock> to_block(const std::vector<sdk::Field>& fields) {
    if (fields.size() > sdk::kAnswerFieldsMax) return std::nullopt;
    std::size_t bytes = 0;
    http::FieldBlock block;
    for (const sdk::Field& field : fields) {
        bytes += field.name.size() + field.value.size();
        if (bytes > sdk::kAnswerFieldsBytesMax || is_of_the_front(field.name)) return std::nullopt;
        block.add(field.name, field.value);
    }
    if (!block.is_well_formed()) return std::nullopt;
    return block;
}

bool is_sound(const sdk::BodyShape& shape) {
    if (shape.bytes == 0) return shape.pieces == 0;
    return shape.pieces >= 1 && shape.pieces <= shape.bytes && shape.piece_bytes_max >= 1 &&
           shape.piece_bytes_max <= sdk::kPieceBytesMax;
}

class ServiceBody final : public http::PullBody {
public:
    ServiceBody(std::unique_ptr<sdk::Body> body, const sdk::BodyShape& shape, Charge charge)
        : body_(std::move(body)), shape_(shape), charge_(std::move(charge)) {}

    std::uint64_t bytes() const override { return shape_.bytes; }

    std::uint64_t pieces() const override { return shape_.pieces; }

    std::uint64_t piece_bytes_max() const override { return shape_.piece_bytes_max; }

    void let_go() override { body_->let_go(); }

    void pull(http::PieceReply reply) override {
        body_->pull([reply = std::move(reply), charge = charge_](Result<sdk::Piece> piece) mutable {
            if (!piece) return reply.deliver(std::unexpected(std::move(piece).error()));
            charge.bytes(piece->bytes.size());
            reply.deliver(
                http::SharedBytes{.owner = std::move(piece->owner), .bytes = piece->bytes});
        });
    }

private:
    const std::unique_ptr<sdk::Body> body_;
    const sdk::BodyShape shape_;
    const Charge charge_;
};

std::optional<http::Body> to_body(std::variant<sdk::Piece, std::unique_ptr<sdk::Body>> body,
                                  bool is_head,
                                  const Charge& charge) {
    if (auto* const whole = std::get_if<sdk::Piece>(&body)) {
        if (!is_head && !whole->bytes.empty()) charge.bytes(whole->bytes.size());
        return http::SharedBytes{.owner = std::move(whole->owner), .bytes = whole->bytes};
    }
    auto& pulled = std::get<std::unique_ptr<sdk::Body>>(body);
    if (pulled == nullptr) return std::nullopt;
    const sdk::BodyShape shape = pulled->shape();
    if (!is_sound(shape)) return std::nullopt;
    if (shape.bytes == 0) return http::SharedBytes{};
    return std::make_unique<ServiceBody>(std::move(pulled), shape, charge);
}

}  // namespace

std::optional<http::Answer> to_http(sdk::Answer answer, bool is_head, const Charge& charge) {
    if (answer.status < 200 || answer.status > 599) return std::nullopt;
    auto fields = to_block(answer.fields);
    if (!fields) return std::nullopt;
    auto body = to_body(std::move(answer.body), is_head, charge);
    if (!body) return std::nullopt;
    return http::Answer{.status = answer.status,
                        .shared_fields = front_fields(),
                        .fields = *std::move(fields),
                        .body = *std::move(body)};
}

}  // namespace draco::gateway
