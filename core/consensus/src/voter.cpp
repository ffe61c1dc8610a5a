#include "draco/consensus/voter.hpp"

#include "draco/consensus/batch_age.hpp"

#include <algorithm>

namespace draco::consensus {

bool has_parents(const Dag& dag, const types::Header& header) {
    if (header.round.value() == 0) return true;
    const Round below(header.round.value() - 1);
    bool all = true;
    std::size_t next = 0;
    header.parent_authors.for_each([&](AuthorityIndex parent) {
        const types::HeaderDigest* digest = dag.digest({below, parent});
        all = all && digest != nullptr && *digest == (*header.parents)[next];
        ++next;
    });
    return all;
}

Result<Voter::Reception, Refusal> Voter::receive(CheckedHeader header,
                                                 const Dag& dag,
                                                 Instant now) {
    const Round round = header.header.header.round;
    Author& author = authors_[header.header.header.author.value()];
    // The parents of the floor's own round are forgotten already.
    if (round < dag.floor() || (round == dag.floor() && round.value() > 0))
        return std::unexpected(Refusal::Stale);
    if (round >= dag.end()) return std::unexpected(Refusal::TooFarAhead);
    if (author.last_round && round <= *author.last_round) {
        if (round < *author.last_round) return std::unexpected(Refusal::Stale);
        if (header.digest != author.last_header) return std::unexpected(Refusal::Equivocation);
        return Reception::VotedBefore;
    }
    if (author.pending) {
        const Round waiting = author.pending->header.header.round;
        if (round < waiting) return std::unexpected(Refusal::Stale);
        if (round == waiting) {
            if (author.pending->digest != header.digest)
                return std::unexpected(Refusal::Equivocation);
            return Reception::Pending;
        }
    }
    author.pending = std::move(header);
    author.received = now;
    author.founded = false;
    return Reception::Pending;
}

bool Voter::is_ready(const CheckedHeader& header,
                     const Dag& dag,
                     const BatchStore& batches,
                     UnixTime now) const {
    const types::Header& content = header.header.header;
    if (content.created.ms > now.ms + lead_ms_max_ || !has_parents(dag, content)) return false;
    return std::ranges::all_of(*content.batches, [&](const types::BatchReference& reference) {
        const CheckedBatch* batch = batches.find(reference.digest);
        return batch != nullptr && batch->bytes == reference.bytes &&
               batch->batch->author == content.author && batch->batch->worker == reference.worker &&
               is_of_age(*batch->batch, content.round, batch_age_rounds_max_);
    });
}

std::optional<CheckedHeader> Voter::next(const Dag& dag, const BatchStore& batches, UnixTime now) {
    for (Author& author : authors_) {
        if (!author.pending || !is_ready(*author.pending, dag, batches, now)) continue;
        std::optional<CheckedHeader> ready = std::move(author.pending);
        author.pending.reset();
        author.last_round = ready->header.header.round;
        author.last_header = ready->digest;
        return ready;
    }
    return std::nullopt;
}

void Voter::restore(const OwnVote& vote) {
    Author& author = authors_[vote.author.value()];
    if (author.last_round && *author.last_round > vote.round) return;
    author.last_round = vote.round;
    author.last_header = vote.header;
}

void Voter::prune(const Dag& dag) {
    for (Author& author : authors_)
        if (author.pending && author.pending->header.header.round <= dag.floor() &&
            dag.floor().value() > 0)
            author.pending.reset();
}

std::optional<Duration> Voter::future_delay(UnixTime now) const {
    std::optional<Duration> delay;
    for (const Author& author : authors_) {
        if (!author.pending) continue;
        const std::uint64_t created = author.pending->header.header.created.ms;
        if (created <= now.ms + lead_ms_max_) continue;
        // An absurd time in a header must not overflow ours: look again in a minute at the latest.
        const std::uint64_t ms = std::min<std::uint64_t>(created - now.ms - lead_ms_max_, 60'000);
        const Duration wait = std::chrono::milliseconds(ms);
        delay = delay ? std::min(*delay, wait) : wait;
    }
    return delay;
}

}  // namespace draco::consensus
