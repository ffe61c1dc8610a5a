#include "draco/sync/sync.hpp"

#include "draco/base/text_encoding.hpp"

#include "server.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

namespace draco::sync {

namespace {

using interfaces::GossipVerdict;
using interfaces::Protocol;

// Bytes of one answer under way; processed ones are granted again.
constexpr std::size_t kCreditBytes = std::size_t{1} << 20;

// What has happened and was not looked at yet: the newest of each kind, so it is bounded whatever
// comes. Guarded by Board::mutex.
struct Notes {
    std::map<types::NodeKey, bool> links;  // true: it was down in between
    std::vector<BlockExecuted> executed;   // the newest one, and those that end an epoch
    std::optional<types::BlockCertificate> made;
    std::map<types::NodeKey, types::BlockCertificate> seen;  // the highest, of each peer
    std::map<types::NodeKey, Claim> later_epoch;
    bool follow = false;

    struct Answer {
        Bytes bytes;  // at most the credit
        std::optional<Result<>> ended;
    };

    std::map<std::uint64_t, Answer> answers;  // by ticket
};

struct Look {};

// Between the threads that leave notes and the object that looks at them.
class Board {
public:
    std::mutex mutex;
    Notes notes;
    std::set<types::NodeKey> links_up;
    interfaces::SyncStatus status;
    types::Committee committee;  // of the running epoch
    types::Height known;         // certified

    explicit Board(types::Committee first) : committee(std::move(first)) {}

    // Changes the notes, and calls the object unless it is on its way.
    template <class Change>
    void note(Change change) {
        {
            const std::lock_guard lock(mutex);
            change(notes);
            if (is_called_ || !object_) return;
            is_called_ = true;
        }
        static_cast<void>(object_->tell(Look{}));
    }

    Notes take() {
        const std::lock_guard lock(mutex);
        is_called_ = false;
        return std::exchange(notes, {});
    }

    void set_object(const affair::Address<Look>& object) {
        const std::lock_guard lock(mutex);
        object_.emplace(object);
    }

private:
    std::optional<affair::Address<Look>> object_;
    bool is_called_ = false;
};

class AnswerReceiver final : public interfaces::ResponseReceiver {
public:
    AnswerReceiver(std::shared_ptr<Board> board, std::uint64_t ticket)
        : board_(std::move(board)), ticket_(ticket) {}

    void on_chunk(Bytes chunk) override {
        board_->note([&](Notes& notes) { append(notes.answers[ticket_].bytes, chunk); });
    }

    void on_end(Result<> outcome) override {
        board_->note([&](Notes& notes) { notes.answers[ticket_].ended = std::move(outcome); });
    }

private:
    std::shared_ptr<Board> board_;
    std::uint64_t ticket_;
};

struct Parts {
    interfaces::Links& links;
    interfaces::Ledger& ledger;
    interfaces::Broadcast& broadcast;
    log::Logger log;
};

class Follower {
public:
    using Messages = affair::Messages<Look>;

    Follower(Parts& parts, std::shared_ptr<Board> board, affair::Self<Follower> self, Core core)
        : parts_(parts), board_(std::move(board)), self_(std::move(self)), core_(std::move(core)) {}

    ~Follower() {
        disarm();
        for (const auto& [ticket, request] : requests_)
            if (request) parts_.links.cancel(*request);
    }

    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    void handle(Look /*look*/) {
        Notes notes = board_->take();
        // The ledger first, so that what comes from peers is judged by the newest committee.
        for (const BlockExecuted& event : notes.executed) step(event);
        if (notes.made) step(CertificateMade{*std::move(notes.made)});
        take_links(notes.links);
        for (auto& [key, certificate] : notes.seen) step(CertificateSeen{key, certificate});
        for (const auto& [key, claim] : notes.later_epoch) step(LaterEpochSeen{key, claim});
        if (notes.follow) step(Follow{});
        for (auto& [ticket, answer] : notes.answers) take_answer(ticket, answer);
        finish_turn();
    }

private:
    void take_links(const std::map<types::NodeKey, bool>& changed) {
        if (changed.empty()) return;
        std::set<types::NodeKey> guests;
        for (const interfaces::LinkSnapshot& link : parts_.links.snapshot())
            if (link.guest) guests.insert(link.key);
        std::set<types::NodeKey> up;
        {
            const std::lock_guard lock(board_->mutex);
            up = board_->links_up;
        }
        for (const auto& [key, was_down] : changed) {
            if (was_down) step(PeerDown{key});
            if (up.contains(key)) step(PeerUp{key, guests.contains(key)});
        }
    }

    void take_answer(std::uint64_t ticket, Notes::Answer& answer) {
        const auto request = requests_.find(ticket);
        if (request == requests_.end()) return;
        if (!answer.bytes.empty()) {
            const auto id = request->second;
            step(ChunkReceived{ticket, answer.bytes});
            if (id && requests_.contains(ticket)) parts_.links.grant(*id, answer.bytes.size());
        }
        if (!answer.ended) return;
        requests_.erase(ticket);
        step(RequestEnded{ticket, *std::move(answer.ended)});
    }

    void step(const Event& event) {
        Effects effects;
        core_.step(event, now(), effects);
        perform(effects);
        while (const auto* block = core_.to_append()) {
            Effects more;
            auto tried = parts_.ledger.append(*block, interfaces::BlockOrigin::Followed);
            core_.step(AppendTried{std::move(tried)}, now(), more);
            perform(more);
        }
    }

    void perform(Effects& effects) {
        for (const CancelAsk& cancel : effects.cancels) {
            const auto request = requests_.find(cancel.ticket);
            if (request == requests_.end()) continue;
            if (request->second) parts_.links.cancel(*request->second);
            requests_.erase(request);
        }
        for (const Remark& remark : effects.remarks) tell(remark);
        for (const types::BlockCertificate& certificate : effects.certify) certify(certificate);
        if (effects.publish)
            static_cast<void>(parts_.broadcast.publish(interfaces::Topic::BlockCertificates,
                                                       bcs::encode(*effects.publish)));
        for (const Ask& one : effects.asks) ask(one);
    }

    void ask(const Ask& one) {
        auto id = parts_.links.request(one.peer,
                                       Protocol::Blocks,
                                       bcs::encode(one.request),
                                       {.deadline = one.deadline, .credit_bytes = kCreditBytes},
                                       std::make_unique<AnswerReceiver>(board_, one.ticket));
        if (id) {
            requests_.emplace(one.ticket, *id);
            return;
        }
        // As if it had been sent and failed, in a turn of its own.
        requests_.emplace(one.ticket, std::nullopt);
        const Error why{Errc::Unavailable, id.error().context};
        board_->note(
            [&](Notes& notes) { notes.answers[one.ticket].ended.emplace(std::unexpected(why)); });
    }

    void certify(const types::BlockCertificate& certificate) {
        const auto certified = parts_.ledger.certify(certificate);
        if (certified) return;
        const std::string text =
            certified.error().code == Errc::Corrupt
                ? "the committee certified a block that is not this node's: a fork. Stop this "
                  "node, keep its data directory, and tell the operators of the committee"
                : "the ledger refused a certificate";
        parts_.log.error(text,
                         {{"height", certificate.statement.height.value()},
                          {"error", to_string(certified.error())}});
    }

    void tell(const Remark& remark) const {
        const std::uint64_t height = remark.height ? remark.height->value() : 0;
        const std::string peer = remark.peer ? to_base58(remark.peer->view()) : std::string();
        if (remark.severity == Severity::Error) {
            parts_.log.error(remark.text, {{"height", height}, {"peer", peer}});
        } else if (remark.severity == Severity::Warn) {
            parts_.log.warn(remark.text, {{"height", height}, {"peer", peer}});
        } else {
            parts_.log.info(remark.text, {{"height", height}, {"peer", peer}});
        }
    }

    void finish_turn() {
        {
            const std::lock_guard lock(board_->mutex);
            board_->status = core_.status();
            // What was known of an ended epoch may have been void.
            const types::Committee& committee = core_.executed().committee;
            if (board_->committee.epoch() != committee.epoch()) board_->known = {};
            board_->committee = committee;
            board_->known = std::max(board_->known, core_.known());
        }
        arm();
    }

    void arm() {
        const auto wake = core_.wake_at();
        if (wake == armed_) return;
        disarm();
        if (!wake) return;
        auto turn = self_.in_turn([](Follower& object) {
            object.armed_.reset();
            object.step(TimePassed{});
            object.finish_turn();
        });
        if (!turn) return;
        armed_ = wake;
        timer_ = self_.executor().post_at(*wake, *std::move(turn));
    }

    void disarm() {
        if (armed_) self_.executor().cancel(timer_);
        armed_.reset();
    }

    Instant now() const { return self_.executor().clock().now(); }

    Parts& parts_;
    std::shared_ptr<Board> board_;
    affair::Self<Follower> self_;
    Core core_;
    std::map<std::uint64_t, std::optional<interfaces::RequestId>> requests_;  // by ticket
    std::optional<Instant> armed_;
    TimerId timer_{};
};

// The committee of the epoch that the next block is of.
Result<Executed> executed_of(const interfaces::StateView& view) {
    DRACO_TRY(committee, types::Committee::make(view.epoch().epoch, *view.epoch().committee));
    return Executed{.head = {.height = view.head().height, .digest = view.head().digest},
                    .committee = committee};
}

}  // namespace

class Sync::State final : public interfaces::MessageReceiver,
                          public interfaces::RequestHandler,
                          public interfaces::LedgerObserver,
                          public interfaces::GossipSubscriber {
public:
    State(types::ChainId chain, Parts parts, const Options& options, const Executed& executed)
        : chain_(chain),
          parts_(std::move(parts)),
          options_(options),
          budget_(std::make_shared<ServeBudget>(options.serve)),
          tails_(std::make_shared<WaitingTails>()),
          board_(std::make_shared<Board>(executed.committee)) {}

    ~State() override {
        parts_.broadcast.set_subscriber(interfaces::Topic::BlockCertificates, nullptr);
        parts_.links.set_handler(Protocol::Blocks, nullptr);
        parts_.links.set_receiver(Protocol::Blocks, nullptr);
        if (is_observing_) parts_.ledger.remove_observer(*this);
    }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start(affair::Registry& registry) {
        DRACO_TRY(server,
                  registry.spawn_concurrent<Server>(
                      // A step of each answer, and one that comes too late.
                      {.name = "sync-server",
                       .capacity = 2 * (options_.serve.serves_max + options_.serve.tails_max)},
                      {.messages = options_.serve.readers_max},
                      [this](affair::Self<const Server> self) {
                          return std::make_unique<Server>(
                              std::move(self), parts_.ledger, options_.serve, tails_);
                      }));
        server_.emplace(std::move(server));
        // Before the first look at the state, so that no block falls between.
        parts_.ledger.add_observer(*this);
        is_observing_ = true;
        DRACO_TRY(follower,
                  registry.spawn<Follower>(
                      {.name = "sync", .capacity = 4},
                      [this](affair::Self<Follower> self) -> Result<std::unique_ptr<Follower>> {
                          DRACO_TRY(executed, executed_of(*parts_.ledger.view()));
                          return std::make_unique<Follower>(
                              parts_,
                              board_,
                              std::move(self),
                              Core(chain_, parts_.links.self(), executed, options_.limits));
                      }));
        follower_.emplace(std::move(follower));
        board_->set_object(follower_->address());
        if (auto latest = parts_.ledger.latest_certificate()) on_certificate(*latest);
        board_->note([](Notes&) {});
        parts_.links.set_handler(Protocol::Blocks, this);
        parts_.links.set_receiver(Protocol::Blocks, this);
        parts_.broadcast.set_subscriber(interfaces::Topic::BlockCertificates, this);
        return {};
    }

    void follow() {
        board_->note([](Notes& notes) { notes.follow = true; });
    }

    interfaces::SyncStatus status() const {
        const std::lock_guard lock(board_->mutex);
        return board_->status;
    }

private:
    // ---- Links

    void on_message(const types::NodeKey& /*from*/, ByteView /*message*/) override {}

    void on_link_up(const types::NodeKey& peer) override {
        board_->note([&](Notes& notes) {
            board_->links_up.insert(peer);
            notes.links.try_emplace(peer, false);
        });
    }

    void on_link_down(const types::NodeKey& peer) override {
        board_->note([&](Notes& notes) {
            board_->links_up.erase(peer);
            notes.links[peer] = true;
        });
        tails_->drop(peer);
    }

    void on_request(const types::NodeKey& from,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        auto decoded = decode_request(request);
        if (!decoded) {
            responder->finish(fail(Errc::InvalidArgument, decoded.error().context));
            return;
        }
        const bool is_tail = std::holds_alternative<TailRequest>(*decoded);
        if (is_tail) tails_->drop(from);
        if (!budget_->begin(from, is_tail)) {
            responder->finish(fail(Errc::Exhausted, "too many answers are under way; come back"));
            return;
        }
        auto serve = std::make_shared<Serve>(budget_, from, *decoded, std::move(responder));
        static_cast<void>(server_->address().tell(ServeStep{std::move(serve)}));
    }

    // ---- Ledger

    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override {
        board_->note([&](Notes& notes) {
            BlockExecuted event{block->result.head, block->result.next_committee};
            if (!notes.executed.empty() && !notes.executed.back().next_committee)
                notes.executed.pop_back();
            notes.executed.push_back(std::move(event));
        });
    }

    void on_certificate(const types::BlockCertificate& certificate) override {
        board_->note([&](Notes& notes) {
            if (!notes.made || notes.made->statement.height < certificate.statement.height)
                notes.made = certificate;
        });
        for (ServeStep& step : tails_->certified(certificate.statement.height))
            static_cast<void>(server_->address().tell(std::move(step)));
    }

    // ---- Gossip

    GossipVerdict on_gossip(const types::NodeKey& from, ByteView payload) override {
        const auto certificate = bcs::decode<types::BlockCertificate>(payload);
        if (!certificate) return GossipVerdict::Reject;
        const types::BlockStatement& statement = certificate->statement;
        std::optional<types::Committee> committee;
        {
            const std::lock_guard lock(board_->mutex);
            if (statement.epoch == board_->committee.epoch()) {
                if (statement.height <= board_->known) return GossipVerdict::Ignore;
                committee = board_->committee;
            } else if (statement.epoch < board_->committee.epoch()) {
                return GossipVerdict::Ignore;
            }
        }
        if (!committee) {
            board_->note([&](Notes& notes) {
                Claim& claim = notes.later_epoch[from];
                claim = std::max(claim, {statement.epoch, statement.height});
            });
            return GossipVerdict::Ignore;
        }
        if (!types::verify(chain_, *committee, *certificate)) return GossipVerdict::Reject;
        board_->note([&](Notes& notes) {
            if (board_->committee.epoch() == statement.epoch)
                board_->known = std::max(board_->known, statement.height);
            notes.seen.insert_or_assign(from, *certificate);
        });
        return GossipVerdict::Accept;
    }

    types::ChainId chain_;
    Parts parts_;
    Options options_;
    std::shared_ptr<ServeBudget> budget_;
    std::shared_ptr<WaitingTails> tails_;
    std::shared_ptr<Board> board_;
    bool is_observing_ = false;
    std::optional<affair::Owner<Server>> server_;
    std::optional<affair::Owner<Follower>> follower_;
};

Sync::Sync(std::unique_ptr<State> state) : state_(std::move(state)) {}

Sync::~Sync() = default;

Result<std::unique_ptr<Sync>> Sync::make(types::ChainId chain,
                                         interfaces::Links& links,
                                         interfaces::Ledger& ledger,
                                         interfaces::Broadcast& broadcast,
                                         affair::Registry& registry,
                                         log::Log& log,
                                         const Options& options) {
    DRACO_TRY(executed, executed_of(*ledger.view()));
    Parts parts{
        .links = links, .ledger = ledger, .broadcast = broadcast, .log = log::Logger(log, "sync")};
    auto state = std::make_unique<State>(chain, std::move(parts), options, executed);
    DRACO_TRY_VOID(state->start(registry));
    return std::unique_ptr<Sync>(new Sync(std::move(state)));
}

void Sync::follow() {
    state_->follow();
}

interfaces::SyncStatus Sync::status() const {
    return state_->status();
}

}  // namespace draco::sync
