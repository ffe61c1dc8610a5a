#include "draco/campaign/network.hpp"

#include "adversary.hpp"
#include "chain.hpp"
#include "checker.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace draco::campaign {

namespace {

// Of each honest member nobody honest may ever count one of these.
constexpr consensus::Refusal kAccusations[] = {consensus::Refusal::WrongEpoch,
                                               consensus::Refusal::UnknownMember,
                                               consensus::Refusal::WrongSender,
                                               consensus::Refusal::BadShape,
                                               consensus::Refusal::NoQuorum,
                                               consensus::Refusal::BadSignature,
                                               consensus::Refusal::Equivocation,
                                               consensus::Refusal::Undecodable};

double milliseconds_of(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

double CommitDelay::mean_ms() const {
    if (samples.empty()) return 0;
    return milliseconds_of(std::accumulate(samples.begin(), samples.end(), Duration{})) /
           static_cast<double>(samples.size());
}

double CommitDelay::median_ms() const {
    if (samples.empty()) return 0;
    std::vector<Duration> sorted = samples;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::ranges::nth_element(sorted, middle);
    return milliseconds_of(*middle);
}

void Network::reset_measures() {
    anchor_delay_ = vertex_delay_ = {};
    answered_.clear();
    costs_ = {};
}

void Network::note_sent(std::size_t from, const consensus::Message& message) {
    ++sent_by_kind_[message.index()];
    if (std::holds_alternative<types::SignedHeader>(message) ||
        std::holds_alternative<types::Vote>(message) ||
        std::holds_alternative<consensus::BlockSignature>(message))
        ++machines_[from].signed_count;
    checker_->sent(machines_[from].member, message);
    if (const auto* header = std::get_if<types::SignedHeader>(&message))
        proposed_at_.try_emplace({header->header.author.value(), header->header.round.value()},
                                 now_);
}

void Network::count(const consensus::Message& message, std::size_t bytes, std::size_t receivers) {
    costs_.messages += receivers;
    costs_.message_bytes += bytes * receivers;
    std::uint64_t signatures = 0;
    if (std::holds_alternative<types::Vote>(message) ||
        std::holds_alternative<consensus::BlockSignature>(message)) {
        ++costs_.signatures_made;
        signatures = 1;
    } else if (const auto* certificate = std::get_if<types::Certificate>(&message)) {
        signatures = certificate->signatures->size();
    } else if (const auto* response = std::get_if<consensus::CertificateResponse>(&message)) {
        for (const auto& item : *response->certificates) signatures += item.signatures->size();
    }
    costs_.signatures_checked += signatures * receivers;
}

void Network::measure(const types::Block& block) {
    for (std::size_t depth = 0; depth < block.vertices->size(); ++depth)
        (*block.vertices)[depth].for_each([&](AuthorityIndex author) {
            const auto proposed =
                proposed_at_.find({author.value(), block.anchor_round.value() - depth});
            if (proposed == proposed_at_.end()) return;
            vertex_delay_.samples.push_back(now_ - proposed->second);
            if (depth == 0) anchor_delay_.samples.push_back(now_ - proposed->second);
        });
}

void Network::execute(std::size_t machine, const consensus::CommittedBlock& block) {
    Machine& m = machines_[machine];
    const std::uint64_t height = block.block.height.value();
    if (options_.last_height && height > *options_.last_height) return;
    if (height <= m.executed.size())
        checker_->repeated(m.executed[height - 1], block.digest);
    else
        execute_new(machine, block);
    if (options_.last_height && height == *options_.last_height)
        step(machine, consensus::EpochEnded{types::Height(height)});
    else
        step(machine, consensus::BlockExecuted{types::Height(height)});
}

// In order, though executing one may bring the next.
void Network::hand_over(std::size_t machine) {
    Machine& m = machines_[machine];
    if (std::exchange(m.handing_over, true)) return;
    const std::uint64_t life = m.life;
    while (m.life == life && !m.application_halts && !m.for_ledger.empty()) {
        const consensus::CommittedBlock next = std::move(m.for_ledger.front());
        m.for_ledger.pop_front();
        execute(machine, next);
    }
    if (m.life == life) m.handing_over = false;
}

void Network::resume_application(std::size_t machine) {
    machines_[machine].application_halts = false;
    hand_over(machine);
}

void Network::execute_new(std::size_t machine, const consensus::CommittedBlock& block) {
    Machine& m = machines_[machine];
    ++changes_;
    if (block.block.height.value() != m.executed.size() + 1)
        checker_->violation("a block was left out");
    if (options_.bug == PlantedBug::ForgedTransaction && !block.batches.empty()) {
        consensus::CommittedBlock forged = block;
        types::Batch batch = *forged.batches.front();
        batch.transactions = {};
        Bytes bytes(options_.transaction_bytes);
        store_le<std::uint64_t>(bytes.data(), next_transaction_ + 1000);
        static_cast<void>(batch.transactions.try_push_back(bytes));
        forged.batches.front() = std::make_shared<const types::Batch>(std::move(batch));
        checker_->executed(forged);
    } else if (is_honest(machine)) {
        checker_->executed(block);
    }
    note("block", block.digest.view());
    measure(block.block);
    m.executed.push_back(block.digest);
    m.blocks.push_back(block.block);
    m.contents.push_back(block.batches);
    for (const auto& batch : block.batches)
        for (const ByteView transaction : batch->transactions) {
            const std::uint64_t id = load_le<std::uint64_t>(transaction.data());
            if (!m.transactions.insert(id).second && !checker_->is_faulty(batch->author))
                checker_->violation("a transaction was executed twice");
            const auto owner = accepted_.find(id);
            if (owner == accepted_.end() || owner->second != machine) continue;
            if (const auto submitted = submitted_at_.extract(id))
                answered_.push_back({now_.since_origin, now_ - submitted.mapped()});
        }
}

// What core/sync does in a node: blocks up to the highest certificate a reachable peer has.
void Network::follow(std::size_t machine) {
    Machine& m = machines_[machine];
    m.following = false;
    const Machine* best = nullptr;
    for (std::size_t peer = 0; peer < machines_.size(); ++peer)
        if (connected(machine, peer) && is_honest(peer) &&
            (best == nullptr || machines_[peer].certified > best->certified))
            best = &machines_[peer];
    if (best == nullptr || m.application_halts) return;
    const std::uint64_t life = m.life;
    // Blocks that were executed in an earlier life, and are not in the log, come from the own
    // store.
    for (std::uint64_t height =
             std::min<std::uint64_t>(m.core->tip().height.value(), m.executed.size()) + 1;
         height <= std::max<std::uint64_t>(best->certified, m.executed.size());
         ++height) {
        const Machine& source = height <= m.executed.size() ? m : *best;
        if (height > source.blocks.size()) return;
        const types::Block block = source.blocks[height - 1];
        const auto content = source.contents[height - 1];
        execute(machine, {block, types::digest_of(kChain, block), content});
        if (machines_[machine].life != life) return;
        step(machine, consensus::BlockFollowed{block});
        if (machines_[machine].life != life) return;
    }
    m.certified =
        std::max(m.certified, std::min<std::uint64_t>(best->certified, m.executed.size()));
    ++changes_;
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

bool Network::all_honest_executed() const {
    std::set<std::size_t> honest;
    for (std::size_t i = 0; i < machines_.size(); ++i)
        if (is_honest(i)) honest.insert(i);
    return std::ranges::all_of(honest, [&](std::size_t i) { return is_up(i); }) &&
           all_executed(honest, honest);
}

bool Network::same_height() const {
    std::set<std::size_t> heights;
    for (std::size_t i = 0; i < machines_.size(); ++i)
        if (is_up(i) && is_honest(i)) heights.insert(machines_[i].executed.size());
    return heights.size() <= 1;
}

std::uint64_t Network::highest_round() const {
    std::uint64_t highest = 0;
    for (const Machine& m : machines_)
        if (m.core && m.core->dag().highest_round())
            highest = std::max(highest, m.core->dag().highest_round()->value());
    return highest;
}

const std::vector<std::string>& Network::violations() const {
    return checker_->violations();
}

void Network::check_end() {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        if (!is_up(i) || !is_honest(i)) continue;
        for (std::size_t peer = 0; peer < options_.members; ++peer) {
            if (!is_honest(peer)) continue;
            for (const consensus::Refusal accusation : kAccusations)
                if (machines_[i].core->refusals().of(machines_[peer].member, accusation) > 0)
                    checker_->violation("machine " + std::to_string(i) + " accuses member " +
                                        std::to_string(peer) +
                                        ", which is honest: " + std::string(to_string(accusation)));
        }
    }
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
        const consensus::Dag& dag = m.core->dag();
        text += " tip " + std::to_string(m.core->tip().height.value()) + " floor " +
                std::to_string(dag.floor().value()) + " quorum " + number(dag.quorum_round()) +
                " highest " + number(dag.highest_round()) + " suspended " +
                std::to_string(dag.suspended_count()) + " payload " +
                std::to_string(dag.unsettled_payload()) + " own bytes " +
                std::to_string(m.core->own_bytes()) + "\n";
        for (std::size_t peer = 0; peer < options_.members; ++peer)
            for (std::size_t reason = 0; reason < consensus::kRefusalCount; ++reason)
                if (const auto count =
                        m.core->refusals().of(AuthorityIndex(static_cast<std::uint16_t>(peer)),
                                              consensus::Refusal(reason)))
                    text += "    from " + std::to_string(peer) + ": " +
                            std::string(to_string(consensus::Refusal(reason))) + " x" +
                            std::to_string(count) + "\n";
    }
    return text;
}

}  // namespace draco::campaign
