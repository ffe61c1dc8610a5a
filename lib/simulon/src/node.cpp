#include "node.hpp"

#include "network.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace draco::simulon {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

Instant saturated(__int128 ns) {
    using Rep = Duration::rep;
    return {Duration(static_cast<Rep>(std::clamp<__int128>(
        ns, std::numeric_limits<Rep>::min(), std::numeric_limits<Rep>::max())))};
}

}  // namespace

Node::Node(
    Core& core, Network& network, std::uint32_t index, ProgramFactory factory, NodeOptions options)
    : core_(core),
      network_(network),
      index_(index),
      factory_(std::move(factory)),
      clock_offset_(options.clock_offset),
      clock_rate_(kMillion + options.clock_drift_ppm),
      rng_(core.rng.fork("node", index)),
      disk_(core.rng.fork("disk", index).seed(), options.disk, this),
      host_{PeerId(index), *this, *this, rng_, disk_, *this} {
    DRACO_ASSERT(clock_rate_ > 0, "a node's clock runs forward");
}

Node::~Node() = default;

void Node::boot() {
    DRACO_ASSERT(!running_ && program_ == nullptr, "only a node that does not run is started");
    disk_.restart();
    running_ = true;
    ++incarnation_;
    busy_until_ = core_.now;
    program_ = factory_(host_);
    DRACO_ASSERT(program_ != nullptr, "a factory makes a program");
}

void Node::kill() {
    running_ = false;
    receiver_ = nullptr;
    disk_.crash();
}

void Node::bury() {
    // Tasks first: they may point into the program.
    core_.queue.remove_tasks(index_);
    program_.reset();
    receiver_ = nullptr;
}

bool Node::wants(const Event& event) const {
    if (!running()) return false;
    if (event.kind == EventKind::Message) return receiver_ != nullptr;
    return event.epoch == incarnation_ && (event.kind == EventKind::Task || receiver_ != nullptr);
}

void Node::run(Event& event) {
    ++events_;
    switch (event.kind) {
        case EventKind::Task:
            event.task();
            break;
        case EventKind::Message:
            ++core_.counts.messages_delivered;
            receiver_->on_message(PeerId(event.peer), event.channel, event.message);
            break;
        case EventKind::LinkUp:
            receiver_->on_link_up(PeerId(event.peer));
            break;
        case EventKind::LinkDown:
            receiver_->on_link_down(PeerId(event.peer));
            break;
        case EventKind::Script:
            break;
    }
}

void Node::post(Task task) {
    post_at(now(), std::move(task));
}

TimerId Node::post_at(Instant when, Task task) {
    if (!running()) return TimerId();
    return core_.queue.add(
        std::max(world_time_of(when), world_time()),
        {.kind = EventKind::Task, .node = index_, .epoch = incarnation_, .task = std::move(task)});
}

bool Node::cancel(TimerId timer) {
    return core_.queue.remove_task(timer, index_).has_value();
}

UnixTime Node::unix_now() const {
    const auto local = (now() + wall_step_).since_origin;
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(local).count();
    const std::int64_t unix_ms = static_cast<std::int64_t>(core_.options.unix_start.ms) + ms;
    return {static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 0))};
}

Instant Node::local_time(Instant world) const {
    const __int128 scaled = static_cast<__int128>(world.since_origin.count()) * clock_rate_;
    return saturated(scaled / kMillion + clock_offset_.count());
}

Instant Node::world_time_of(Instant local) const {
    const __int128 scaled =
        (static_cast<__int128>(local.since_origin.count()) - clock_offset_.count()) * kMillion;
    if (scaled <= 0) return {};
    return saturated((scaled + clock_rate_ - 1) / clock_rate_);
}

Result<> Node::send(PeerId to, Channel channel, Bytes message) {
    if (!running()) return fail(Errc::Unavailable, "this node has crashed");
    return network_.send(*this, to, channel, std::move(message));
}

void Node::on_change(std::string_view operation, ByteView argument, ByteView data) {
    core_.trace.note(index_);
    core_.trace.note(as_bytes(operation));
    core_.trace.note(argument);
    core_.trace.note(data);
}

}  // namespace draco::simulon
