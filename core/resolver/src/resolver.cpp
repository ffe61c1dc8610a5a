#include "draco/resolver/resolver.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

namespace draco::resolver {
namespace {

using interfaces::Protocol;
using types::ContentHash;
using types::NodeKey;

constexpr std::size_t kAnswerBytesMax = interfaces::kResponseChunkBytesMax;

// Called exactly once, come what may.
class FindAnswer {
public:
    using Callback = interfaces::Providers::FindCallback;

    explicit FindAnswer(Callback callback) : callback_(std::move(callback)) {}

    FindAnswer(FindAnswer&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}

    FindAnswer(const FindAnswer&) = delete;
    FindAnswer& operator=(const FindAnswer&) = delete;
    FindAnswer& operator=(FindAnswer&&) = delete;

    ~FindAnswer() {
        if (callback_)
            callback_(fail(Errc::Unavailable, "nobody is looked for any more: the node stops"));
    }

    void operator()(Result<std::vector<NodeKey>> providers) {
        auto callback = std::exchange(callback_, nullptr);
        callback(std::move(providers));
    }

private:
    Callback callback_;
};

// Something was noted in Shared::changes.
struct Look {};

struct Received {
    NodeKey from;
    Bytes message;
};

struct Asked {
    NodeKey from;
    Bytes request;
    std::unique_ptr<interfaces::Responder> responder;
};

struct Wanted {
    ContentHash hash;
    Instant deadline;
    FindAnswer answer;
};

struct Answered {
    std::uint64_t find;
    NodeKey from;
    Result<Bytes> answer;
};

struct Shared {
    interfaces::Links& links;
    interfaces::Ledger& ledger;
    log::Logger log;
    mutable std::mutex mutex{};
    // What has changed since the object looked; bounded by peers and provided_max.
    std::map<NodeKey, bool> links_changed{};  // true: it was down in between
    std::set<NodeKey> links_up{};
    std::map<ContentHash, bool> provided_changed{};  // whether it is provided
    bool is_ledger_changed = true;
    std::set<ContentHash> provided{};
    interfaces::ProvidersStatus status{};
    std::atomic<std::uint64_t> overflowed = 0;
};

Result<std::vector<NodeKey>> active_nodes(const interfaces::StateView& view) {
    constexpr std::size_t kPage = 256;
    std::vector<NodeKey> active;
    std::optional<NodeKey> last;
    while (active.size() < kNodesMax) {
        DRACO_TRY(page, view.nodes(last, kPage));
        if (page.empty()) break;
        last = page.back().first;
        for (const auto& [key, record] : page)
            if (record.participation == types::Participation::Active ||
                record.participation == types::Participation::OptedOut)
                active.push_back(key);
    }
    return active;
}

class Object {
public:
    using Messages = affair::Messages<Look, Received, Asked, Wanted, Answered>;

    Object(Shared& shared, affair::Self<Object> self, Core core)
        : shared_(shared), self_(std::move(self)), core_(std::move(core)) {}

    ~Object() {
        disarm();
        for (auto& [find, waiting] : finds_)
            self_.executor().post([answer = std::move(waiting)]() mutable {
                answer(fail(Errc::Unavailable, "nobody is looked for any more: the node stops"));
            });
    }

    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    void handle(Look /*look*/) {
        take_changes();
        arm();
    }

    void handle(Received event) {
        take_changes();
        step(MessageReceived{event.from, event.message});
    }

    void handle(Asked event) {
        take_changes();
        responders_.emplace(next_, std::move(event.responder));
        step(LookupReceived{next_++, event.from, event.request});
    }

    void handle(Wanted event) {
        take_changes();
        finds_.emplace(next_, std::move(event.answer));
        step(Find{next_++, event.hash, event.deadline});
    }

    void handle(const Answered& event) {
        step(AnswerReceived{event.find, event.from, event.answer});
    }

private:
    class AnswerReceiver;

    void take_changes() {
        std::map<NodeKey, bool> links_changed;
        std::set<NodeKey> links_up;
        std::map<ContentHash, bool> provided_changed;
        bool is_ledger_changed = false;
        {
            const std::lock_guard lock(shared_.mutex);
            links_changed.swap(shared_.links_changed);
            if (!links_changed.empty()) links_up = shared_.links_up;
            provided_changed.swap(shared_.provided_changed);
            is_ledger_changed = std::exchange(shared_.is_ledger_changed, false);
        }
        if (is_ledger_changed) look_at_ledger();
        for (const auto& [key, was_down] : links_changed) {
            if (was_down) run(PeerDown{key});
            if (links_up.contains(key)) run(PeerUp{key});
        }
        // Withdrawals make room.
        for (const auto& [hash, is_provided] : provided_changed)
            if (!is_provided) run(Withdraw{hash});
        for (const auto& [hash, is_provided] : provided_changed)
            if (is_provided) run(Provide{hash});
    }

    void look_at_ledger() {
        auto nodes = active_nodes(*shared_.ledger.view());
        if (!nodes) {
            shared_.log.warn("the active nodes could not be read; the next block tries again",
                             {{"error", to_string(nodes.error())}});
            return;
        }
        if (*nodes == nodes_) return;
        nodes_ = *std::move(nodes);
        run(NodesChanged{nodes_});
    }

    void step(const Event& event) {
        run(event);
        arm();
    }

    void run(const Event& event) {
        Effects effects;
        core_.step(event, moment(), effects);
        for (Answer& answer : effects.answers) reply(answer);
        for (const Ask& one : effects.asks) ask(one);
        for (Done& done : effects.done) tell(done);
        std::set<NodeKey> refused;
        for (const Send& send : effects.sends)
            if (!shared_.links.send(send.to, Protocol::Providers, Channel::Control, send.message))
                refused.insert(send.to);
        // It rests then, so each peer is told of once.
        for (const NodeKey& peer : refused) run(SendFailed{peer});
        const std::lock_guard lock(shared_.mutex);
        shared_.status = core_.status();
    }

    void reply(Answer& answer) {
        const auto found = responders_.find(answer.ticket);
        const auto responder = std::move(found->second);
        responders_.erase(found);
        if (!answer.answer) return responder->finish(std::unexpected(answer.answer.error()));
        // A requester that gives no credit for one short chunk gets none.
        const auto written = responder->write(*std::move(answer.answer));
        responder->finish(written);
    }

    void ask(const Ask& one);

    void tell(Done& done) {
        const auto found = finds_.find(done.find);
        self_.executor().post(
            [answer = std::move(found->second), providers = std::move(done.providers)]() mutable {
                answer(std::move(providers));
            });
        finds_.erase(found);
    }

    void arm() {
        const auto wake = core_.wake_at();
        if (wake == armed_) return;
        disarm();
        if (!wake) return;
        auto turn = self_.in_turn([](Object& object) {
            object.armed_.reset();
            object.step(TimePassed{});
        });
        if (!turn) return;
        armed_ = wake;
        timer_ = self_.executor().post_at(*wake, *std::move(turn));
    }

    void disarm() {
        if (armed_) self_.executor().cancel(timer_);
        armed_.reset();
    }

    Moment moment() const {
        const Clock& clock = self_.executor().clock();
        return {.now = clock.now(), .unix_now = clock.unix_now()};
    }

    Shared& shared_;
    affair::Self<Object> self_;
    Core core_;
    std::vector<NodeKey> nodes_;
    std::map<std::uint64_t, std::unique_ptr<interfaces::Responder>> responders_;  // by ticket
    std::map<std::uint64_t, FindAnswer> finds_;
    std::uint64_t next_ = 1;
    std::optional<Instant> armed_;
    TimerId timer_{};
};

class Object::AnswerReceiver final : public interfaces::ResponseReceiver {
public:
    AnswerReceiver(affair::Address<Answered> object, std::uint64_t find, const NodeKey& from)
        : object_(std::move(object)), find_(find), from_(from) {}

    void on_chunk(Bytes chunk) override {
        if (bytes_.size() + chunk.size() <= kAnswerBytesMax) append(bytes_, chunk);
    }

    // One that a full mailbox refuses is as good as none.
    void on_end(Result<> outcome) override {
        Result<Bytes> answer = std::move(bytes_);
        if (!outcome) answer = std::unexpected(std::move(outcome).error());
        static_cast<void>(object_.tell(Answered{find_, from_, std::move(answer)}));
    }

private:
    affair::Address<Answered> object_;
    std::uint64_t find_;
    NodeKey from_;
    Bytes bytes_;
};

void Object::ask(const Ask& one) {
    const affair::Address<Answered> address = self_.address();
    auto id =
        shared_.links.request(one.keeper,
                              Protocol::Providers,
                              one.request,
                              {.deadline = one.deadline},
                              std::make_unique<AnswerReceiver>(address, one.find, one.keeper));
    // As if it had been sent and failed, in a turn of its own.
    if (!id)
        static_cast<void>(
            address.tell(Answered{one.find, one.keeper, std::unexpected(std::move(id).error())}));
}

}  // namespace

class Resolver::State final : public interfaces::MessageReceiver,
                              public interfaces::RequestHandler,
                              public interfaces::LedgerObserver {
public:
    State(interfaces::Links& links,
          interfaces::Ledger& ledger,
          log::Log& log,
          const Options& options)
        : shared_{.links = links, .ledger = ledger, .log = log::Logger(log, "resolver")},
          options_(options) {}

    ~State() override {
        shared_.links.set_handler(Protocol::Providers, nullptr);
        shared_.links.set_receiver(Protocol::Providers, nullptr);
        if (is_observing_) shared_.ledger.remove_observer(*this);
    }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start(types::ChainId chain, types::NodeSecretKey key, affair::Registry& registry) {
        affair::ObjectOptions object{.name = "resolver", .capacity = options_.queue_max};
        DRACO_TRY(
            owner,
            registry.spawn<Object>(
                std::move(object), [this, chain, key = std::move(key)](affair::Self<Object> self) {
                    return std::make_unique<Object>(
                        shared_, std::move(self), Core(chain, key.clone(), options_.limits));
                }));
        owner_.emplace(std::move(owner));
        shared_.ledger.add_observer(*this);
        is_observing_ = true;
        look();
        shared_.links.set_handler(Protocol::Providers, this);
        shared_.links.set_receiver(Protocol::Providers, this);
        return {};
    }

    Result<> provide(const ContentHash& hash) {
        {
            const std::lock_guard lock(shared_.mutex);
            if (shared_.provided.contains(hash)) return {};
            if (shared_.provided.size() >= options_.limits.provided_max)
                return fail(Errc::Exhausted,
                            "this node provides " + std::to_string(shared_.provided.size()) +
                                " objects, as many as may be; others will not find this one here");
            shared_.provided.insert(hash);
            shared_.provided_changed[hash] = true;
        }
        look();
        return {};
    }

    void withdraw(const ContentHash& hash) {
        {
            const std::lock_guard lock(shared_.mutex);
            if (shared_.provided.erase(hash) == 0) return;
            shared_.provided_changed[hash] = false;
        }
        look();
    }

    void find(const ContentHash& hash, Instant deadline, FindCallback callback) {
        auto told = owner_->address().tell(Wanted{hash, deadline, FindAnswer(std::move(callback))});
        if (!told) told.error().message.answer(std::unexpected(std::move(told.error().error)));
    }

    interfaces::ProvidersStatus status() const {
        const std::lock_guard lock(shared_.mutex);
        interfaces::ProvidersStatus status = shared_.status;
        status.refused_records += shared_.overflowed;
        return status;
    }

private:
    // A full mailbox loses nothing: the messages in it look for changes too.
    void look() { static_cast<void>(owner_->address().tell(Look{})); }

    // ---- Links

    void on_message(const NodeKey& from, ByteView message) override {
        constexpr std::size_t kMessageBytesMax =
            1 + kAnnouncedMax * types::kSignedProviderRecordBytes;
        if (message.size() > kMessageBytesMax ||
            !owner_->address().tell(Received{from, to_bytes(message)}))
            ++shared_.overflowed;
    }

    void on_link_up(const NodeKey& peer) override {
        {
            const std::lock_guard lock(shared_.mutex);
            shared_.links_up.insert(peer);
            shared_.links_changed.try_emplace(peer, false);
        }
        look();
    }

    void on_link_down(const NodeKey& peer) override {
        {
            const std::lock_guard lock(shared_.mutex);
            shared_.links_up.erase(peer);
            shared_.links_changed[peer] = true;
        }
        look();
    }

    void on_request(const NodeKey& from,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        auto told = owner_->address().tell(Asked{from, std::move(request), std::move(responder)});
        if (!told)
            told.error().message.responder->finish(
                fail(Errc::Exhausted, "too many lookups wait; come back"));
    }

    // ---- Ledger

    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override {
        const UnixTime time = block->content.block.timestamp;
        if (!block->result.next_committee && refreshed_ && time.ms < refreshed_->ms + kRefreshMs)
            return;
        refreshed_ = time;
        {
            const std::lock_guard lock(shared_.mutex);
            shared_.is_ledger_changed = true;
        }
        look();
    }

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

    Shared shared_;
    Options options_;
    bool is_observing_ = false;
    std::optional<UnixTime> refreshed_;  // of the ledger's thread
    std::optional<affair::Owner<Object>> owner_;
};

Resolver::Resolver(std::unique_ptr<State> state) : state_(std::move(state)) {}

Resolver::~Resolver() = default;

Result<std::unique_ptr<Resolver>> Resolver::make(types::ChainId chain,
                                                 types::NodeSecretKey key,
                                                 interfaces::Links& links,
                                                 interfaces::Ledger& ledger,
                                                 affair::Registry& registry,
                                                 log::Log& log,
                                                 const Options& options) {
    auto state = std::make_unique<State>(links, ledger, log, options);
    DRACO_TRY_VOID(state->start(chain, std::move(key), registry));
    return std::unique_ptr<Resolver>(new Resolver(std::move(state)));
}

Result<> Resolver::provide(const ContentHash& hash) {
    return state_->provide(hash);
}

void Resolver::withdraw(const ContentHash& hash) {
    state_->withdraw(hash);
}

void Resolver::find(const ContentHash& hash, Instant deadline, FindCallback callback) {
    state_->find(hash, deadline, std::move(callback));
}

interfaces::ProvidersStatus Resolver::status() const {
    return state_->status();
}

}  // namespace draco::resolver
