#include "chain_tail.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace draco::consensus {
namespace {

// Of the rounds that a core remembers; each has one anchor at most.
constexpr std::size_t kTailBlocksMax = 4096;

// How far below the head the end of an epoch is looked for: blocks that a member may be ahead of
// those who still need it.
constexpr std::uint64_t kEndDistanceMax = 256;

Result<std::optional<interfaces::ArchivedBlock>> read_archived(const interfaces::Ledger& ledger,
                                                               types::Height height) {
    auto bytes = ledger.read(height);
    if (!bytes && bytes.error().code == Errc::Corrupt) return std::nullopt;
    if (!bytes) return std::unexpected(std::move(bytes).error());
    if (!*bytes) return std::nullopt;
    auto archived = bcs::decode<interfaces::ArchivedBlock>(**bytes);
    if (!archived) return std::nullopt;
    return *std::move(archived);
}

}  // namespace

Result<std::optional<ChainTail>> read_tail(const interfaces::Ledger& ledger,
                                           types::Epoch epoch,
                                           const Tip& head,
                                           const Parameters& parameters) {
    ChainTail tail{head, {}};
    std::optional<Round> last_anchor;
    for (types::Height height = head.height; height.value() > 0;
         height = types::Height(height.value() - 1)) {
        DRACO_TRY(archived, read_archived(ledger, height));
        if (!archived) return std::nullopt;
        std::optional<types::Block> block = std::move(archived->block);
        if (block->epoch != epoch) break;
        if (!last_anchor) last_anchor = block->anchor_round;
        tail.start = {types::Height(height.value() - 1), block->parent, {}};
        const Round anchor = block->anchor_round;
        tail.blocks.push_back(*std::move(block));
        if (anchor.value() + parameters.ordered_memory_rounds() < last_anchor->value() ||
            tail.blocks.size() >= kTailBlocksMax)
            break;
    }
    std::ranges::reverse(tail.blocks);
    return tail;
}

Result<std::optional<Tip>> uncertified_end(const interfaces::Ledger& ledger,
                                           types::Epoch ended,
                                           types::Height head,
                                           types::ChainId chain) {
    for (std::uint64_t distance = 0; distance < kEndDistanceMax && distance < head.value();
         ++distance) {
        const types::Height height(head.value() - distance);
        DRACO_TRY(archived, read_archived(ledger, height));
        if (!archived || archived->block.epoch < ended) return std::nullopt;
        if (archived->block.epoch != ended) continue;
        if (archived->certificate && archived->certificate->statement.height == height)
            return std::nullopt;
        return Tip{height, types::digest_of(chain, archived->block), archived->block.timestamp};
    }
    return std::nullopt;
}

std::vector<Record> records_of(const ChainTail& tail) {
    return {tail.blocks.begin(), tail.blocks.end()};
}

Result<JoinedLog> join_tail(std::vector<Record> records,
                            const ChainTail& tail,
                            types::ChainId chain) {
    std::map<types::Height, types::Block> blocks;
    for (const types::Block& block : tail.blocks) blocks.emplace(block.height, block);
    std::vector<types::Block> logged;
    std::vector<Record> joined;
    std::map<types::Height, types::Block> missing = blocks;
    for (Record& record : records) {
        if (auto* block = std::get_if<types::Block>(&record))
            logged.push_back(std::move(*block));
        else
            joined.push_back(std::move(record));
    }
    for (types::Block& block : logged) {
        missing.erase(block.height);
        const auto known = blocks.find(block.height);
        if (known == blocks.end()) {
            blocks.emplace(block.height, std::move(block));
        } else if (types::digest_of(chain, known->second) != types::digest_of(chain, block)) {
            return fail(Errc::Corrupt,
                        "the ledger has another block of height " +
                            std::to_string(block.height.value()) + " than the consensus log");
        }
    }
    // The sequence that the head ends, and what follows it.
    const types::Height head(tail.start.height.value() + tail.blocks.size());
    const auto above = blocks.upper_bound(head);
    if (above != blocks.end() && above->first.value() > head.value() + 1)
        return fail(Errc::Corrupt,
                    "the ledger ends at height " + std::to_string(head.value()) +
                        ", the consensus log goes on at " + std::to_string(above->first.value()) +
                        ": the ledger lost blocks");
    auto first = above;
    while (first != blocks.begin()) {
        const auto before = std::prev(first);
        const std::uint64_t next =
            first == blocks.end() || first->first > head ? head.value() + 1 : first->first.value();
        if (before->first.value() + 1 != next) break;
        first = before;
    }
    JoinedLog result{tail.start, std::move(joined), {}};
    for (auto& [height, block] : missing) result.missing.push_back(std::move(block));
    if (first == blocks.end()) return result;
    if (first->first <= tail.start.height)
        result.start = {types::Height(first->first.value() - 1), first->second.parent, {}};
    std::uint64_t expected = first->first.value();
    for (auto at = first; at != blocks.end() && at->first.value() == expected; ++at, ++expected)
        result.records.emplace_back(std::move(at->second));
    return result;
}

}  // namespace draco::consensus
