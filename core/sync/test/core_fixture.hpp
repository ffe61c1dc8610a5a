#pragma once
// Drives a core of a follower event by event, beside a ledger that executes at once.

#include "draco/sync/core.hpp"

#include "fake_chain.hpp"

#include <chrono>

namespace draco::sync::testing {

using namespace std::chrono_literals;

inline NodeKey stranger(std::uint8_t number) {
    NodeKey key;
    key.bytes.fill(number);
    return key;
}

// A follower whose ledger executes at once what it is given.
class CoreTest : public ::testing::Test {
protected:
    static Executed executed_at(std::uint64_t height) {
        const BlockDigest digest = height == 0 ? BlockDigest{} : the_chain().at(height).digest;
        return {{Height(height), digest}, the_chain().committee_after(height)};
    }

    void start(std::uint64_t height, const Limits& limits = {}, NodeKey self = stranger(200)) {
        core.emplace(kChain, self, executed_at(height), limits);
    }

    void step(const Event& event) {
        Effects effects;
        core->step(event, now, effects);
        take(effects);
        while (const auto* block = core->to_append()) {
            if (ledger_is_full) {
                Effects full;
                core->step(AppendTried{fail(Errc::Exhausted, "full")}, now, full);
                take(full);
                return;
            }
            const std::uint64_t height = block->block.height.value();
            EXPECT_EQ(block->digest, the_chain().at(height).digest);
            EXPECT_EQ(height, core->executed().head.height.value() + 1) << "in order, once";
            Effects more;
            core->step(AppendTried{Result<>{}}, now, more);
            take(more);
            execute(height);
        }
    }

    void execute(std::uint64_t height) {
        BlockExecuted event{{Height(height), the_chain().at(height).digest, {}}, std::nullopt};
        if (height % kEpochBlocks == 0) event.next_committee = the_chain().committee_after(height);
        Effects effects;
        core->step(event, now, effects);
        take(effects);
    }

    void take(Effects& effects) {
        for (const CancelAsk& cancel : effects.cancels) cancelled.push_back(cancel.ticket);
        for (Ask& ask : effects.asks) {
            auto& all = std::holds_alternative<TailRequest>(ask.request) ? tails : asks;
            all.push_back(std::move(ask));
        }
    }

    static Bytes status_of(std::uint64_t head) {
        auto latest = std::prev(the_chain().certificates.upper_bound(head));
        Bytes stream;
        append_record(stream, bcs::encode(Status{Height(1), Height(head), latest->second}));
        return stream;
    }

    static Bytes range_of(std::uint64_t from, std::uint64_t to, std::uint64_t head) {
        Bytes stream = status_of(head);
        for (std::uint64_t height = from; height <= to; ++height)
            append_record(stream,
                          encode_block(the_chain().at(height), the_chain().certificate(height)));
        return stream;
    }

    // A peer comes, and says that it has the chain up to `head`.
    void comes(const NodeKey& peer, bool is_guest, std::uint64_t head) {
        step(PeerUp{peer, is_guest});
        const Ask ask = asks.back();
        asks.pop_back();
        ASSERT_EQ(ask.peer, peer);
        ASSERT_TRUE(std::holds_alternative<StatusRequest>(ask.request));
        const Bytes stream = status_of(head);
        step(ChunkReceived{ask.ticket, stream});
        step(RequestEnded{ask.ticket, Result<>{}});
    }

    // The one range that was asked for since the last call.
    Ask asked_range() {
        EXPECT_EQ(asks.size(), 1U);
        Ask ask = asks.empty() ? Ask{} : asks.back();
        asks.clear();
        EXPECT_TRUE(std::holds_alternative<RangeRequest>(ask.request));
        return ask;
    }

    // The one tail that was asked for since the last call.
    Ask asked_tail() {
        EXPECT_EQ(tails.size(), 1U);
        Ask ask = tails.empty() ? Ask{} : tails.back();
        tails.clear();
        return ask;
    }

    void answer(const Ask& ask, const Bytes& stream) {
        step(ChunkReceived{ask.ticket, stream});
        step(RequestEnded{ask.ticket, Result<>{}});
    }

    void pass(Duration duration) {
        now = now + duration;
        step(TimePassed{});
    }

    std::optional<Core> core;
    Instant now{1h};
    std::vector<Ask> asks;  // tails aside
    std::vector<Ask> tails;
    bool ledger_is_full = false;
    std::vector<std::uint64_t> cancelled;
    const NodeKey member = the_chain().seats[0].committee.key(AuthorityIndex(2));
};

}  // namespace draco::sync::testing
