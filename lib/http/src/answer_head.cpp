#include "answer_head.hpp"

#include "draco/http/message.hpp"

#include <array>
#include <charconv>

namespace draco::http {
namespace {

void append_number(std::string& to, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    to.append(digits.data(), written.ptr);
}

}  // namespace

bool is_well_formed(const Answer& answer) {
    return answer.status >= 200 && answer.status <= 599 && answer.fields.is_well_formed() &&
           (!answer.shared_fields || answer.shared_fields->is_well_formed());
}

bool has_content(unsigned status) {
    return status != 204 && status != 304;
}

std::string date_line(UnixTime time) {
    return "Date: " + http_date(time) + "\r\n";
}

void append_head(std::string& to,
                 const Answer& answer,
                 std::string_view date_line,
                 std::uint64_t content_length,
                 Persistence persistence) {
    to.append(kHeadBegin);
    append_number(to, answer.status);
    to.append(" ").append(reason_phrase(answer.status)).append("\r\n").append(date_line);
    if (answer.shared_fields) to.append(answer.shared_fields->text());
    to.append(answer.fields.text());
    if (has_content(answer.status)) {
        to.append("Content-Length: ");
        append_number(to, content_length);
        to.append("\r\n");
    }
    if (persistence == Persistence::Ended) to.append("Connection: close\r\n");
    if (persistence == Persistence::Told) to.append("Connection: keep-alive\r\n");
    to.append("\r\n");
}

}  // namespace draco::http
