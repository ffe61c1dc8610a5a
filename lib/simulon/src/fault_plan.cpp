#include "draco/simulon/fault_plan.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace draco::simulon {
namespace {

constexpr std::uint32_t kDiskChangeMax = 20;
constexpr std::uint32_t kSlowdownMax = 20;

std::string_view name_of(FaultKind kind) {
    switch (kind) {
        case FaultKind::Crash:
            return "crash";
        case FaultKind::CrashInDiskChange:
            return "crash in disk change";
        case FaultKind::Pause:
            return "pause";
        case FaultKind::LinkFlap:
            return "link flap";
        case FaultKind::OneWayCut:
            return "one-way cut";
        case FaultKind::Partition:
            return "partition";
        case FaultKind::SlowNode:
            return "slow node";
    }
    return "unknown";
}

bool is_crash(const Fault& fault) {
    return fault.kind == FaultKind::Crash || fault.kind == FaultKind::CrashInDiskChange;
}

// Whether one more crash over this time would take too many nodes down, or one node twice.
bool is_one_too_many(const Fault& crash, const std::vector<Fault>& faults, std::uint32_t down_max) {
    std::uint32_t down = 0;
    for (const Fault& other : faults) {
        if (!is_crash(other) || other.at + other.length < crash.at) continue;
        if (other.node == crash.node) return true;
        ++down;
    }
    return down >= down_max;
}

bool needs_peer(FaultKind kind) {
    return kind == FaultKind::LinkFlap || kind == FaultKind::OneWayCut;
}

Fault draw_fault(World& world, SeededRng& rng, const FaultPlanOptions& options, Duration at) {
    Fault fault;
    fault.kind = options.kinds[rng.below(options.kinds.size())];
    fault.at = world.now() + at;
    const auto longest = std::min(options.length_max, options.duration - at).count();
    fault.length =
        Duration(static_cast<Duration::rep>(rng.between(0, static_cast<std::uint64_t>(longest))));
    fault.node = PeerId(static_cast<std::uint32_t>(rng.below(world.node_count())));
    const auto peers = world.peers(fault.node);
    fault.peer = peers.empty() ? fault.node : peers[rng.below(peers.size())];
    fault.count = static_cast<std::uint32_t>(
        rng.between(1, fault.kind == FaultKind::CrashInDiskChange ? kDiskChangeMax : kSlowdownMax));
    if (fault.kind == FaultKind::Partition)
        for (std::uint32_t node = 0; node < world.node_count(); ++node)
            if (rng.below(2) == 0) fault.group.emplace_back(node);
    return fault;
}

void set_latency_factor(
    World& world, PeerId node, PeerId peer, LinkOptions options, std::uint32_t factor) {
    options.latency = options.latency.scaled(factor);
    world.set_link_options(node, peer, options);
}

// Links as they were when the faults were scheduled.
struct LinkState {
    PeerId from;
    PeerId to;
    LinkOptions options;
};

using Links = std::vector<LinkState>;

Links links_of(const World& world) {
    Links links;
    for (std::uint32_t from = 0; from < world.node_count(); ++from)
        for (const PeerId to : world.peers(PeerId(from)))
            links.push_back({PeerId(from), to, world.link_options(PeerId(from), to)});
    return links;
}

void slow_down(World& world, const Links& links, PeerId node, std::uint32_t factor) {
    for (const auto& [from, to, options] : links)
        if (from == node || to == node) set_latency_factor(world, from, to, options, factor);
}

void begin(World& world, const Fault& fault, const Links& links) {
    switch (fault.kind) {
        case FaultKind::Crash:
            return world.crash(fault.node);
        case FaultKind::CrashInDiskChange:
            return world.disk(fault.node).crash_at_change(fault.count);
        case FaultKind::Pause:
            return world.pause(fault.node, fault.length);
        case FaultKind::LinkFlap:
            return world.take_link_down(fault.node, fault.peer);
        case FaultKind::OneWayCut:
            return world.cut(fault.node, fault.peer);
        case FaultKind::Partition:
            return world.partition(
                {&fault.group, 1},
                fault.count % 2 == 1 ? World::Partition::Silent : World::Partition::Noticed);
        case FaultKind::SlowNode:
            return slow_down(world, links, fault.node, fault.count);
    }
}

void end(World& world, const Fault& fault, const Links& links) {
    switch (fault.kind) {
        case FaultKind::Crash:
        case FaultKind::CrashInDiskChange:
            world.disk(fault.node).crash_at_change(0);
            if (!world.running(fault.node)) world.start(fault.node);
            return;
        case FaultKind::Pause:
            return;
        case FaultKind::LinkFlap:
            return world.bring_link_up(fault.node, fault.peer);
        case FaultKind::OneWayCut:
            return world.mend(fault.node, fault.peer);
        case FaultKind::Partition:
            return world.heal();
        case FaultKind::SlowNode:
            return slow_down(world, links, fault.node, 1);
    }
}

}  // namespace

std::string to_string(const Fault& fault) {
    std::string text = std::to_string(fault.at.since_origin.count()) +
                       " ns: " + std::string(name_of(fault.kind)) + " for " +
                       std::to_string(fault.length.count()) + " ns";
    if (fault.kind == FaultKind::Partition) {
        text += fault.count % 2 == 1 ? ", silent, of nodes" : ", noticed, of nodes";
        for (const PeerId node : fault.group) text += " " + std::to_string(node.value());
        return text;
    }
    text += ", node " + std::to_string(fault.node.value());
    if (needs_peer(fault.kind)) text += ", peer " + std::to_string(fault.peer.value());
    if (fault.kind == FaultKind::CrashInDiskChange || fault.kind == FaultKind::SlowNode)
        text += ", count " + std::to_string(fault.count);
    return text;
}

std::vector<Fault> draw_faults(World& world, const FaultPlanOptions& options) {
    DRACO_ASSERT(!options.kinds.empty() && world.node_count() > 0, "there is something to fail");
    SeededRng rng = world.rng("faults");
    std::vector<Fault> faults;
    const auto step_max = static_cast<std::uint64_t>(2 * options.interval_mean.count());
    for (Duration at{0};;) {
        at += Duration(static_cast<Duration::rep>(rng.between(1, step_max)));
        if (at >= options.duration) return faults;
        Fault fault = draw_fault(world, rng, options, at);
        if (!world.running(fault.node)) continue;
        if (is_crash(fault) && is_one_too_many(fault, faults, options.down_max)) continue;
        if (needs_peer(fault.kind) && fault.peer == fault.node) continue;
        faults.push_back(std::move(fault));
    }
}

void schedule_faults(World& world, const std::vector<Fault>& faults, Duration duration) {
    const auto links = std::make_shared<const Links>(links_of(world));
    for (const Fault& fault : faults) {
        world.at(fault.at, [&world, fault, links] { begin(world, fault, *links); });
        world.at(fault.at + fault.length, [&world, fault, links] { end(world, fault, *links); });
    }
    world.at(world.now() + duration, [&world, links] {
        world.heal();
        for (const auto& [from, to, options] : *links) world.set_link_options(from, to, options);
    });
}

}  // namespace draco::simulon
