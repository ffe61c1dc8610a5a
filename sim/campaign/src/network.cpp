#include "draco/campaign/network.hpp"

#include "adversary.hpp"
#include "chain.hpp"
#include "checker.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

constexpr std::uint64_t kUnixStart = 1'700'000'000'000;

types::NodeSecretKey key_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return types::NodeSecretKey(crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
}

types::TransactionBytes transaction(std::uint64_t id, std::size_t size) {
    Bytes bytes(size);
    store_le<std::uint64_t>(bytes.data(), id);
    return types::TransactionBytes::make(std::move(bytes)).value();
}

}  // namespace

Network::Machine::Machine() = default;
Network::Machine::Machine(Machine&&) noexcept = default;
Network::Machine& Network::Machine::operator=(Machine&&) noexcept = default;
Network::Machine::~Machine() = default;
Network::~Network() = default;

Network::Network(const NetworkOptions& options) : options_(options), random_(options_.seed) {
    for (std::size_t i = 0; i < options_.members; ++i)
        keys_.push_back(key_number(static_cast<std::uint8_t>(i + 1)));
    std::ranges::sort(keys_, {}, &types::NodeSecretKey::public_key);
    std::vector<types::NodeKey> members;
    members.reserve(keys_.size());
    for (const auto& key : keys_) members.push_back(key.public_key());
    committee_ = types::Committee::make(kEpoch, members).value();
    AuthoritySet faulty;
    for (std::size_t i = 0; i < std::max(options_.twins, options_.liars); ++i)
        faulty.insert(AuthorityIndex(static_cast<std::uint16_t>(i)));
    checker_ =
        std::make_unique<Checker>(kChain, *committee_, faulty, options_.parameters.gc_depth_rounds);
    machines_.resize(options_.members + options_.twins);
    group_.assign(machines_.size(), 0);
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        Machine& m = machines_[i];
        m.member = AuthorityIndex(
            static_cast<std::uint16_t>(i < options_.members ? i : i - options_.members));
        m.clock_skew_ms = static_cast<std::int64_t>(random_() % 101) - 50;
        if (i < options_.liars)
            m.adversary = std::make_unique<Adversary>(
                kChain, *committee_, m.member, keys_[i].clone(), options_.lies, random_());
    }
    for (std::size_t i = 0; i < machines_.size(); ++i) start(i, {});
    start_workers();
    if (options_.link_breaks_per_s > 0) break_some_link();
}

bool Network::is_honest(std::size_t machine) const {
    return !checker_->is_faulty(machines_[machine].member);
}

Duration Network::draw(Duration min, Duration max) {
    if (max <= min) return min;
    return min + Duration(static_cast<std::int64_t>(
                     random_() % static_cast<std::uint64_t>((max - min).count())));
}

void Network::at(Duration delay, std::function<void()> run) {
    events_.emplace(std::pair(now_ + delay, next_event_++), std::move(run));
}

void Network::note(std::string_view what, ByteView bytes) {
    Bytes head(16);
    store_le<std::uint64_t>(head.data(), static_cast<std::uint64_t>(now_.since_origin.count()));
    store_le<std::uint64_t>(head.data() + 8, bytes.size());
    trace_.update(head);
    trace_.update(as_bytes(what));
    trace_.update(bytes);
}

std::string Network::trace_hash() const {
    const auto hash = trace_.finish();
    return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

void Network::run(Duration duration) {
    run_until([] { return false; }, duration);
}

bool Network::run_until(const std::function<bool()>& condition, Duration limit) {
    const Instant end = now_ + limit;
    std::optional<std::uint64_t> asked_at;
    while (true) {
        if (asked_at != changes_) {
            if (condition()) return true;
            asked_at = changes_;
        }
        if (events_.empty() || events_.begin()->first.first > end) {
            now_ = end;
            return false;
        }
        auto next = events_.extract(events_.begin());
        now_ = next.key().first;
        next.mapped()();
    }
}

void Network::start(std::size_t machine, consensus::Recovery recovery) {
    Machine& m = machines_[machine];
    consensus::Parameters parameters = options_.parameters;
    if (machine == 1 && options_.bug == PlantedBug::GcDepthDiffers) --parameters.gc_depth_rounds;
    if (machine == 1 && options_.bug == PlantedBug::WindowDiffers)
        parameters.reputation_rounds = parameters.reputation_rounds > 8
                                           ? parameters.reputation_rounds - 1
                                           : parameters.reputation_rounds + 1;
    consensus::Seat seat{kChain,
                         *committee_,
                         keys_[m.member.value()].clone(),
                         types::WorkerIndex(0),
                         {},
                         options_.workers};
    auto core = consensus::Core::make(std::move(seat), parameters, std::move(recovery));
    if (!core) {
        checker_->violation("machine " + std::to_string(machine) +
                            " cannot recover: " + to_string(core.error()));
        return;
    }
    m.core = *std::move(core);
    m.signed_count = 0;
    ++changes_;
    for (std::size_t peer = 0; peer < machines_.size(); ++peer)
        if (peer != machine && is_up(peer)) link_up(machine, peer);
    for (std::size_t worker = 0; worker < workers_.size(); ++worker)
        if (workers_[worker].machine == machine && workers_[worker].core) link_to_node(worker);
    at(Duration(1), [this, machine, life = m.life] {
        if (machines_[machine].life == life && is_up(machine)) step(machine, consensus::WakeUp{});
    });
}

bool Network::submit(std::size_t machine, Door door) {
    const std::uint64_t id = next_transaction_++;
    checker_->submitted_below(next_transaction_);
    accepted_[id] = machine;
    submitted_at_[id] = now_;
    const std::size_t busy_before = machines_[machine].busy;
    bool taken = true;
    // Clients come to a worker, or to the node that passes it on.
    if (options_.workers > 0 && (door == Door::Worker || id % 4 != 0))
        taken = submit_to_worker(machine, transaction(id, options_.transaction_bytes));
    else
        step(machine,
             consensus::TransactionsSubmitted{{transaction(id, options_.transaction_bytes)}});
    taken = taken && machines_[machine].busy == busy_before;
    if (!taken) {
        accepted_.erase(id);
        submitted_at_.erase(id);
    }
    ++changes_;
    return taken;
}

void Network::step(std::size_t machine, const consensus::Event& event) {
    Machine& m = machines_[machine];
    consensus::Effects effects;
    ++steps_;
    const auto ms = now_.since_origin.count() / 1'000'000;
    const UnixTime unix{
        static_cast<std::uint64_t>(static_cast<std::int64_t>(kUnixStart) + ms + m.clock_skew_ms)};
    const Instant began = options_.stopwatch == nullptr ? Instant{} : options_.stopwatch->now();
    m.core->step(event, {now_, unix}, effects);
    if (options_.stopwatch != nullptr) costs_.cpu += options_.stopwatch->now() - began;
    m.wake = effects.wake;
    arm(machine);
    check_bounds(machine);
    perform(machine, std::move(effects));
}

// What a core holds that peers or clients could make it hold.
void Network::check_bounds(std::size_t machine) {
    const consensus::Core& core = *machines_[machine].core;
    if (options_.workers == 0 && core.own_bytes() > options_.parameters.own_bytes_max)
        checker_->violation("machine " + std::to_string(machine) + " holds too many own bytes");
    if (core.dag().suspended_count() > options_.members * options_.parameters.window_rounds)
        checker_->violation("machine " + std::to_string(machine) + " holds too many vertices");
}

// The core of a liar has learnt that another header than its own was certified. It starts again
// with that one in its log, so that it goes on lying.
void Network::stand_by_lie(std::size_t machine) {
    Machine& m = machines_[machine];
    const auto header = m.adversary->take_certified();
    if (!header) return;
    at(Duration(1), [this, machine, life = m.life, header = *header] {
        Machine& liar = machines_[machine];
        if (liar.life != life) return;
        stop(machine);
        liar.log.push_back({header.header.round, encode_record(consensus::OwnHeader{header})});
        liar.durable = liar.log.size();
        restart(machine);
    });
}

void Network::arm(std::size_t machine) {
    const Machine& m = machines_[machine];
    if (!m.wake) return;
    const Duration delay = std::max(Duration(0), *m.wake - now_);
    at(delay, [this, machine, life = m.life, wake = *m.wake] {
        Machine& woken = machines_[machine];
        if (woken.life != life || !woken.core || woken.wake != wake) return;
        woken.wake.reset();
        step(machine, consensus::WakeUp{});
    });
}

void Network::perform(std::size_t machine, consensus::Effects effects) {
    Machine& m = machines_[machine];
    const std::uint64_t life = m.life;
    if (effects.lost_records) {
        m.held_back.clear();
        std::erase_if(effects.sends, [](const consensus::Send& send) {
            return send.release == consensus::Release::AfterPersist;
        });
    }
    if (effects.lost_records && m.adversary != nullptr) stand_by_lie(machine);
    if (effects.prune_below) m.prune_below = *effects.prune_below;
    if (!write(machine, effects.persist)) return;
    for (const consensus::Send& send : effects.sends) {
        if (send.release == consensus::Release::AtOnce)
            transmit(machine, send);
        else
            hold_back(machine, [this, machine, send] { transmit(machine, send); });
    }
    for (const consensus::WorkerSend& send : effects.to_workers) tell_worker(machine, send);
    std::ranges::move(effects.blocks, std::back_inserter(m.for_ledger));
    hand_over(machine);
    if (machines_[machine].life != life) return;
    for (const types::BlockCertificate& certificate : effects.certificates) {
        if (options_.signatures == consensus::SignatureCheck::Required &&
            !types::verify(kChain, *committee_, certificate))
            checker_->violation("a block certificate does not verify");
        if (is_honest(machine)) checker_->certified(certificate);
        m.certified = std::max(m.certified, certificate.statement.height.value());
        ++changes_;
    }
    if (effects.fork) checker_->violation("a core reports a fork");
    m.busy += effects.busy.size();
    m.resubmit.insert(m.resubmit.end(), effects.resubmit.begin(), effects.resubmit.end());
    if (effects.follow_blocks && !m.following) {
        m.following = true;
        at(options_.delay_max, [this, machine, life] {
            if (machines_[machine].life == life && is_up(machine)) follow(machine);
        });
    }
    // What nothing waits for is synced with the next record that something waits for.
    if (!m.held_back.empty() && !m.syncing) sync_disk(machine);
}

}  // namespace draco::campaign
