#include "exchange.hpp"

#include "draco/base/assert.hpp"

#include <utility>

namespace draco::rpc {

Exchange::Exchange(const Calls& calls, std::size_t response_bytes_max, Done done)
    : batch_(calls.batch),
      response_bytes_max_(response_bytes_max),
      texts_(calls.calls.size()),
      open_(calls.calls.size()),
      done_(std::move(done)) {
    ids_.reserve(calls.calls.size());
    for (const Call& call : calls.calls) ids_.push_back(call.id);
}

void Exchange::answer(std::size_t place, const Outcome<boost::json::value>& outcome) {
    if (const auto& id = ids_[place]) {
        std::string text = outcome ? result_text(*id, *outcome) : error_text(*id, outcome.error());
        // Errors are short, so the bound holds but for them.
        if (outcome && bytes_.fetch_add(text.size()) + text.size() > response_bytes_max_)
            text = error_text(*id,
                              {Code::TooLarge,
                               "the response would be longer than " +
                                   std::to_string(response_bytes_max_) + " bytes; ask for less"});
        texts_[place] = std::move(text);
    }
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) finish();
}

void Exchange::finish() {
    std::string response;
    for (std::string& text : texts_) {
        if (text.empty()) continue;
        if (!batch_) {
            response = std::move(text);
            break;
        }
        response += response.empty() ? '[' : ',';
        response += text;
        text = {};
    }
    if (batch_ && !response.empty()) response += ']';
    std::exchange(done_, nullptr)(std::move(response));
}

Answer::~Answer() {
    if (exchange_) give(std::unexpected(stopping()));
}

void Answer::give(const Outcome<boost::json::value>& outcome) {
    DRACO_ASSERT(exchange_ != nullptr, "a call is answered once");
    std::exchange(exchange_, nullptr)->answer(place_, outcome);
}

RpcError stopping() {
    return {Code::Unavailable,
            "the node stops serving requests; ask another one, or this one later",
            {{"retry_after_ms", kRetryAfterMs}}};
}

}  // namespace draco::rpc
