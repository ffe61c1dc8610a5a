#pragma once
// One worker's core, its log, and what it says.

#include "draco/consensus/batch_age.hpp"
#include "draco/consensus/worker_core.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

namespace draco::consensus::test {

using std::chrono::milliseconds;

inline Record record_of(const Persist& persist) {
    Bytes whole = persist.record;
    append(whole, persist.rest());
    return decode_record(whole).value();
}

class WorkerTest : public ::testing::Test {
protected:
    static constexpr std::size_t kSelf = 1;

    WorkerTest() { worker = restarted(); }

    // From the log, all of which is durable.
    std::unique_ptr<WorkerCore> restarted() {
        WorkerSeat seat{kChain, four.committee, member(kSelf), types::WorkerIndex(0)};
        return WorkerCore::make(std::move(seat), parameters, log).value();
    }

    void restart() { worker = restarted(); }

    // `out` has the effects of the last step alone.
    void step(const WorkerEvent& event) {
        out = {};
        worker->step(event, {now, {}}, out);
        for (const Persist& persist : out.persist) log.push_back(record_of(persist));
    }

    void order(ToWorker message) { step(NodeMessage{std::move(message)}); }

    void hears(std::size_t from, const types::Batch& batch) {
        step(PeerMessage{member(from), checked(kChain, batch)});
    }

    // When it asked to be woken. False: it has nothing to do by itself.
    bool wake() {
        if (!out.wake) return false;
        now = std::max(now, *out.wake);
        step(WakeUp{});
        return true;
    }

    // The sealed batch, as it went to the others.
    types::Batch seals(const std::vector<types::TransactionBytes>& transactions) {
        step(TransactionsSubmitted{transactions});
        EXPECT_TRUE(wake());
        const auto batches = sent<types::Batch>();
        EXPECT_EQ(batches.size(), 1U);
        return batches.at(0);
    }

    types::Batch seals_large() {
        return seals(std::vector(4, transaction(parameters.batch_bytes_small / 3)));
    }

    template <class M>
    std::vector<M> sent() const {
        std::vector<M> messages;
        for (const Send& send : out.sends) {
            const Message message = decode_message(*send.message).value();
            if (const M* wanted = std::get_if<M>(&message)) messages.push_back(*wanted);
        }
        return messages;
    }

    template <class M>
    std::vector<M> told() const {
        std::vector<M> messages;
        for (const NodeSend& send : out.to_node) {
            const auto message = bcs::decode<FromWorker>(*send.message).value();
            if (const M* wanted = std::get_if<M>(&message)) messages.push_back(*wanted);
        }
        return messages;
    }

    std::vector<types::BatchDigest> reported() const {
        std::vector<types::BatchDigest> digests;
        for (const WorkerReport& report : told<WorkerReport>())
            for (const BatchHead& head : *report.held) digests.push_back(head.digest);
        return digests;
    }

    std::vector<types::BatchDigest> settled() const {
        std::vector<types::BatchDigest> digests;
        for (const WorkerReport& report : told<WorkerReport>())
            digests.insert(digests.end(), report.settled->begin(), report.settled->end());
        return digests;
    }

    std::vector<types::TransactionBytes> returned() const {
        std::vector<types::TransactionBytes> transactions;
        for (const TransactionsReturned& each : told<TransactionsReturned>())
            transactions.insert(
                transactions.end(), each.transactions->begin(), each.transactions->end());
        return transactions;
    }

    bool reports_wait_for_the_log() const {
        return std::ranges::all_of(out.to_node, [](const NodeSend& send) {
            const auto message = bcs::decode<FromWorker>(*send.message).value();
            return !std::holds_alternative<WorkerReport>(message) ||
                   send.release == Release::AfterPersist;
        });
    }

    static types::BatchDigest digest_of(const types::Batch& batch) {
        return checked(kChain, batch).digest;
    }

    std::vector<types::BatchDigest> reported_when_asked(std::uint64_t number = 1) {
        order(ReportAll{epoch(), number, {}});
        return reported();
    }

    Epoch epoch() const { return four.committee.epoch(); }

    template <class Order, class... Items>
    Order with(const Items&... items) const {
        Order order{epoch(), {}};
        static_cast<void>((order.batches.try_push_back(items) && ...));
        return order;
    }

    SettleBatches settle(Settlement how, const types::Batch& batch) const {
        SettleBatches order{epoch(), how, {}};
        static_cast<void>(order.batches.try_push_back(digest_of(batch)));
        return order;
    }

    Progress progress(std::uint64_t round, std::uint64_t floor, std::uint64_t prune) const {
        return {epoch(), Round(round), Round(floor), Round(prune)};
    }

    TestCommittee four = TestCommittee::make(4);
    Parameters parameters;
    std::vector<Record> log;
    std::unique_ptr<WorkerCore> worker;
    Instant now{milliseconds(1000)};
    WorkerEffects out;
};

}  // namespace draco::consensus::test
