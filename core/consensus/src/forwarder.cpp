#include "draco/consensus/forwarder.hpp"

#include "recent_hashes.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

namespace draco::consensus {
namespace {

using interfaces::Protocol;
using Done = interfaces::TransactionForwarder::Done;

// Beside own submissions.
constexpr std::size_t kServingMax = 1024;
constexpr std::size_t kAnswerBytesMax = 1024;  // there is nothing in an answer

struct Parts {
    Executor& executor;
    interfaces::Links& links;
    interfaces::Ledger& ledger;
    interfaces::Consensus& consensus;
    Admit admit;
    log::Logger log;
    ForwarderOptions options;
};

// A submission under way. Whoever drops it answers it.
class Job {
public:
    // `open` counts the jobs. A job may outlive the forwarder, in an answer to come.
    Job(Executor& executor,
        std::shared_ptr<std::atomic<std::size_t>> open,
        Bytes transaction,
        Done done)
        : bytes(std::move(transaction)),
          executor_(executor),
          open_(std::move(open)),
          done_(std::move(done)) {}

    ~Job() {
        answer(fail(Errc::Unavailable, "the node stops: submit the transaction again"));
        open_->fetch_sub(1);
    }

    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    void answer(Result<types::TransactionHash> outcome) {
        if (!done_) return;
        executor_.post([done = std::exchange(done_, nullptr),
                        outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
    }

    const Bytes bytes;
    types::TransactionHash hash{};
    Instant deadline{};
    std::size_t attempts = 0;  // members asked so far
    bool any_busy = false;

private:
    Executor& executor_;
    std::shared_ptr<std::atomic<std::size_t>> open_;
    Done done_;
};

// One peer's requests under way.
class ServingCounts {
public:
    bool enter(const types::NodeKey& peer, std::size_t max) {
        const std::scoped_lock lock(mutex_);
        auto& count = counts_[peer];
        if (count >= max) return false;
        ++count;
        return true;
    }

    void leave(const types::NodeKey& peer) {
        const std::scoped_lock lock(mutex_);
        const auto found = counts_.find(peer);
        if (--found->second == 0) counts_.erase(found);
    }

private:
    std::mutex mutex_;
    std::map<types::NodeKey, std::size_t> counts_;
};

// Checks transactions and takes each on its way. Concurrent: a submission is in one message at a
// time.
class Desk {
public:
    struct Submission {
        std::shared_ptr<Job> job;
    };

    // How the member that was asked last has answered.
    struct Attempted {
        std::shared_ptr<Job> job;
        Result<> outcome;
    };

    struct Request {
        types::NodeKey from;
        Bytes transaction;
        std::unique_ptr<interfaces::Responder> responder;
    };

    using Messages = affair::Messages<Submission, Attempted, Request>;

    Desk(const Parts& parts,
         RecentHashes& recent,
         ServingCounts& serving,
         affair::Self<const Desk> self)
        : parts_(parts), recent_(recent), serving_(serving), self_(std::move(self)) {}

    void handle(const Submission& submission) const;
    void handle(const Attempted& attempted) const;
    void handle(Request request) const;

private:
    Result<> submit_here(const types::TransactionHash& hash, const Bytes& bytes) const;
    void ask_next(const std::shared_ptr<Job>& job) const;
    bool ask(const types::NodeKey& member, const std::shared_ptr<Job>& job) const;
    Result<> serve(const Request& request) const;

    Instant now() const { return parts_.executor.clock().now(); }

    const Parts& parts_;
    RecentHashes& recent_;
    ServingCounts& serving_;
    affair::Self<const Desk> self_;
};

// Brings a member's answer back to the desk.
class Answer final : public interfaces::ResponseReceiver {
public:
    Answer(affair::Address<Desk::Attempted> desk, std::shared_ptr<Job> job)
        : desk_(std::move(desk)), job_(std::move(job)) {}

    void on_chunk(Bytes /*chunk*/) override {}

    void on_end(Result<> outcome) override {
        // Refused by a desk that has stopped or is full: dropping the job answers it.
        static_cast<void>(desk_.tell(Desk::Attempted{std::move(job_), std::move(outcome)}));
    }

private:
    affair::Address<Desk::Attempted> desk_;
    std::shared_ptr<Job> job_;
};

Result<> Desk::submit_here(const types::TransactionHash& hash, const Bytes& bytes) const {
    auto transaction = types::TransactionBytes::make(bytes);
    if (!transaction)
        return fail(
            Errc::InvalidArgument,
            "a transaction of more than " + std::to_string(types::kTransactionBytesMax) + " bytes");
    DRACO_TRY_VOID(parts_.consensus.submit(*std::move(transaction)));
    recent_.add(hash, now());
    return {};
}

void Desk::handle(const Submission& submission) const {
    const std::shared_ptr<Job>& job = submission.job;
    const auto hash = parts_.admit(job->bytes);
    if (!hash) return job->answer(std::unexpected(hash.error()));
    job->hash = *hash;
    job->deadline = now() + parts_.options.deadline;
    if (recent_.contains(*hash, now())) return job->answer(*hash);
    const auto here = submit_here(*hash, job->bytes);
    if (here) return job->answer(*hash);
    if (here.error().code == Errc::InvalidArgument)
        return job->answer(std::unexpected(here.error()));
    job->any_busy = here.error().code == Errc::Exhausted;
    ask_next(job);
}

void Desk::handle(const Attempted& attempted) const {
    const std::shared_ptr<Job>& job = attempted.job;
    if (attempted.outcome) {
        recent_.add(job->hash, now());
        return job->answer(job->hash);
    }
    if (attempted.outcome.error().code == Errc::Exhausted) job->any_busy = true;
    ask_next(job);
}

// The transaction's hash chooses who is asked first, so that load spreads and one that is submitted
// at many nodes gets to one member.
void Desk::ask_next(const std::shared_ptr<Job>& job) const {
    const auto view = parts_.ledger.view();
    const auto& members = *view->epoch().committee;
    const std::size_t start = load_le<std::uint64_t>(job->hash.data()) % members.size();
    const std::size_t attempts = std::min(members.size(), parts_.options.attempts_max);
    while (job->attempts < attempts && now() < job->deadline) {
        const types::NodeKey& member = members[(start + job->attempts++) % members.size()];
        if (member != parts_.links.self() && ask(member, job)) return;
    }
    if (job->any_busy)
        return job->answer(fail(Errc::Exhausted,
                                "the members of the committee that can be reached are busy: submit "
                                "the transaction again later"));
    job->answer(fail(Errc::Unavailable,
                     "no member of the committee took the transaction: this node may be cut off"));
}

bool Desk::ask(const types::NodeKey& member, const std::shared_ptr<Job>& job) const {
    const interfaces::RequestOptions options{
        std::min(job->deadline, now() + parts_.options.attempt_deadline), kAnswerBytesMax};
    const auto asked = parts_.links.request(member,
                                            Protocol::Transactions,
                                            job->bytes,
                                            options,
                                            std::make_unique<Answer>(self_.address(), job));
    if (!asked && asked.error().code == Errc::Exhausted) job->any_busy = true;
    return asked.has_value();
}

Result<> Desk::serve(const Request& request) const {
    DRACO_TRY(hash, parts_.admit(request.transaction));
    if (recent_.contains(hash, now())) return {};
    return submit_here(hash, request.transaction);
}

void Desk::handle(Request request) const {
    request.responder->finish(serve(request));
    serving_.leave(request.from);
}

}  // namespace

class Forwarder::State final : public interfaces::RequestHandler {
public:
    State(affair::Registry& registry, Parts parts)
        : registry_(registry),
          parts_(std::move(parts)),
          recent_(parts_.options.duplicate_window, parts_.options.duplicates_max) {}

    ~State() override { stop(); }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start() {
        const std::scoped_lock lock(mutex_);
        if (desk_) return fail(Errc::AlreadyExists, "the forwarder was started already");
        const ForwarderOptions& options = parts_.options;
        if (options.forwarding_max == 0 || options.serving_per_peer_max == 0 ||
            options.attempts_max == 0 || options.in_flight_max == 0)
            return fail(Errc::InvalidArgument, "a bound of the forwarder is zero");
        DRACO_TRY(
            desk,
            registry_.spawn_concurrent<Desk>(
                {.name = "transaction forwarder", .capacity = options.forwarding_max + kServingMax},
                {options.in_flight_max},
                [this](affair::Self<const Desk> self) {
                    return std::make_unique<Desk>(parts_, recent_, serving_, std::move(self));
                }));
        address_ = desk.address();
        desk_ = std::move(desk);
        parts_.links.set_handler(Protocol::Transactions, this);
        return {};
    }

    void submit(Bytes transaction, Done done) {
        const bool is_full = open_->fetch_add(1) >= parts_.options.forwarding_max;
        auto job =
            std::make_shared<Job>(parts_.executor, open_, std::move(transaction), std::move(done));
        if (is_full)
            return job->answer(
                fail(Errc::Exhausted, "too many transactions are under way: come back later"));
        std::unique_lock lock(mutex_);
        const auto address = address_;
        lock.unlock();
        if (address) static_cast<void>(address->tell(Desk::Submission{std::move(job)}));
    }

    void on_request(const types::NodeKey& from,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        const auto busy = [&](interfaces::Responder& to) {
            to.finish(fail(Errc::Exhausted, "this member is busy: ask another one"));
        };
        if (!serving_.enter(from, parts_.options.serving_per_peer_max)) return busy(*responder);
        std::unique_lock lock(mutex_);
        const auto address = address_;
        lock.unlock();
        auto told = address->tell(Desk::Request{from, std::move(request), std::move(responder)});
        if (told) return;
        serving_.leave(from);
        busy(*told.error().message.responder);
    }

    void stop() {
        if (!desk_) return;
        parts_.links.set_handler(Protocol::Transactions, nullptr);
        std::unique_lock lock(mutex_);
        address_.reset();
        lock.unlock();
        desk_.reset();
    }

private:
    affair::Registry& registry_;
    const Parts parts_;
    RecentHashes recent_;
    ServingCounts serving_;
    const std::shared_ptr<std::atomic<std::size_t>> open_ =
        std::make_shared<std::atomic<std::size_t>>(0);
    std::mutex mutex_;
    std::optional<affair::AddressOf<Desk>> address_;
    std::optional<affair::Owner<Desk>> desk_;
};

Forwarder::Forwarder(Executor& executor,
                     affair::Registry& registry,
                     interfaces::Links& links,
                     interfaces::Ledger& ledger,
                     interfaces::Consensus& consensus,
                     Admit admit,
                     log::Log& log,
                     ForwarderOptions options)
    : state_(std::make_unique<State>(registry,
                                     Parts{executor,
                                           links,
                                           ledger,
                                           consensus,
                                           std::move(admit),
                                           log::Logger(log, "forwarder"),
                                           options})) {}

Forwarder::~Forwarder() = default;

Result<> Forwarder::start() {
    return state_->start();
}

void Forwarder::submit(Bytes transaction, Done done) {
    state_->submit(std::move(transaction), std::move(done));
}

}  // namespace draco::consensus
