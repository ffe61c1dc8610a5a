#include "epoch_lines.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>

namespace draco {
namespace {

namespace json = boost::json;

constexpr auto kTimeout = std::chrono::seconds(2);

struct Glance {
    RpcClient client;
    json::value status;
};

std::optional<Glance> first_answer(const DevnetRecord& record) {
    for (const DevnetNodeRecord& node : record.nodes) {
        if (node.process.pid == 0) continue;
        RpcClient client(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
        auto status = client.ask("flk_node_status", {}, kTimeout);
        if (status) return Glance{.client = std::move(client), .status = *std::move(status)};
    }
    return std::nullopt;
}

// "0 1 2 3", the members by their place in the devnet.
std::string committee_text(const RpcClient& client, const DevnetRecord& record) {
    const auto members = client.ask("flk_get_committee_members", {}, kTimeout);
    if (!members || !members->is_array()) return "?";
    std::string text;
    for (const DevnetNodeRecord& node : record.nodes) {
        if (std::ranges::find(members->get_array(), json::value(node.key)) !=
            members->get_array().end())
            text += (text.empty() ? "" : " ") + std::to_string(node.index);
    }
    return text;
}

}  // namespace

void EpochLines::count_transactions(const RpcClient& client, std::uint64_t height) {
    std::uint64_t from = counted_height_.value_or(height);
    if (height > from + kBlocksPerLook) {
        from = height - kBlocksPerLook;
        counted_all_ = false;
    }
    for (std::uint64_t h = from + 1; h <= height; ++h) {
        const auto block = client.ask("flk_get_block", {h}, kTimeout);
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
    std::printf("epoch %llu  height %llu  transactions %s%llu  state %s  committee %s\n",
                static_cast<unsigned long long>(*epoch),
                static_cast<unsigned long long>(*height),
                counted_all_ ? "" : ">=",
                static_cast<unsigned long long>(transactions_),
                root->substr(0, 10).c_str(),
                committee_text(glance->client, record).c_str());
    std::fflush(stdout);
    epoch_ = *epoch;
    transactions_ = 0;
    counted_all_ = true;
}

}  // namespace draco
