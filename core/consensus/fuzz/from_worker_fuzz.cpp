// What a worker says to its node: bytes of FromWorker, and well-formed messages that contradict
// each other, to a core with two workers, alone or one of four. Whatever comes, it does not crash,
// and what decodes is encoded as it was.

#include "draco/base/assert.hpp"
#include "draco/consensus/core.hpp"

#include "worker_bytes.hpp"

namespace {

using namespace draco::consensus;
using namespace std::chrono_literals;
using draco::Bytes;
using draco::ByteView;
using draco::consensus::fuzz::Input;
namespace bcs = draco::bcs;
namespace types = draco::types;

class Node {
public:
    explicit Node(ByteView bytes) : input_(bytes), members_(input_.next() % 2 == 0 ? 1 : 4) {
        Seat seat{
            fuzz::kChain, fuzz::committee_of(members_), fuzz::key_number(0).clone(), {}, {}, 2};
        self_ = static_cast<std::uint8_t>(
            seat.committee.index_of(fuzz::key_number(0).public_key())->value());
        auto core = Core::make(std::move(seat), {}, {});
        DRACO_ASSERT(core.has_value(), "a core starts");
        core_ = *std::move(core);
    }

    void run() {
        while (!input_.empty()) act();
    }

private:
    void step(const Event& event) {
        Effects out;
        core_->step(event, {now_, {1'700'000'000'000}}, out);
        for (const auto& sent : out.to_workers)
            DRACO_ASSERT(bcs::decode<ToWorkerProcess>(*sent.message).has_value(),
                         "a worker understands its node");
        for (const auto& block : out.blocks) {
            DRACO_ASSERT(block.batches.size() == block.block.batches->size(),
                         "blocks are handed over with their content");
            step(BlockExecuted{block.block.height});
        }
    }

    void hear(std::size_t lane, const FromWorker& message) {
        if (const auto* batch = std::get_if<types::Batch>(&message))
            step(WorkerSaid{lane, checked(fuzz::kChain, *batch)});
        else if (const auto* report = std::get_if<WorkerReport>(&message))
            step(WorkerSaid{lane, *report});
        else if (const auto* all = std::get_if<AllReported>(&message))
            step(WorkerSaid{lane, *all});
    }

    void hear(std::size_t lane, ByteView bytes) {
        const auto message = bcs::decode<FromWorker>(bytes);
        if (!message) return;
        DRACO_ASSERT(bcs::encode(*message) == Bytes(bytes.begin(), bytes.end()),
                     "one encoding of a message");
        hear(lane, *message);
    }

    WorkerReport report() {
        WorkerReport said{fuzz::kEpoch, input_.number(), {}, {}};
        for (std::size_t i = input_.next() % 4; i > 0; --i) {
            const std::uint8_t number = input_.next();
            const bool is_own = number % 3 == 0;
            types::Batch batch = fuzz::batch_number(number, members_);
            if (is_own) batch.author = types::AuthorityIndex(self_);
            BatchHead head =
                head_of(checked(fuzz::kChain, std::move(batch)), Round(input_.number()));
            if (number % 7 == 0) head.sequence = input_.number();
            if (number % 11 == 0) head.bytes = static_cast<std::uint32_t>(input_.number());
            static_cast<void>(said.held.try_push_back(head));
        }
        for (std::size_t i = input_.next() % 3; i > 0; --i)
            static_cast<void>(said.settled.try_push_back(batch().digest));
        return said;
    }

    CheckedBatch batch() {
        const std::uint8_t number = input_.next();
        types::Batch batch = fuzz::batch_number(number, members_);
        if (number % 3 == 0) batch.author = types::AuthorityIndex(self_);
        return checked(fuzz::kChain, std::move(batch));
    }

    void act() {
        const std::uint8_t action = input_.next();
        const std::size_t lane = action / 64 % 3;  // one that is not there, too
        switch (action % 9) {
            case 0:
                return step(WorkerLink{lane, true});
            case 1:
                return step(WorkerLink{lane, false});
            case 2:
                return step(WorkerSaid{lane, report()});
            case 3:
                // The first question's number is the clock's.
                return step(WorkerSaid{
                    lane, AllReported{fuzz::kEpoch, 1'700'000'000'000 + input_.number()}});
            case 4:
                return step(WorkerSaid{lane, batch()});
            case 5:
                now_ = now_ + input_.next() * 1ms;
                return step(WakeUp{});
            case 6:
                return step(TransactionsSubmitted{
                    {types::TransactionBytes::make(Bytes(100 + input_.next())).value()}});
            case 7:
                if (input_.next() > 8) return;
                return step(EpochEnded{core_->tip().height});
            default:
                return hear(lane, input_.take(input_.next()));
        }
    }

    Input input_;
    std::uint8_t members_;
    std::uint8_t self_ = 0;
    std::unique_ptr<Core> core_;
    draco::Instant now_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Node(ByteView(data, size)).run();
    return 0;
}
