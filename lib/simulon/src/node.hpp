#pragma once
// One simulated node: its capabilities, and the program that runs on it now. An incarnation is the
// time from a start to a crash; what one incarnation scheduled never runs in the next.

#include "draco/simulon/world.hpp"

#include "core.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace draco::simulon {

class Network;

class Node final : private Executor, private Clock, private Transport, private DiskObserver {
public:
    Node(Core& core,
         Network& network,
         std::uint32_t index,
         ProgramFactory factory,
         NodeOptions options);
    ~Node() override;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    void boot();
    // Everything is refused from here on, and the disk decides what survives.
    void kill();
    // Destroys the tasks and the program of a killed node.
    void bury();

    // A crash inside a disk operation ends it before kill() is called.
    bool running() const { return running_ && !disk_.crashed(); }

    // Running until now, or killed by its disk since.
    bool booted() const { return running_; }

    std::uint32_t incarnation() const { return incarnation_; }

    // The world's time as this node has come to: later than the core's while it is busy.
    Instant world_time() const { return std::max(core_.now, busy_until_); }

    Instant busy_until() const { return busy_until_; }

    void pause_until(Instant when) { busy_until_ = std::max(busy_until_, when); }

    void step_wall_clock(Duration by) { wall_step_ += by; }

    // Whether the event is for this incarnation, and somebody is there to take it.
    bool wants(const Event& event) const;
    // Precondition: wants(event).
    void run(Event& event);

    std::uint64_t events() const { return events_; }

    // For the digest: what the node would draw next.
    std::uint64_t peek_rng() const { return SeededRng(rng_).next(); }

    SimulatedDisk& disk() { return disk_; }

    Program& program() { return *program_; }

    const Host& host() const { return host_; }

private:
    void post(Task task) override;
    TimerId post_at(Instant when, Task task) override;
    bool cancel(TimerId timer) override;

    const Clock& clock() const override { return *this; }

    Instant now() const override { return local_time(world_time()); }

    UnixTime unix_now() const override;
    Instant local_time(Instant world) const;
    // The first world time at which now() is at least `local`.
    Instant world_time_of(Instant local) const;

    PeerId self() const override { return PeerId(index_); }

    Result<> send(PeerId to, Channel channel, Bytes message) override;

    void set_receiver(TransportReceiver* receiver) override { receiver_ = receiver; }

    void on_change(std::string_view operation, ByteView argument, ByteView data) override;

    void on_busy(Duration duration) override { busy_until_ = world_time() + duration; }

    Core& core_;
    Network& network_;
    const std::uint32_t index_;
    const ProgramFactory factory_;
    const Duration clock_offset_;
    const std::int64_t clock_rate_;  // local nanoseconds per million of the world
    SeededRng rng_;
    SimulatedDisk disk_;
    const Host host_;
    std::unique_ptr<Program> program_;
    TransportReceiver* receiver_ = nullptr;
    Duration wall_step_{0};
    Instant busy_until_;
    std::uint64_t events_ = 0;
    std::uint32_t incarnation_ = 0;
    bool running_ = false;
};

}  // namespace draco::simulon
