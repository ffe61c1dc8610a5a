#pragma once
// Paid delivery from the payer's side: prices, lane open|topup|close|show.

#include "account_sender.hpp"
#include "invocation.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace draco {

struct LaneOptions {
    SenderOptions sender;
    std::string node;  // show: empty is all of the payer's lanes
    std::uint16_t lane = 0;
    std::uint32_t service = 0;
    std::string session_key;  // open: empty is the one that draco get --pay uses
    std::string amount;       // USD
    std::string payer;        // show: empty is the sender's
};

// Base58 or hex. InvalidArgument if it is neither, or no sound key.
Result<types::SessionKey> parse_session_key(std::string_view text);

Result<> run_prices(const Invocation& invocation);
Result<> run_lane_open(const Invocation& invocation, const LaneOptions& options);
Result<> run_lane_topup(const Invocation& invocation, const LaneOptions& options);
Result<> run_lane_close(const Invocation& invocation, const LaneOptions& options);
Result<> run_lane_show(const Invocation& invocation, const LaneOptions& options);

}  // namespace draco
