#include "epoch_lines.hpp"

#include "draco/types/money.hpp"

#include "progress.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace draco {
namespace {

namespace json = boost::json;

constexpr auto kLineTimeout = std::chrono::seconds(2);

struct Glance {
    RpcClient client;
    json::value status;
};

std::optional<Glance> first_answer(const DevnetRecord& record) {
    for (const DevnetNodeRecord& node : record.nodes) {
        if (node.process.pid == 0) continue;
        RpcClient client(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
        auto status = client.ask("flk_node_status", {}, kLineTimeout);
        if (status) return Glance{.client = std::move(client), .status = *std::move(status)};
    }
    return std::nullopt;
}

// "0 1 2 3", the members by their place in the devnet.
std::string committee_text(const RpcClient& client, const DevnetRecord& record) {
    const auto members = client.ask("flk_get_committee_members", {}, kLineTimeout);
    if (!members || !members->is_array()) return "?";
    std::string text;
    for (const DevnetNodeRecord& node : record.nodes) {
        if (std::ranges::find(members->get_array(), json::value(node.key)) !=
            members->get_array().end())
            text += (text.empty() ? "" : " ") + std::to_string(node.index);
    }
    return text;
}

struct Delivered {
    std::uint64_t bytes = 0;
    std::string earned;  // "node 1 0.000209, node 2 0.000261"
};

// What the owner of a node got at the end of an epoch: for what it sold, less what went to its
// peers, and from those who sold what it had given them.
types::UsdAmount paid_out(const json::value& revenue) {
    const auto* object = revenue.if_object();
    const auto* payout = object == nullptr ? nullptr : object->if_contains("payout");
    types::UsdAmount sum;
    for (const std::string_view name : {"own", "from_peers"}) {
        const auto text = payout == nullptr ? Result<std::string>("0") : text_member(*payout, name);
        const auto amount = types::parse_usd(text.value_or("0"));
        sum = sum.plus(amount.value_or(types::UsdAmount())).value_or(sum);
    }
    return sum;
}

Delivered delivered_in(const RpcClient& client, const DevnetRecord& record, std::uint64_t epoch) {
    Delivered delivered;
    for (const DevnetNodeRecord& node : record.nodes) {
        const auto revenue = client.ask("flk_node_revenue", {node.key, epoch}, kLineTimeout);
        if (!revenue) continue;
        delivered.bytes += number_member(*revenue, "bytes").value_or(0);
        const types::UsdAmount paid = paid_out(*revenue);
        if (paid.is_zero()) continue;
        delivered.earned += delivered.earned.empty() ? "" : ", ";
        delivered.earned += "node " + std::to_string(node.index) + " " + types::to_text(paid);
    }
    return delivered;
}

void tell_deliveries(const RpcClient& client, const DevnetRecord& record, std::uint64_t epoch) {
    const Delivered delivered = delivered_in(client, record, epoch);
    if (delivered.bytes == 0) return;
    std::printf("  epoch %llu settled %s",
                static_cast<unsigned long long>(epoch),
                human_bytes(static_cast<double>(delivered.bytes)).c_str());
    const auto revenue = client.ask("flk_epoch_revenue", {epoch}, kLineTimeout);
    const auto part = [&](std::string_view name) {
        return revenue ? text_member(*revenue, name).value_or("?") : std::string("?");
    };
    std::printf(" for %s USD: nodes %s%s, builders %s, protocol %s\n",
                part("revenue").c_str(),
                part("nodes").c_str(),
                delivered.earned.empty() ? "" : (" (" + delivered.earned + ")").c_str(),
                part("builders").c_str(),
                part("protocol").c_str());
}

}  // namespace

void EpochLines::count_transactions(const RpcClient& client, std::uint64_t height) {
    std::uint64_t from = counted_height_.value_or(height);
    if (height > from + kBlocksPerLook) {
        from = height - kBlocksPerLook;
        counted_all_ = false;
    }
    for (std::uint64_t h = from + 1; h <= height; ++h) {
        const auto block = client.ask("flk_get_block", {h}, kLineTimeout);
        const auto count = block ? number_member(*block, "transactions") : Result<std::uint64_t>(0);
        transactions_ += count.value_or(0);
        counted_all_ = counted_all_ && block && count;
    }
    counted_height_ = height;
}

void EpochLines::look(const DevnetRecord& record) {
    const auto glance = first_answer(record);
    if (!glance) return;
    const auto epoch = number_member(glance->status, "epoch");
    const auto height = number_member(glance->status, "height");
    const auto root = text_member(glance->status, "state_root");
    if (!epoch || !height || !root) return;
    count_transactions(glance->client, *height);
    if (epoch_ == *epoch) return;
    const auto began_ms = number_member(glance->status, "epoch_started_ms").value_or(0);
    std::string rate;
    if (began_ms_ && began_ms > *began_ms_) {
        char text[32];
        std::snprintf(text,
                      sizeof text,
                      " (%.1f/s)",
                      1000.0 * static_cast<double>(transactions_) /
                          static_cast<double>(began_ms - *began_ms_));
        rate = text;
    }
    began_ms_ = began_ms;
    std::printf("epoch %llu  height %llu  transactions %s%llu%s  state %s  committee %s\n",
                static_cast<unsigned long long>(*epoch),
                static_cast<unsigned long long>(*height),
                counted_all_ ? "" : ">=",
                static_cast<unsigned long long>(transactions_),
                rate.c_str(),
                root->substr(0, 10).c_str(),
                committee_text(glance->client, record).c_str());
    if (*epoch > 0) tell_deliveries(glance->client, record, *epoch - 1);
    std::fflush(stdout);
    epoch_ = *epoch;
    transactions_ = 0;
    counted_all_ = true;
}

}  // namespace draco
