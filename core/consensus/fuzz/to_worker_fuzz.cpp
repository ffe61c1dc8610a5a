// What a node says to its worker, and what other members' workers do: bytes of ToWorkerProcess and
// well-formed orders in any order, to a worker that crashes and begins again from its log. Whatever
// comes, it does not crash, and what decodes is encoded as it was.

#include "draco/base/assert.hpp"
#include "draco/consensus/worker_core.hpp"

#include "worker_bytes.hpp"

namespace {

using namespace draco::consensus;
using namespace std::chrono_literals;
using draco::Bytes;
using draco::ByteView;
using draco::consensus::fuzz::Input;
namespace bcs = draco::bcs;
namespace types = draco::types;

constexpr std::uint8_t kMembers = 4;
constexpr std::size_t kSelf = 1;

class Worker {
public:
    explicit Worker(ByteView bytes) : input_(bytes) { restart(); }

    void run() {
        while (!input_.empty()) act();
    }

private:
    void restart() {
        std::vector<Record> records;
        for (const Bytes& record : log_) records.push_back(decode_record(record).value());
        WorkerSeat seat{fuzz::kChain,
                        fuzz::committee_of(kMembers),
                        types::AuthorityIndex(kSelf),
                        types::WorkerIndex(0)};
        auto core = WorkerCore::make(std::move(seat), {}, std::move(records));
        DRACO_ASSERT(core.has_value(), "a worker recovers from what it wrote");
        core_ = *std::move(core);
    }

    void step(const WorkerEvent& event) {
        WorkerEffects out;
        core_->step(event, {now_, {}}, out);
        for (Persist& persist : out.persist) {
            draco::append(persist.record, persist.rest());
            log_.push_back(std::move(persist.record));
        }
        for (const auto& told : out.to_node)
            DRACO_ASSERT(bcs::decode<FromWorker>(*told.message).has_value(),
                         "a node understands its worker");
        DRACO_ASSERT(core_->own_bytes() <= Parameters{}.own_bytes_max + types::kBatchBytesMax,
                     "own bytes are bounded");
    }

    void order(ByteView bytes) {
        const auto message = bcs::decode<ToWorkerProcess>(bytes);
        if (!message) return;
        DRACO_ASSERT(bcs::encode(*message) == Bytes(bytes.begin(), bytes.end()),
                     "one encoding of a message");
        if (const auto* order = std::get_if<ToWorker>(&*message)) step(NodeMessage{*order});
    }

    CheckedBatch batch() {
        const std::uint8_t number = input_.next();
        return checked(fuzz::kChain, fuzz::batch_number(number, kMembers));
    }

    // Of this worker as it would seal it, or of the few.
    types::BatchDigest digest() {
        const std::uint8_t number = input_.next();
        if (number % 2 == 0 && !log_.empty()) {
            const auto record = decode_record(log_[number / 2 % log_.size()]).value();
            if (const auto* own = std::get_if<types::Batch>(&record))
                return checked(fuzz::kChain, *own).digest;
        }
        return checked(fuzz::kChain, fuzz::batch_number(number, kMembers)).digest;
    }

    template <class Order>
    Order named() {
        Order order{fuzz::kEpoch, {}};
        for (std::size_t i = input_.next() % 4; i > 0; --i)
            static_cast<void>(order.batches.try_push_back(
                BatchName{digest(),
                          types::AuthorityIndex(input_.next() % std::uint16_t{kMembers + 1}),
                          Round(input_.number())}));
        return order;
    }

    template <class Order>
    void add_digests(Order& order) {
        for (std::size_t i = input_.next() % 4; i > 0; --i)
            static_cast<void>(order.batches.try_push_back(digest()));
    }

    types::TransactionBytes transaction() {
        const std::size_t bytes =
            input_.next() % 8 == 0 ? types::kTransactionBytesMax : std::size_t{90} + input_.next();
        return types::TransactionBytes::make(Bytes(bytes)).value();
    }

    ToWorker invented() {
        switch (input_.next() % 9) {
            case 0:
                return ReportAll{fuzz::kEpoch, input_.number(), {}};
            case 1:
                return Progress{fuzz::kEpoch,
                                Round(input_.number()),
                                Round(input_.number()),
                                Round(input_.number())};
            case 2:
                return named<HoldBatches>();
            case 3:
                return named<FetchBatches>();
            case 4: {
                KeepBatches keep{fuzz::kEpoch, Round(input_.number()), {}};
                add_digests(keep);
                return keep;
            }
            case 5: {
                SettleBatches settle{
                    fuzz::kEpoch,
                    input_.next() % 2 == 0 ? Settlement::Executed : Settlement::Dissolved,
                    {}};
                add_digests(settle);
                return settle;
            }
            case 6: {
                AnnounceBatches announce{fuzz::kEpoch, {}};
                add_digests(announce);
                return announce;
            }
            case 7: {
                SubmitTransactions submit{fuzz::kEpoch, {}};
                for (std::size_t i = input_.next() % 8; i > 0; --i)
                    static_cast<void>(submit.transactions.try_push_back(transaction()));
                return submit;
            }
            default:
                return EpochOver{fuzz::kEpoch};
        }
    }

    void act() {
        const types::AuthorityIndex peer(input_.next() % std::uint16_t{kMembers + 1});
        switch (input_.next() % 8) {
            case 0:
                return step(TransactionsSubmitted{{transaction()}});
            case 1:
                now_ = now_ + input_.next() * 1ms;
                return step(WakeUp{});
            case 2:
                return step(PeerMessage{peer, batch()});
            case 3:
                return step(PeerMessage{peer, BatchStored{fuzz::kEpoch, digest()}});
            case 4: {
                // Of the committee: verify() has seen to it.
                BatchRequest request{fuzz::kEpoch, {}};
                add_digests(request);
                return step(PeerMessage{peer, request});
            }
            case 5:
                return restart();
            case 6:
                return order(input_.take(input_.next()));
            default:
                return step(NodeMessage{invented()});
        }
    }

    Input input_;
    std::unique_ptr<WorkerCore> core_;
    std::vector<Bytes> log_;
    draco::Instant now_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Worker(ByteView(data, size)).run();
    return 0;
}
