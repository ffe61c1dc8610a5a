#pragma once
// A deterministic world: nodes, the links between them and their disks, in virtual time, from one
// seed. The same seed and the same programs give the same events to the byte (scenario.hpp proves
// it by running twice). Faults are injected at run time, on any node or link.
//
// Threads: one. Everything, programs included, runs inside run_*() or step() of the thread that
// calls them; the capabilities of a Host may be used only there.
//
// Order: events run by time, then by the order in which they were scheduled. A node that is busy
// (pause(), latency of disk syncs) meets its events late, but in the same order.

#include "draco/base/executor.hpp"
#include "draco/base/rng.hpp"
#include "draco/base/transport.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/simulon/link.hpp"
#include "draco/simulon/trace.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace draco::simulon {

// What runs on a node from start to crash. It gets no notice of a crash: it is destroyed between
// two events while every capability already refuses. When the disk says Io it must stop, not abort.
class Program {
public:
    virtual ~Program() = default;
};

// The capabilities of one node; they outlive its programs. Each node has streams of randomness of
// its own, so that adding a node changes nothing for the others.
struct Host {
    PeerId id;
    Executor& executor;
    const Clock& clock;
    Rng& rng;
    Disk& disk;
    Transport& transport;
};

// Boots a node: the first time from an empty disk, later from what a crash has left of it.
using ProgramFactory = std::function<std::unique_ptr<Program>(const Host& host)>;

struct NodeOptions {
    DiskOptions disk = {};
    Duration clock_offset{0};          // of now(); at the start also of unix_now()
    std::int32_t clock_drift_ppm = 0;  // the node's clock runs faster by so much; above -1,000,000
};

// The bounds turn a livelock into an error.
struct WorldOptions {
    std::uint64_t events_max = 1'000'000'000;
    Duration virtual_time_max = std::chrono::hours(24 * 365);
    Duration link_notice_delay{0};  // until both ends hear that a link went up or down
    UnixTime unix_start{1'700'000'000'000};
};

struct WorldCounts {
    std::uint64_t events = 0;
    std::uint64_t messages_sent = 0;  // accepted by send(), and resent
    std::uint64_t messages_delivered = 0;
};

class World {
public:
    explicit World(std::uint64_t seed, WorldOptions options = {});
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // ---- Nodes. Ids are 0, 1, 2, ... An id that was never given out is a bug of the caller.

    PeerId add_node(ProgramFactory factory, NodeOptions options = {});
    std::size_t node_count() const;
    // Precondition: not running, and not called inside the very event in which it crashed.
    void start(PeerId node);
    void start_all();
    // The node is dead at once; its program is destroyed when the current event ends. Its disk
    // keeps what a crash leaves, messages to and from it are lost. No effect on a node that is not
    // running. disk(node).crash_at_change(n) does the same inside a disk operation.
    void crash(PeerId node);
    bool running(PeerId node) const;
    // What the factory returned. Precondition: running.
    Program& program(PeerId node);
    SimulatedDisk& disk(PeerId node);
    const Host& host(PeerId node);
    // The node does nothing for so long from now: a stalled process.
    void pause(PeerId node, Duration duration);
    // An operator sets the wall clock: unix_now() jumps, now() does not.
    void step_wall_clock(PeerId node, Duration by);

    // ---- Links. A link joins two nodes once, both ways. It is up while both run and it was not
    // taken down. Of two nodes that were never connected neither knows the other.

    void connect(PeerId a, PeerId b, const LinkOptions& options = {});
    // Connects every pair that is not connected yet.
    void connect_all(const LinkOptions& options = {});
    // Connects every pair: nodes lie in regions, and table[i][j] is the latency from i to j.
    void connect_regions(std::span<const std::size_t> region_of_node,
                         const std::vector<std::vector<Latency>>& table,
                         const LinkOptions& options = {});
    // The nodes this one is connected to, ascending.
    std::vector<PeerId> peers(PeerId node) const;
    // Of one direction. Precondition of all below: connected.
    const LinkOptions& link_options(PeerId from, PeerId to) const;
    void set_link_options(PeerId from, PeerId to, const LinkOptions& options);
    // Messages one way vanish, those in flight too, and nobody is told.
    void cut(PeerId from, PeerId to);
    void mend(PeerId from, PeerId to);
    // Sending is refused, and both ends are told. Of what is in flight each way, all is lost or a
    // random first part still arrives, before the receiver is told.
    void take_link_down(PeerId a, PeerId b);
    void bring_link_up(PeerId a, PeerId b);

    enum class Partition { Noticed, Silent };  // links are taken down, or cut both ways
    // Separates the groups from each other; nodes in none of them form one more group.
    void partition(std::span<const std::vector<PeerId>> groups, Partition kind);
    // Mends all cuts and brings all links up.
    void heal();

    // ---- Time.

    Instant now() const;
    // The world's own script: runs `action` at a time, between events of nodes.
    void at(Instant when, std::move_only_function<void()> action);
    // Runs one event; false if there is none.
    bool step();
    // Each returns Exhausted, with the busiest node, when a bound of WorldOptions is reached.
    Result<> run_until(Instant when);
    Result<> run_for(Duration duration);
    Result<> run_until_idle();
    // Stops after the first event that makes `done` true; DeadlineExceeded if none does in time.
    Result<> run_until_true(const std::function<bool()>& done, Duration limit);

    // ---- Randomness and evidence.

    std::uint64_t seed() const;
    // A stream for the scenario itself.
    SeededRng rng(std::string_view purpose) const;
    WorldCounts counts() const;
    const Trace& trace() const;
    // Over every event, message, disk change, and draw of randomness so far.
    std::uint64_t digest() const;

    class State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace draco::simulon
