#include "draco/campaign/network.hpp"
#include "draco/consensus/worker_core.hpp"

#include "chain.hpp"
#include "checker.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

// Between a node and its workers.
constexpr Duration kNearDelayMin = std::chrono::microseconds(50);
constexpr Duration kNearDelayMax = std::chrono::microseconds(500);

}  // namespace

Network::Worker::Worker() = default;
Network::Worker::Worker(Worker&&) noexcept = default;
Network::Worker& Network::Worker::operator=(Worker&&) noexcept = default;
Network::Worker::~Worker() = default;

void Network::start_workers() {
    workers_.resize(machines_.size() * options_.workers);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i].machine = i / options_.workers;
        workers_[i].lane = i % options_.workers;
        restart_worker(i);
    }
}

void Network::restart_worker(std::size_t worker) {
    Worker& w = workers_[worker];
    if (w.core) return;
    // Forgets what it may, or less: whole segments go, and late.
    const auto kept = std::ranges::find_if(
        w.log, [&](const LogEntry& entry) { return entry.round >= w.prunable; });
    if (random_() % 2 == 0) w.log.erase(w.log.begin(), kept);
    w.durable = w.log.size();
    std::vector<consensus::Record> records;
    records.reserve(w.log.size());
    for (const LogEntry& entry : w.log)
        records.push_back(consensus::decode_record(entry.record).value());
    consensus::WorkerSeat seat{kChain,
                               *committee_,
                               machines_[w.machine].member,
                               types::WorkerIndex(static_cast<std::uint16_t>(w.lane))};
    auto core = consensus::WorkerCore::make(std::move(seat), options_.parameters, records);
    if (!core) return checker_->violation("a worker cannot recover: " + to_string(core.error()));
    w.core = *std::move(core);
    ++changes_;
    link_to_node(worker);
}

void Network::link_to_node(std::size_t worker) {
    Worker& w = workers_[worker];
    const std::uint64_t link = ++w.link;
    at(draw(kNearDelayMin, kNearDelayMax), [this, worker, link] {
        const Worker& linked = workers_[worker];
        if (linked.link == link && linked.core && is_up(linked.machine))
            step(linked.machine, consensus::WorkerLink{linked.lane, true});
    });
}

void Network::break_worker_link(std::size_t worker, Duration down) {
    Worker& w = workers_[worker];
    const std::uint64_t link = ++w.link;
    if (is_up(w.machine)) step(w.machine, consensus::WorkerLink{w.lane, false});
    forget_lost(w.machine);
    at(down, [this, worker, link] {
        if (workers_[worker].link == link) link_to_node(worker);
    });
}

void Network::crash_worker(std::size_t worker, Duration down) {
    Worker& w = workers_[worker];
    if (!w.core) return;
    w.core.reset();
    ++w.life;
    ++w.link;
    ++changes_;
    w.syncing = false;
    w.held_back.clear();
    w.wake.reset();
    const std::size_t tail = w.log.size() - w.durable;
    w.log.resize(w.durable + (tail == 0 ? 0 : random_() % (tail + 1)));
    w.durable = w.log.size();
    forget_lost(w.machine);
    if (is_up(w.machine)) step(w.machine, consensus::WorkerLink{w.lane, false});
    at(down, [this, worker] { restart_worker(worker); });
}

bool Network::submit_to_worker(std::size_t machine, const types::TransactionBytes& transaction) {
    const std::size_t worker = machine * options_.workers + random_() % options_.workers;
    if (!workers_[worker].core) return false;
    const std::size_t busy = workers_[worker].busy;
    step_worker(worker, consensus::TransactionsSubmitted{{transaction}});
    return workers_[worker].busy == busy;
}

void Network::step_worker(std::size_t worker, const consensus::WorkerEvent& event) {
    Worker& w = workers_[worker];
    consensus::WorkerEffects effects;
    ++steps_;
    const Instant began = options_.stopwatch == nullptr ? Instant{} : options_.stopwatch->now();
    w.core->step(event, {now_, {}}, effects);
    if (options_.stopwatch != nullptr) costs_.cpu += options_.stopwatch->now() - began;
    if (w.core->own_bytes() > options_.parameters.own_bytes_max)
        checker_->violation("a worker holds too many own bytes");
    w.wake = effects.wake;
    if (w.wake)
        at(std::max(Duration(0), *w.wake - now_), [this, worker, life = w.life, wake = *w.wake] {
            Worker& woken = workers_[worker];
            if (woken.life != life || !woken.core || woken.wake != wake) return;
            woken.wake.reset();
            step_worker(worker, consensus::WakeUp{});
        });
    perform_worker(worker, std::move(effects));
}

void Network::perform_worker(std::size_t worker, consensus::WorkerEffects effects) {
    Worker& w = workers_[worker];
    w.busy += effects.busy.size();
    if (effects.prune_below) w.prune_below = *effects.prune_below;
    for (consensus::Persist& record : effects.persist) {
        append(record.record, record.rest());
        note("worker persist", record.record);
        w.log.push_back({record.round, std::move(record.record)});
    }
    for (const consensus::Send& send : effects.sends) transmit_to_workers(worker, send);
    for (const consensus::NodeSend& send : effects.to_node) {
        const auto tell = [this, worker, send] { tell_node(worker, send); };
        if (send.release == consensus::Release::AtOnce || w.durable >= w.log.size())
            tell();
        else
            w.held_back.push_back({w.log.size(), tell});
    }
    if (!w.held_back.empty() && !w.syncing) sync_worker(worker);
}

void Network::sync_worker(std::size_t worker) {
    Worker& w = workers_[worker];
    w.syncing = true;
    at(draw(Duration(1), options_.sync_max),
       [this, worker, life = w.life, records = w.log.size(), prune = w.prune_below] {
           Worker& synced = workers_[worker];
           if (synced.life != life || !synced.core) return;
           synced.syncing = false;
           synced.durable = records;
           synced.prunable = std::max(synced.prunable, prune);
           std::vector<HeldBack> held = std::exchange(synced.held_back, {});
           const auto waiting = std::ranges::find_if(
               held, [&](const HeldBack& each) { return each.records > records; });
           synced.held_back.assign(std::make_move_iterator(waiting),
                                   std::make_move_iterator(held.end()));
           held.erase(waiting, held.end());
           if (!synced.held_back.empty()) sync_worker(worker);
           for (const HeldBack& each : held) each.run();
       });
}

bool Network::workers_are_done() const {
    return std::ranges::all_of(workers_, [&](const Worker& worker) {
        return !is_honest(worker.machine) || (worker.core && worker.core->own_bytes() == 0);
    });
}

// --- links ---

// When a message of so many bytes has left the process: each has a machine and its link to itself.
// What is urgent overtakes what is not.
Instant Network::leaves(Instant& free, Channel channel, std::size_t bytes) const {
    if (options_.bytes_per_s == 0) return now_;
    const Duration takes(static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 /
                                                   static_cast<double>(options_.bytes_per_s)));
    free = std::max(free, now_) + takes;
    return channel == Channel::Bulk ? free : now_ + takes;
}

void Network::transmit_to_workers(std::size_t worker, const consensus::Send& send) {
    const Worker& w = workers_[worker];
    note("worker send", *send.message);
    receivers(w.machine, send.to).for_each([&](AuthorityIndex to) {
        transmit_to_worker(worker, to.value(), send);
    });
}

void Network::transmit_to_worker(std::size_t worker,
                                 std::size_t machine,
                                 const consensus::Send& send) {
    Worker& w = workers_[worker];
    const bool withholds = w.machine < options_.liars && !liars_are_silent_ &&
                           send.channel == Channel::Bulk && (send.to || random_() % 2 == 0);
    if (withholds) return;
    const std::size_t peer = machine * options_.workers + w.lane;
    ++costs_.messages;
    costs_.message_bytes += send.message->size();
    Instant& last = worker_fifo_[{worker, peer, send.channel}];
    const Duration delay =
        draw(options_.delay_min, options_.delay_max) + machines_[w.machine].extra_delay;
    last = std::max(leaves(w.link_free, send.channel, send.message->size()) + delay,
                    last + Duration(1));
    at(last - now_, [this, worker, peer, machine, message = send.message] {
        const std::size_t from = workers_[worker].machine;
        if (!workers_[peer].core || group_[from] != group_[machine] ||
            broken_.contains({std::min(from, machine), std::max(from, machine)}) ||
            one_way_.contains({from, machine}))
            return;
        auto checked = consensus::verify(consensus::decode_message(*message).value(),
                                         machines_[from].member,
                                         *committee_,
                                         kChain,
                                         options_.signatures);
        if (!checked) return checker_->refused_at_the_gate(machines_[from].member, checked.error());
        std::visit(
            [&](auto&& body) {
                using Body = std::decay_t<decltype(body)>;
                if constexpr (std::is_same_v<Body, consensus::CheckedBatch> ||
                              std::is_same_v<Body, consensus::BatchStored> ||
                              std::is_same_v<Body, consensus::BatchRequest>)
                    step_worker(peer, consensus::PeerMessage{machines_[from].member, body});
            },
            *checked);
    });
}

void Network::tell_node(std::size_t worker, const consensus::NodeSend& send) {
    Worker& w = workers_[worker];
    note("to node", *send.message);
    Instant& last = w.to_node[send.channel];
    last = std::max(now_ + draw(kNearDelayMin, kNearDelayMax), last + Duration(1));
    at(last - now_, [this, worker, link = w.link, message = send.message] {
        const Worker& from = workers_[worker];
        if (from.link != link || !is_up(from.machine)) return;
        hear_worker(from.machine, from.lane, bcs::decode<consensus::FromWorker>(*message).value());
    });
}

void Network::hear_worker(std::size_t machine,
                          std::size_t lane,
                          const consensus::FromWorker& message) {
    if (const auto* batch = std::get_if<types::Batch>(&message))
        return step(machine, consensus::WorkerSaid{lane, consensus::checked(kChain, *batch)});
    if (const auto* report = std::get_if<consensus::WorkerReport>(&message))
        return step(machine, consensus::WorkerSaid{lane, *report});
    if (const auto* all = std::get_if<consensus::AllReported>(&message))
        return step(machine, consensus::WorkerSaid{lane, *all});
    // What is executed here is not submitted again: its number is used up.
    for (const auto& each : *std::get<consensus::TransactionsReturned>(message).transactions) {
        const std::uint64_t id = load_le<std::uint64_t>(each->data());
        if (!is_up(machine) || machines_[machine].transactions.contains(id)) continue;
        const std::size_t busy = machines_[machine].busy;
        step(machine, consensus::TransactionsSubmitted{{each}});
        if (machines_[machine].busy != busy) accepted_.erase(id);
    }
}

void Network::tell_worker(std::size_t machine, const consensus::WorkerSend& send) {
    const std::size_t worker = machine * options_.workers + send.lane;
    Worker& w = workers_[worker];
    note("to worker", *send.message);
    w.from_node = std::max(now_ + draw(kNearDelayMin, kNearDelayMax), w.from_node + Duration(1));
    at(w.from_node - now_, [this, worker, link = w.link, message = send.message] {
        const Worker& to = workers_[worker];
        if (to.link != link || !to.core || !is_up(to.machine)) return;
        const auto decoded = bcs::decode<consensus::ToWorkerProcess>(*message).value();
        step_worker(worker, consensus::NodeMessage{std::get<consensus::ToWorker>(decoded)});
    });
}

}  // namespace draco::campaign
