#include "network.hpp"

#include <algorithm>

namespace draco::consensus::test {
namespace {

using Link = std::pair<std::size_t, std::size_t>;

constexpr types::ChainId kChain(1337);
constexpr Epoch kEpoch(3);
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

Link link_between(std::size_t a, std::size_t b) {
    return {std::min(a, b), std::max(a, b)};
}

}  // namespace

Network::Network(const NetworkOptions& options) : options_(options), random_(options_.seed) {
    for (std::size_t i = 0; i < options_.members; ++i)
        keys_.push_back(key_number(static_cast<std::uint8_t>(i + 1)));
    std::ranges::sort(keys_, {}, &types::NodeSecretKey::public_key);
    std::vector<types::NodeKey> members;
    members.reserve(keys_.size());
    for (const auto& key : keys_) members.push_back(key.public_key());
    committee_ = types::Committee::make(kEpoch, members).value();
    machines_.resize(options_.members + options_.twins);
    group_.assign(machines_.size(), 0);
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        machines_[i].member =
            AuthorityIndex(static_cast<std::uint16_t>(i < options_.members ? i : 0));
        machines_[i].clock_skew_ms = static_cast<std::int64_t>(random_() % 101) - 50;
    }
    for (std::size_t i = 0; i < machines_.size(); ++i) start(i, {});
    if (options_.link_breaks_per_s > 0) break_some_link();
}

Duration Network::draw(Duration min, Duration max) {
    if (max <= min) return min;
    return min + Duration(static_cast<std::int64_t>(
                     random_() % static_cast<std::uint64_t>((max - min).count())));
}

void Network::at(Duration delay, std::function<void()> run) {
    events_.emplace(std::pair(now_ + delay, next_event_++), Scheduled{std::move(run)});
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
    while (!condition()) {
        if (events_.empty() || events_.begin()->first.first > end) {
            now_ = end;
            return false;
        }
        auto next = events_.extract(events_.begin());
        now_ = next.key().first;
        next.mapped().run();
    }
    return true;
}

void Network::start(std::size_t machine, Recovery recovery) {
    Machine& m = machines_[machine];
    Seat seat{kChain, *committee_, keys_[m.member.value()].clone(), types::WorkerIndex(0), {}};
    auto core = Core::make(std::move(seat), options_.parameters, std::move(recovery));
    if (!core) {
        violations_.push_back("machine " + std::to_string(machine) +
                              " cannot recover: " + to_string(core.error()));
        return;
    }
    m.core = *std::move(core);
    m.signed_count = 0;
    for (std::size_t peer = 0; peer < machines_.size(); ++peer)
        if (peer != machine && is_up(peer)) link_up(machine, peer);
    at(Duration(1), [this, machine, life = m.life] {
        if (machines_[machine].life == life && is_up(machine)) step(machine, WakeUp{});
    });
}

void Network::crash(std::size_t machine) {
    Machine& m = machines_[machine];
    m.core.reset();
    ++m.life;
    std::erase_if(accepted_, [&](const auto& item) {
        return item.second == machine && std::ranges::none_of(machines_, [&](const Machine& other) {
                   return other.transactions.contains(item.first);
               });
    });
    // What was written and not synced survives in part.
    const std::size_t tail = m.log.size() - m.durable;
    m.log.resize(m.durable + (tail == 0 ? 0 : random_() % (tail + 1)));
    m.durable = m.log.size();
    m.syncing = false;
    m.after_persist.clear();
    m.wake.reset();
    m.following = false;
    for (std::size_t peer = 0; peer < machines_.size(); ++peer)
        ++link_generation_[link_between(machine, peer)];
}

void Network::restart(std::size_t machine, RecoveryMode mode) {
    Machine& m = machines_[machine];
    Recovery recovery{mode, {}, types::Height(m.executed.size())};
    if (mode == RecoveryMode::Observer) m.log.clear(), m.durable = 0;
    for (const Bytes& bytes : m.log) {
        auto record = decode_record(bytes).value();
        if (options_.lose_votes_in_crash && std::holds_alternative<OwnVote>(record)) continue;
        recovery.records.push_back(std::move(record));
    }
    start(machine, std::move(recovery));
}

bool Network::connected(std::size_t a, std::size_t b) const {
    return a != b && group_[a] == group_[b] && is_up(a) && is_up(b) &&
           !broken_.contains(link_between(a, b));
}

void Network::link_up(std::size_t a, std::size_t b) {
    const Link link = link_between(a, b);
    const std::uint64_t generation = ++link_generation_[link];
    for (const auto& [self, peer] : {std::pair(a, b), std::pair(b, a)})
        at(draw(options_.delay_min, options_.delay_max), [this, self, peer, link, generation] {
            if (link_generation_[link] == generation && connected(self, peer))
                step(self, LinkUp{machines_[peer].member});
        });
}

void Network::partition(std::vector<std::vector<std::size_t>> groups) {
    for (std::size_t g = 0; g < groups.size(); ++g)
        for (const std::size_t machine : groups[g]) group_[machine] = g;
    for (std::size_t a = 0; a < machines_.size(); ++a)
        for (std::size_t b = a + 1; b < machines_.size(); ++b)
            if (group_[a] != group_[b]) ++link_generation_[{a, b}];
}

void Network::heal() {
    const std::vector<std::size_t> before = group_;
    group_.assign(machines_.size(), 0);
    for (std::size_t a = 0; a < machines_.size(); ++a)
        for (std::size_t b = a + 1; b < machines_.size(); ++b)
            if (before[a] != before[b] && connected(a, b)) link_up(a, b);
}

void Network::break_some_link() {
    if (options_.link_breaks_per_s == 0) return;
    const auto mean = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(1.0 / options_.link_breaks_per_s));
    at(draw(mean / 2, mean * 3 / 2), [this] {
        if (options_.link_breaks_per_s == 0) return;
        const std::size_t a = random_() % machines_.size();
        const std::size_t b = random_() % machines_.size();
        if (a != b && !broken_.contains(link_between(a, b))) {
            const Link link = link_between(a, b);
            ++link_generation_[link];
            broken_.insert(link);
            at(draw(milliseconds(1), milliseconds(300)), [this, link] {
                broken_.erase(link);
                if (connected(link.first, link.second)) link_up(link.first, link.second);
            });
        }
        break_some_link();
    });
}

void Network::submit(std::size_t machine) {
    const std::uint64_t id = next_transaction_++;
    accepted_[id] = machine;
    const std::size_t busy_before = machines_[machine].busy;
    step(machine, TransactionsSubmitted{{transaction(id, options_.transaction_bytes)}});
    if (machines_[machine].busy != busy_before) accepted_.erase(id);
}

void Network::step(std::size_t machine, const Event& event) {
    Machine& m = machines_[machine];
    Effects effects;
    ++steps_;
    const auto ms = now_.since_origin.count() / 1'000'000;
    const UnixTime unix{
        static_cast<std::uint64_t>(static_cast<std::int64_t>(kUnixStart) + ms + m.clock_skew_ms)};
    m.core->step(event, {now_, unix}, effects);
    m.wake = effects.wake;
    arm(machine);
    perform(machine, std::move(effects));
}

void Network::arm(std::size_t machine) {
    const Machine& m = machines_[machine];
    if (!m.wake) return;
    const Duration delay = std::max(Duration(0), *m.wake - now_);
    at(delay, [this, machine, life = m.life, wake = *m.wake] {
        Machine& woken = machines_[machine];
        if (woken.life != life || !woken.core || woken.wake != wake) return;
        woken.wake.reset();
        step(machine, WakeUp{});
    });
}

void Network::perform(std::size_t machine, Effects effects) {
    Machine& m = machines_[machine];
    for (Persist& record : effects.persist) {
        note("persist", record.record);
        m.log.push_back(std::move(record.record));
    }
    const std::size_t written = m.log.size();
    const auto once_durable = [&](std::function<void()> run) {
        if (m.durable >= written && m.after_persist.empty())
            run();
        else
            m.after_persist.emplace_back(written, std::move(run));
    };
    for (const Send& send : effects.sends) {
        if (send.release == Release::AtOnce)
            transmit(machine, send);
        else
            once_durable([this, machine, send] { transmit(machine, send); });
    }
    for (const CommittedBlock& block : effects.blocks)
        once_durable([this, machine, block] { execute(machine, block); });
    for (const types::BlockCertificate& certificate : effects.certificates) {
        if (options_.signatures == SignatureCheck::Required &&
            !types::verify(kChain, *committee_, certificate))
            violations_.emplace_back("a block certificate does not verify");
        m.certified = std::max(m.certified, certificate.statement.height.value());
    }
    if (effects.fork) violations_.emplace_back("a core reports a fork");
    m.busy += effects.busy.size();
    m.resubmit.insert(m.resubmit.end(), effects.resubmit.begin(), effects.resubmit.end());
    if (effects.follow_blocks && !m.following) {
        m.following = true;
        at(options_.delay_max, [this, machine, life = m.life] {
            if (machines_[machine].life == life && is_up(machine)) follow(machine);
        });
    }
    if (m.durable < m.log.size() && !m.syncing) sync_disk(machine);
}

void Network::sync_disk(std::size_t machine) {
    Machine& m = machines_[machine];
    m.syncing = true;
    at(draw(Duration(1), options_.sync_max), [this, machine, life = m.life, synced = m.log.size()] {
        Machine& done = machines_[machine];
        if (done.life != life || !done.core) return;
        done.syncing = false;
        done.durable = synced;
        std::vector<std::function<void()>> released;
        auto& waiting = done.after_persist;
        std::size_t count = 0;
        while (count < waiting.size() && waiting[count].first <= synced)
            released.push_back(std::move(waiting[count++].second));
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
        if (done.durable < done.log.size()) sync_disk(machine);
        for (const auto& run : released)
            if (machines_[machine].life == life) run();
    });
}

void Network::check_sent(const Bytes& bytes, std::size_t from) {
    const auto message = decode_message(bytes);
    if (!message) {
        violations_.emplace_back("a message that does not decode was sent");
        return;
    }
    ++sent_by_kind_[message->index()];
    if (std::holds_alternative<types::SignedHeader>(*message) ||
        std::holds_alternative<types::Vote>(*message) ||
        std::holds_alternative<BlockSignature>(*message))
        ++machines_[from].signed_count;
    const bool twin = options_.twins > 0 && machines_[from].member.value() == 0;
    if (const auto* vote = std::get_if<types::Vote>(&*message); vote != nullptr && !twin) {
        const auto [entry, first] = votes_.try_emplace(
            {vote->voter.value(), vote->author.value(), vote->round.value()}, vote->header);
        if (!first && entry->second != vote->header)
            violations_.push_back("member " + std::to_string(vote->voter.value()) +
                                  " voted twice in a round");
    }
    if (const auto* header = std::get_if<types::SignedHeader>(&*message);
        header != nullptr && !twin) {
        const auto digest = types::digest_of(kChain, header->header);
        proposed_at_.try_emplace({header->header.author.value(), header->header.round.value()},
                                 now_);
        const auto [entry, first] = headers_.try_emplace(
            {header->header.author.value(), header->header.round.value()}, digest);
        if (!first && entry->second != digest)
            violations_.push_back("member " + std::to_string(header->header.author.value()) +
                                  " proposed twice in a round");
    }
}

void Network::transmit(std::size_t from, const Send& send) {
    check_sent(*send.message, from);
    for (std::size_t to = 0; to < machines_.size(); ++to) {
        const AuthorityIndex member = machines_[to].member;
        if (member == machines_[from].member || (send.to && *send.to != member)) continue;
        ++messages_sent_;
        note("send", *send.message);
        if (!connected(from, to)) continue;
        Instant& last = fifo_[{from, to, send.channel}];
        last = std::max(now_ + draw(options_.delay_min, options_.delay_max), last + Duration(1));
        const Link link = link_between(from, to);
        at(last - now_,
           [this, from, to, link, message = send.message, generation = link_generation_[link]] {
               if (link_generation_[link] == generation && connected(from, to))
                   deliver(from, to, message);
           });
    }
}

void Network::deliver(std::size_t from,
                      std::size_t to,
                      const std::shared_ptr<const Bytes>& message) {
    auto checked = verify(decode_message(*message).value(),
                          machines_[from].member,
                          *committee_,
                          kChain,
                          options_.signatures);
    if (!checked) {
        violations_.push_back("a message was refused: " + std::string(to_string(checked.error())));
        return;
    }
    step(to, MessageReceived{machines_[from].member, *std::move(checked)});
}

void Network::measure(const types::Block& block) {
    for (std::size_t depth = 0; depth < block.vertices->size(); ++depth)
        (*block.vertices)[depth].for_each([&](AuthorityIndex author) {
            const auto proposed =
                proposed_at_.find({author.value(), block.anchor_round.value() - depth});
            if (proposed == proposed_at_.end()) return;
            for (CommitDelay* delay : {&vertex_delay_, &anchor_delay_}) {
                if (delay == &anchor_delay_ && depth > 0) continue;
                ++delay->count;
                delay->total += now_ - proposed->second;
            }
        });
}

void Network::execute(std::size_t machine, const CommittedBlock& block) {
    Machine& m = machines_[machine];
    const std::uint64_t height = block.block.height.value();
    if (options_.last_height && height > *options_.last_height) return;
    if (height <= m.executed.size()) {
        if (m.executed[height - 1] != block.digest)
            violations_.push_back("height " + std::to_string(height) + " came again, different");
    } else {
        if (height != m.executed.size() + 1) violations_.emplace_back("a block was left out");
        const auto [agreed, first] = agreed_.try_emplace(height, block.digest);
        if (!first && agreed->second != block.digest)
            violations_.push_back("fork at height " + std::to_string(height));
        if (types::digest_of(kChain, block.block) != block.digest)
            violations_.emplace_back("a block's digest is not its digest");
        note("block", block.digest.view());
        measure(block.block);
        m.executed.push_back(block.digest);
        m.blocks.push_back(block.block);
        m.contents.push_back(block.batches);
        for (const auto& batch : block.batches)
            for (const ByteView tx : batch->transactions)
                if (!m.transactions.insert(load_le<std::uint64_t>(tx.data())).second &&
                    options_.twins == 0)
                    violations_.emplace_back("a transaction was executed twice");
    }
    if (options_.last_height && height == *options_.last_height)
        step(machine, EpochEnded{types::Height(height)});
    else
        step(machine, BlockExecuted{types::Height(height)});
}

// What core/sync does in a node: blocks up to the highest certificate a reachable peer has.
void Network::follow(std::size_t machine) {
    Machine& m = machines_[machine];
    m.following = false;
    const Machine* best = nullptr;
    for (std::size_t peer = 0; peer < machines_.size(); ++peer)
        if (connected(machine, peer) &&
            (best == nullptr || machines_[peer].certified > best->certified))
            best = &machines_[peer];
    if (best == nullptr) return;
    const std::uint64_t life = m.life;
    // Blocks that were executed in an earlier life, and are not in the log, come from the own
    // store.
    for (std::uint64_t height =
             std::min<std::uint64_t>(m.core->tip().height.value(), m.executed.size()) + 1;
         height <= std::max<std::uint64_t>(best->certified, m.executed.size()) &&
         machines_[machine].life == life;
         ++height) {
        const Machine& source = height <= m.executed.size() ? m : *best;
        if (height > source.blocks.size()) return;
        const types::Block block = source.blocks[height - 1];
        const auto content = source.contents[height - 1];
        execute(machine, {block, types::digest_of(kChain, block), content});
        step(machine, BlockFollowed{block});
    }
    m.certified =
        std::max(m.certified, std::min<std::uint64_t>(best->certified, m.executed.size()));
}

bool Network::all_executed() const {
    std::set<std::size_t> up;
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        all.insert(i);
        if (is_up(i)) up.insert(i);
    }
    return all_executed(all, up);
}

bool Network::all_executed(const std::set<std::size_t>& by, const std::set<std::size_t>& on) const {
    return std::ranges::all_of(accepted_, [&](const auto& item) {
        return !by.contains(item.second) || std::ranges::all_of(on, [&](std::size_t machine) {
            return machines_[machine].transactions.contains(item.first);
        });
    });
}

std::string Network::describe() const {
    std::string text;
    for (const auto& [kind, count] : sent_by_kind_)
        text += "kind " + std::to_string(kind) + ": " + std::to_string(count) + " sent\n";
    const auto number = [](std::optional<Round> round) {
        return round ? std::to_string(round->value()) : std::string("-");
    };
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        const Machine& m = machines_[i];
        text += "machine " + std::to_string(i) + ": executed " + std::to_string(m.executed.size()) +
                " certified " + std::to_string(m.certified);
        if (!m.core) {
            text += " down\n";
            continue;
        }
        const Dag& dag = m.core->dag();
        text += " tip " + std::to_string(m.core->tip().height.value()) + " floor " +
                std::to_string(dag.floor().value()) + " quorum " + number(dag.quorum_round()) +
                " highest " + number(dag.highest_round()) + " suspended " +
                std::to_string(dag.suspended_count()) + " payload " +
                std::to_string(dag.unsettled_payload()) + "\n";
        for (std::size_t peer = 0; peer < options_.members; ++peer)
            for (std::size_t reason = 0; reason < kRefusalCount; ++reason)
                if (const auto count = m.core->refusals().of(
                        AuthorityIndex(static_cast<std::uint16_t>(peer)), Refusal(reason)))
                    text += "    from " + std::to_string(peer) + ": " +
                            std::string(to_string(Refusal(reason))) + " x" + std::to_string(count) +
                            "\n";
    }
    return text;
}

bool Network::same_height() const {
    std::set<std::size_t> heights;
    for (const Machine& m : machines_)
        if (m.core) heights.insert(m.executed.size());
    return heights.size() <= 1;
}

}  // namespace draco::consensus::test
