#include "draco/broadcast/gossip.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <utility>

namespace draco::broadcast {

namespace {

struct Received {
    types::NodeKey from;
    Bytes message;
};

struct Published {
    interfaces::Topic topic;
    Bytes payload;
};

struct LinksChanged {};

// What the object shares with the threads that call the Gossip.
struct Shared {
    interfaces::Links& links;
    log::Logger log;
    std::mutex subscriber_mutex{};
    interfaces::GossipSubscriber* subscriber = nullptr;  // of the one topic there is
    mutable std::mutex links_mutex{};
    std::map<types::NodeKey, bool> links_changed{};  // true: it was down in between
    std::set<types::NodeKey> links_up{};
    Counts counts{};
    std::atomic<std::uint64_t> overflowed = 0;
};

class Object {
public:
    using Messages = affair::Messages<Received, Published, LinksChanged>;

    Object(Shared& shared, affair::Self<Object> self, const Options& options)
        : shared_(shared), self_(std::move(self)), core_(options.seed, options.limits) {}

    ~Object() { disarm(); }

    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    void handle(Received event) {
        take_link_changes();
        step(MessageReceived{event.from, event.message});
    }

    void handle(Published event) {
        take_link_changes();
        step(Publish{event.topic, std::move(event.payload)});
    }

    void handle(LinksChanged /*event*/) {
        take_link_changes();
        arm();
    }

private:
    void take_link_changes() {
        std::map<types::NodeKey, bool> changed;
        std::set<types::NodeKey> up;
        {
            const std::lock_guard lock(shared_.links_mutex);
            changed.swap(shared_.links_changed);
            if (changed.empty()) return;
            up = shared_.links_up;
        }
        for (const auto& [key, was_down] : changed) {
            if (was_down) run(PeerDown{key});
            if (up.contains(key)) run(PeerUp{key});
        }
    }

    void step(const Event& event) {
        run(event);
        arm();
    }

    void run(const Event& event) {
        Effects effects;
        const Instant now = self_.executor().clock().now();
        core_.step(event, now, effects);
        if (effects.judge) {
            const auto judge = *std::exchange(effects.judge, std::nullopt);
            core_.step(Judged{judge.digest, ask_subscriber(judge)}, now, effects);
        }
        // What a full queue refuses is found through its digest later.
        for (const Send& one : effects.sends)
            static_cast<void>(shared_.links.send(
                one.to, interfaces::Protocol::Gossip, Channel::Control, *one.message));
        note_counts();
    }

    interfaces::GossipVerdict ask_subscriber(const Judge& judge) {
        const std::lock_guard lock(shared_.subscriber_mutex);
        if (shared_.subscriber == nullptr) return interfaces::GossipVerdict::Ignore;
        return shared_.subscriber->on_gossip(judge.from, *judge.payload);
    }

    void note_counts() {
        const Counts& counts = core_.counts();
        if (counts.mutes != mutes_told_) {
            mutes_told_ = counts.mutes;
            shared_.log.warn("a peer broke the rules of gossip; it is not listened to for a while",
                             {{"mutes", counts.mutes}, {"malformed", counts.malformed}});
        }
        const std::lock_guard lock(shared_.links_mutex);
        shared_.counts = counts;
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
        if (!turn) return;  // a timer that was just cancelled gives its place back
        armed_ = wake;
        timer_ = self_.executor().post_at(*wake, *std::move(turn));
    }

    void disarm() {
        if (armed_) self_.executor().cancel(timer_);
        armed_.reset();
    }

    Shared& shared_;
    affair::Self<Object> self_;
    Core core_;
    std::optional<Instant> armed_;
    TimerId timer_{};
    std::uint64_t mutes_told_ = 0;
};

}  // namespace

class Gossip::State final : public interfaces::MessageReceiver {
public:
    State(interfaces::Links& links, log::Log& log)
        : shared_{.links = links, .log = log::Logger(log, "broadcast")} {}

    ~State() override { shared_.links.set_receiver(interfaces::Protocol::Gossip, nullptr); }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start(affair::Registry& registry, const Options& options) {
        affair::ObjectOptions object{.name = "broadcast", .capacity = options.queue_max};
        DRACO_TRY(
            owner,
            registry.spawn<Object>(std::move(object), [this, options](affair::Self<Object> self) {
                return std::make_unique<Object>(shared_, std::move(self), options);
            }));
        owner_.emplace(std::move(owner));
        shared_.links.set_receiver(interfaces::Protocol::Gossip, this);
        return {};
    }

    Result<> publish(interfaces::Topic topic, Bytes payload) {
        if (payload.size() > interfaces::kGossipBytesMax)
            return fail(Errc::InvalidArgument,
                        "a payload of " + std::to_string(payload.size()) +
                            " bytes is too long for gossip; at most " +
                            std::to_string(interfaces::kGossipBytesMax) + " are sent");
        DRACO_TRY_VOID(owner_->address().tell(Published{topic, std::move(payload)}));
        return {};
    }

    void set_subscriber(interfaces::GossipSubscriber* subscriber) {
        const std::lock_guard lock(shared_.subscriber_mutex);
        shared_.subscriber = subscriber;
    }

    Counts counts() const {
        const std::lock_guard lock(shared_.links_mutex);
        Counts counts = shared_.counts;
        counts.over_rate += shared_.overflowed;
        return counts;
    }

private:
    void on_message(const types::NodeKey& from, ByteView message) override {
        if (message.size() > kGossipMessageBytesMax ||
            !owner_->address().tell(Received{from, to_bytes(message)}))
            ++shared_.overflowed;
    }

    void on_link_up(const types::NodeKey& peer) override {
        change(peer, [&] {
            shared_.links_up.insert(peer);
            shared_.links_changed.try_emplace(peer, false);
        });
    }

    void on_link_down(const types::NodeKey& peer) override {
        change(peer, [&] {
            shared_.links_up.erase(peer);
            shared_.links_changed[peer] = true;
        });
    }

    // A full mailbox loses nothing: the messages in it look for changes too.
    template <class Change>
    void change(const types::NodeKey& /*peer*/, Change apply) {
        {
            const std::lock_guard lock(shared_.links_mutex);
            apply();
        }
        static_cast<void>(owner_->address().tell(LinksChanged{}));
    }

    Shared shared_;
    std::optional<affair::Owner<Object>> owner_;
};

Gossip::Gossip(std::unique_ptr<State> state) : state_(std::move(state)) {}

Gossip::~Gossip() = default;

Result<std::unique_ptr<Gossip>> Gossip::make(interfaces::Links& links,
                                             affair::Registry& registry,
                                             log::Log& log,
                                             const Options& options) {
    auto state = std::make_unique<State>(links, log);
    DRACO_TRY_VOID(state->start(registry, options));
    return std::unique_ptr<Gossip>(new Gossip(std::move(state)));
}

Result<> Gossip::publish(interfaces::Topic topic, Bytes payload) {
    return state_->publish(topic, std::move(payload));
}

void Gossip::set_subscriber(interfaces::Topic /*topic*/, interfaces::GossipSubscriber* subscriber) {
    state_->set_subscriber(subscriber);
}

Counts Gossip::counts() const {
    return state_->counts();
}

}  // namespace draco::broadcast
