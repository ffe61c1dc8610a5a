#include "draco/simulon/world.hpp"

#include "core.hpp"
#include "network.hpp"
#include "node.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace draco::simulon {

class World::State {
public:
    State(std::uint64_t seed, const WorldOptions& options)
        : core(seed, options), network(core, nodes) {}

    Node& node(PeerId id) {
        DRACO_ASSERT(id.value() < nodes.size(), "a node's id comes from add_node()");
        return *nodes[id.value()];
    }

    // Also after a crash that happened inside a disk operation.
    void crash(PeerId id) {
        Node& victim = node(id);
        if (!victim.booted()) return;
        victim.kill();
        network.node_changed(id.value());
        dying.push_back(&victim);
        if (!in_event) bury_dying();
    }

    void bury_dying() {
        // A program's end may crash another node.
        while (!dying.empty()) {
            Node* const victim = dying.back();
            dying.pop_back();
            victim->bury();
        }
    }

    void start(PeerId id) {
        const bool was_in_event = std::exchange(in_event, true);
        node(id).boot();
        if (node(id).running())
            network.node_changed(id.value());
        else
            crash(id);
        in_event = was_in_event;
        if (!in_event) bury_dying();
    }

    // When the next event runs; nullopt if there is none. Events of busy nodes are put off first.
    std::optional<Instant> next_time() {
        while (!core.queue.empty()) {
            const Event& next = core.queue.first();
            const Instant time = core.queue.first_time();
            if (next.kind == EventKind::Script || nodes[next.node]->busy_until() <= time)
                return time;
            core.queue.defer_first(nodes[next.node]->busy_until());
        }
        return std::nullopt;
    }

    bool step() {
        const auto time = next_time();
        if (!time) return false;
        core.now = std::max(core.now, *time);
        Event event = core.queue.take_first();
        ++core.counts.events;
        core.trace.event(core.now, static_cast<std::uint64_t>(event.kind), event.node);
        in_event = true;
        if (event.kind == EventKind::Script)
            event.task();
        else
            run_on_node(event);
        event.task = {};
        in_event = false;
        bury_dying();
        return true;
    }

    // Runs the events up to `when` until `done`; true if it was done.
    template <class F>
    Result<bool> run(Instant when, const F& done) {
        while (!done()) {
            DRACO_TRY_VOID(check_bounds());
            const auto time = next_time();
            if (!time || *time > when) return false;
            step();
        }
        return true;
    }

    void run_on_node(Event& event) {
        Node& owner = *nodes[event.node];
        if (event.kind == EventKind::Message) core.trace.note(event.peer);
        if (!owner.wants(event)) return;
        if (event.kind == EventKind::Message && !network.arrives(event)) return;
        owner.run(event);
        if (owner.booted() && !owner.running()) crash(PeerId(event.node));
    }

    Result<> check_bounds() const {
        const auto& options = core.options;
        if (core.counts.events < options.events_max &&
            core.now.since_origin <= options.virtual_time_max)
            return {};
        const auto busiest =
            std::ranges::max_element(nodes, {}, [](const auto& each) { return each->events(); });
        std::string context = "the world ran " + std::to_string(core.counts.events) +
                              " events up to " + std::to_string(core.now.since_origin.count()) +
                              " ns, a bound of WorldOptions";
        if (busiest != nodes.end())
            context += "; the busiest node, " + std::to_string((*busiest)->host().id.value()) +
                       ", ran " + std::to_string((*busiest)->events());
        return fail(Errc::Exhausted, std::move(context));
    }

    // Every connected pair once, in order.
    template <class F>
    void for_each_pair(F visit) {
        for (std::uint32_t a = 0; a < nodes.size(); ++a)
            for (const std::uint32_t b : network.peers(a))
                if (a < b) visit(a, b);
    }

    Core core;
    std::vector<std::unique_ptr<Node>> nodes;
    Network network;
    std::vector<Node*> dying;
    bool in_event = false;
};

World::World(std::uint64_t seed, WorldOptions options)
    : state_(std::make_unique<State>(seed, options)) {}

World::~World() {
    for (std::uint32_t i = 0; i < node_count(); ++i) crash(PeerId(i));
}

PeerId World::add_node(ProgramFactory factory, NodeOptions options) {
    const auto index = static_cast<std::uint32_t>(state_->nodes.size());
    state_->nodes.push_back(
        std::make_unique<Node>(state_->core, state_->network, index, std::move(factory), options));
    state_->network.add_node();
    return PeerId(index);
}

std::size_t World::node_count() const {
    return state_->nodes.size();
}

void World::start(PeerId node) {
    state_->start(node);
}

void World::start_all() {
    for (std::uint32_t i = 0; i < node_count(); ++i)
        if (!running(PeerId(i))) start(PeerId(i));
}

void World::crash(PeerId node) {
    state_->crash(node);
}

bool World::running(PeerId node) const {
    return state_->node(node).running();
}

Program& World::program(PeerId node) {
    DRACO_ASSERT(running(node), "a node that runs has a program");
    return state_->node(node).program();
}

SimulatedDisk& World::disk(PeerId node) {
    return state_->node(node).disk();
}

const Host& World::host(PeerId node) {
    return state_->node(node).host();
}

void World::pause(PeerId node, Duration duration) {
    state_->node(node).pause_until(now() + duration);
}

void World::step_wall_clock(PeerId node, Duration by) {
    state_->node(node).step_wall_clock(by);
}

void World::connect(PeerId a, PeerId b, const LinkOptions& options) {
    state_->network.connect(a.value(), b.value(), options);
}

void World::connect_all(const LinkOptions& options) {
    for (std::uint32_t a = 0; a < node_count(); ++a)
        for (std::uint32_t b = a + 1; b < node_count(); ++b)
            if (!state_->network.connected(a, b)) state_->network.connect(a, b, options);
}

void World::connect_regions(std::span<const std::size_t> region_of_node,
                            const std::vector<std::vector<Latency>>& table,
                            const LinkOptions& options) {
    DRACO_ASSERT(region_of_node.size() == node_count(), "every node lies in a region");
    const auto toward = [&](std::uint32_t from, std::uint32_t to) {
        LinkOptions chosen = options;
        chosen.latency = table.at(region_of_node[from]).at(region_of_node[to]);
        return chosen;
    };
    for (std::uint32_t a = 0; a < node_count(); ++a)
        for (std::uint32_t b = a + 1; b < node_count(); ++b) {
            state_->network.connect(a, b, toward(a, b));
            state_->network.direction(b, a).options = toward(b, a);
        }
}

std::vector<PeerId> World::peers(PeerId node) const {
    std::vector<PeerId> ids;
    for (const std::uint32_t peer : state_->network.peers(node.value())) ids.emplace_back(peer);
    return ids;
}

const LinkOptions& World::link_options(PeerId from, PeerId to) const {
    return state_->network.direction(from.value(), to.value()).options;
}

void World::set_link_options(PeerId from, PeerId to, const LinkOptions& options) {
    state_->network.direction(from.value(), to.value()).options = options;
}

void World::cut(PeerId from, PeerId to) {
    state_->network.direction(from.value(), to.value()).is_cut = true;
}

void World::mend(PeerId from, PeerId to) {
    state_->network.direction(from.value(), to.value()).is_cut = false;
}

void World::take_link_down(PeerId a, PeerId b) {
    state_->network.set_taken_down(a.value(), b.value(), true);
}

void World::bring_link_up(PeerId a, PeerId b) {
    state_->network.set_taken_down(a.value(), b.value(), false);
}

void World::partition(std::span<const std::vector<PeerId>> groups, Partition kind) {
    std::vector<std::size_t> group_of(node_count(), groups.size());
    for (std::size_t group = 0; group < groups.size(); ++group)
        for (const PeerId node : groups[group]) group_of.at(node.value()) = group;
    state_->for_each_pair([&](std::uint32_t a, std::uint32_t b) {
        if (group_of[a] == group_of[b]) return;
        if (kind == Partition::Noticed) {
            state_->network.set_taken_down(a, b, true);
        } else {
            state_->network.direction(a, b).is_cut = true;
            state_->network.direction(b, a).is_cut = true;
        }
    });
}

void World::heal() {
    state_->for_each_pair([&](std::uint32_t a, std::uint32_t b) {
        state_->network.direction(a, b).is_cut = false;
        state_->network.direction(b, a).is_cut = false;
        state_->network.set_taken_down(a, b, false);
    });
}

Instant World::now() const {
    return state_->core.now;
}

void World::at(Instant when, std::move_only_function<void()> action) {
    state_->core.queue.add(std::max(when, now()),
                           {.kind = EventKind::Script, .task = std::move(action)});
}

bool World::step() {
    return state_->step();
}

Result<> World::run_until(Instant when) {
    DRACO_TRY_VOID(state_->run(when, [] { return false; }));
    state_->core.now = std::max(now(), when);
    return {};
}

Result<> World::run_for(Duration duration) {
    return run_until(now() + duration);
}

Result<> World::run_until_idle() {
    DRACO_TRY_VOID(state_->run(Instant{Duration::max()}, [] { return false; }));
    return {};
}

Result<> World::run_until_true(const std::function<bool()>& done, Duration limit) {
    const Instant deadline = now() + limit;
    DRACO_TRY(was_done, state_->run(deadline, done));
    if (was_done) return {};
    state_->core.now = deadline;
    return fail(Errc::DeadlineExceeded,
                "not done after " + std::to_string(limit.count()) + " ns of virtual time");
}

std::uint64_t World::seed() const {
    return state_->core.rng.seed();
}

SeededRng World::rng(std::string_view purpose) const {
    return state_->core.rng.fork("scenario").fork(purpose);
}

WorldCounts World::counts() const {
    return state_->core.counts;
}

const Trace& World::trace() const {
    return state_->core.trace;
}

std::uint64_t World::digest() const {
    Trace trace = state_->core.trace;
    for (const auto& node : state_->nodes) trace.note(node->peek_rng());
    return trace.digest();
}

}  // namespace draco::simulon
