// The signer's core and journal against a chain that is a list, over random schedules: crashes at
// every disk change, failing disks, lost, repeated and reordered submissions. Checked always: no
// nonce is ever sent with two different bytes. Checked at the end, when all is well again:
// everything sent was executed, and receipts belong to their requests.

#include "draco/bcs/bcs.hpp"
#include "draco/identity/signer_core.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/testing/seed.hpp"

#include "identity_fixture.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

namespace draco::identity {
namespace {

using namespace std::chrono_literals;
using types::Nonce;

enum class Fault : std::uint8_t { None, JournalAfterSend, NoJournal };

struct NaiveChain {
    std::vector<types::SignedTransaction> executed;  // nonce i + 1 at i
    std::map<types::TransactionHash, types::Receipt> receipts;

    Nonce nonce() const { return Nonce(executed.size()); }

    std::variant<types::Receipt, types::Refusal> run(const Bytes& bytes) {
        auto transaction = bcs::decode<types::SignedTransaction>(bytes).value();
        if (transaction.transaction.nonce.value() != executed.size() + 1)
            return types::Refusal::WrongNonce;
        const types::Receipt receipt{.height = types::Height(executed.size() + 1)};
        receipts[types::digest_of(types::ChainId(1337), transaction.transaction)] = receipt;
        executed.push_back(std::move(transaction));
        return receipt;
    }
};

class Schedule {
public:
    Schedule(std::uint64_t seed, Fault fault)
        : rng_(seed),
          disk_(seed),
          fault_(fault),
          key_(types::ChainId(1337), types::NodeSecretKey::generate(rng_)) {
        boot();
    }

    // What went wrong, or nothing.
    std::string play(int steps) {
        for (int i = 0; i < steps && problem_.empty(); ++i) random_step();
        faults_ = false;
        disk_.crash_at_change(0);
        disk_.set_options({});
        if (!core_) boot();
        for (int i = 0; i < 500 && problem_.empty() && !settled(); ++i) {
            while (!pool_.empty()) execute(0, false);
            observe();
            answer_all();
            pass(1s);
        }
        if (problem_.empty() && !settled()) problem_ = "not everything sent was executed";
        return problem_;
    }

    std::size_t executed() const { return chain_.executed.size(); }

    int crashes() const { return crashes_; }

private:
    bool settled() const { return core_ && core_->counts().pending == 0 && pool_.empty(); }

    void boot() {
        if (disk_.crashed()) disk_.restart();
        const JournalOwner owner{key_.chain(), {}, key_.sender()};
        journal_.reset();
        auto journal = SigningJournal::open(disk_, "journal", owner);
        if (!journal) {
            if (journal.error().code == Errc::Corrupt) problem_ = to_string(journal.error());
            return;
        }
        journal_.emplace(*std::move(journal));
        JournalContent content{journal_->signed_last(), journal_->entries()};
        core_.emplace(key_, std::move(content), SignerOptions{.nonces_ahead_max = 4});
        observe();
    }

    void die() {
        core_.reset();
        journal_.reset();
        answers_.clear();
        requests_.clear();
    }

    void crash() {
        ++crashes_;
        disk_.crash();
        die();
    }

    void random_step() {
        if (!core_) return boot();
        switch (rng_.below(12)) {
            case 0:
            case 1:
            case 2: {
                const RequestId id = ++request_last_;
                requests_.insert(id);
                step(ExecuteRequested{id, types::EndEpoch{types::Epoch(id)}, {}});
                break;
            }
            case 3:
            case 4:
                if (!pool_.empty()) execute(rng_.below(pool_.size()), rng_.chance(0.3));
                break;
            case 5:
                if (!pool_.empty())  // lost
                    pool_.erase(pool_.begin() +
                                static_cast<std::ptrdiff_t>(rng_.below(pool_.size())));
                break;
            case 6:
            case 7:
                observe();
                break;
            case 8:
                answer_all();
                break;
            case 9:
                pass(std::chrono::milliseconds(rng_.below(12'000)));
                break;
            case 10:
                if (rng_.chance(0.3))
                    crash();
                else
                    disk_.crash_at_change(1 + rng_.below(6));
                break;
            default:
                disk_.set_options({.write_error = rng_.chance(0.2) ? 0.2 : 0.0,
                                   .sync_error = rng_.chance(0.2) ? 0.3 : 0.0});
        }
    }

    void execute(std::size_t index, bool repeated) {
        const Bytes bytes = pool_[index];
        if (!repeated) pool_.erase(pool_.begin() + static_cast<std::ptrdiff_t>(index));
        const auto transaction = bcs::decode<types::SignedTransaction>(bytes).value();
        const auto hash = types::digest_of(key_.chain(), transaction.transaction);
        const auto outcome =
            faults_ && rng_.chance(0.05)
                ? std::variant<types::Receipt, types::Refusal>(types::Refusal::QuotaUsedUp)
                : chain_.run(bytes);
        if (!faults_ || rng_.chance(0.7)) unseen_.outcomes.emplace_back(hash, outcome);
    }

    void observe() {
        step(std::exchange(unseen_, {}));
        step(ChainSeen{chain_.nonce()});
    }

    void answer_all() {
        auto answers = std::exchange(answers_, {});
        while (!answers.empty()) {
            const std::size_t index = rng_.below(answers.size());
            Submitted answer = answers[index];
            answers.erase(answers.begin() + static_cast<std::ptrdiff_t>(index));
            if (faults_ && rng_.chance(0.2)) continue;  // none ever comes
            if (faults_ && rng_.chance(0.3)) answer.result = fail(Errc::Exhausted, "busy");
            if (faults_ && rng_.chance(0.1)) answer.result = fail(Errc::InvalidArgument, "no");
            step(answer);
        }
    }

    void pass(Duration duration) {
        now_ = now_ + duration;
        step(TimePassed{});
    }

    void step(SignerEvent event) {
        std::deque<SignerEvent> events;
        events.push_back(std::move(event));
        while (!events.empty() && core_) {
            SignerEffects effects;
            core_->step(std::move(events.front()), now_, effects);
            events.pop_front();
            for (SignerEffect& effect : effects) {
                perform(effect, events);
                if (!core_) return;
            }
        }
        if (core_ && core_->failure()) {
            disk_.crashed() ? crash() : die();
        }
    }

    void perform(SignerEffect& effect, std::deque<SignerEvent>& events) {
        if (auto* persist = std::get_if<Persist>(&effect)) {
            if (fault_ == Fault::JournalAfterSend) {
                const auto entries = persist->entries;
                step(Persisted{});
                if (journal_ && !journal_->record(entries)) crash();
                return;
            }
            events.emplace_back(Persisted{
                fault_ == Fault::NoJournal ? Result<>() : journal_->record(persist->entries)});
        } else if (const auto* forget = std::get_if<Forget>(&effect)) {
            journal_->forget(forget->executed);
        } else if (auto* submit = std::get_if<Submit>(&effect)) {
            check_sent(*submit);
            if (!faults_ || rng_.chance(0.7)) pool_.push_back(submit->bytes);
            answers_.push_back({submit->nonce, submit->attempt, {}});
        } else if (const auto* read = std::get_if<ReadReceipt>(&effect)) {
            const auto at = chain_.receipts.find(read->hash);
            std::optional<types::Receipt> receipt;
            if (at != chain_.receipts.end()) receipt = at->second;
            events.emplace_back(ReceiptRead{read->nonce, receipt});
        } else if (std::holds_alternative<ReadChain>(effect)) {
            events.emplace_back(ChainSeen{chain_.nonce()});
        } else if (const auto* finish = std::get_if<Finish>(&effect)) {
            check_finish(*finish);
        } else {
            problem_ = "a nonce was used by a transaction that was not signed here";
        }
    }

    void check_sent(const Submit& submit) {
        const auto [at, first] = sent_.emplace(submit.nonce, submit.bytes);
        if (!first && at->second != submit.bytes)
            problem_ = "nonce " + std::to_string(submit.nonce.value()) + " was signed twice";
        const auto& entries = journal_->entries();
        const bool durable = std::ranges::any_of(
            entries, [&](const SignedBytes& entry) { return entry.bytes == submit.bytes; });
        if (!durable && fault_ == Fault::None) problem_ = "sent before it was durable";
    }

    void check_finish(const Finish& finish) {
        if (requests_.erase(finish.request) != 1) problem_ = "a request was finished twice";
        if (!finish.result) return;
        const auto& executed = chain_.executed.at(finish.result->height.value() - 1);
        const auto* method = std::get_if<types::EndEpoch>(&executed.transaction.method);
        if (method == nullptr || method->epoch.value() != finish.request)
            problem_ = "a receipt of another transaction";
    }

    simulon::SeededRng rng_;
    simulon::SimulatedDisk disk_;
    Fault fault_;
    TransactionKey key_;
    NaiveChain chain_;
    std::optional<SigningJournal> journal_;
    std::optional<SignerCore> core_;
    std::vector<Bytes> pool_;
    std::vector<Submitted> answers_;
    OutcomesSeen unseen_;
    std::set<RequestId> requests_;
    std::map<Nonce, Bytes> sent_;
    RequestId request_last_ = 0;
    Instant now_{1s};
    bool faults_ = true;
    int crashes_ = 0;
    std::string problem_;
};

// Over random schedules no nonce is sent with two contents, and all that was sent is executed.
TEST(SignerModel, NoNonceIsSignedTwice) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    std::size_t executed = 0;
    int crashes = 0;
    for (std::uint64_t i = 0; i < draco::testing::scaled(300); ++i) {
        Schedule run(seed + i, Fault::None);
        const std::string problem = run.play(300);
        ASSERT_EQ(problem, "") << "run " << i;
        executed += run.executed();
        crashes += run.crashes();
    }
    EXPECT_GT(executed, 1000U);
    EXPECT_GT(crashes, 1000);
}

// The checker sees a driver that writes the journal after it has sent, and one that forgets it.
TEST(SignerModel, PlantedFaultsAreFound) {
    for (const Fault fault : {Fault::JournalAfterSend, Fault::NoJournal}) {
        int found = 0;
        for (std::uint64_t seed = 1; seed <= 100; ++seed)
            found += Schedule(seed, fault).play(300).contains("signed twice") ? 1 : 0;
        EXPECT_GT(found, 0) << static_cast<int>(fault);
    }
}

}  // namespace
}  // namespace draco::identity
