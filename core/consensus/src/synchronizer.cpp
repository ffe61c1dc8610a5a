#include "draco/consensus/synchronizer.hpp"

#include <algorithm>

namespace draco::consensus {

Synchronizer::Synchronizer(const Parameters& parameters,
                           std::size_t committee_size,
                           AuthorityIndex self)
    : parameters_(parameters), size_(committee_size), self_(self), certificates_from_(self) {}

AuthorityIndex Synchronizer::after(AuthorityIndex member) const {
    std::size_t next = (member.value() + std::size_t{1}) % size_;
    if (next == self_.value()) next = (next + 1) % size_;
    return AuthorityIndex(static_cast<std::uint16_t>(next));
}

void Synchronizer::want_batch(const types::BatchReference& batch,
                              AuthorityIndex author,
                              Round round,
                              Named named,
                              Instant not_before) {
    const AuthorityIndex holder = author == self_ ? after(author) : author;
    const auto [entry, inserted] = wanted_.try_emplace(
        batch.digest, Want{batch.worker, author, holder, round, named, not_before});
    entry->second.round = std::max(entry->second.round, round);
    entry->second.named = std::max(entry->second.named, named);
}

void Synchronizer::forget_uncertified(AuthorityIndex author) {
    std::erase_if(wanted_, [&](const auto& item) {
        return item.second.author == author && item.second.named == Named::ByHeader;
    });
}

void Synchronizer::raise_floor(Round floor) {
    std::erase_if(wanted_, [&](const auto& item) { return item.second.round < floor; });
}

void Synchronizer::asked(Want& want, Instant now) const {
    want.holder = after(want.holder);
    // Rounds of asking everybody get rarer.
    const unsigned rounds = std::min<unsigned>(++want.asked / static_cast<unsigned>(size_), 4);
    want.due = now + parameters_.request_deadline * (1U << rounds);
}

std::vector<Synchronizer::Due> Synchronizer::due(Instant now) {
    std::vector<Due> due;
    for (auto& [digest, want] : wanted_) {
        if (want.due > now) continue;
        due.push_back({digest, want.worker, want.author, want.round});
        asked(want, now);
    }
    return due;
}

std::vector<Synchronizer::BatchQuery> Synchronizer::due_batches(Epoch epoch, Instant now) {
    std::vector<BatchQuery> queries;
    std::map<AuthorityIndex, BatchRequest> by_peer;
    for (auto& [digest, want] : wanted_) {
        if (want.due > now) continue;
        BatchRequest& request = by_peer[want.holder];
        request.epoch = epoch;
        if (!request.batches.try_push_back(digest)) {
            queries.push_back({want.holder, std::move(request)});
            request = {epoch, {}};
            static_cast<void>(request.batches.try_push_back(digest));
        }
        asked(want, now);
    }
    for (auto& [peer, request] : by_peer) queries.push_back({peer, std::move(request)});
    return queries;
}

std::optional<Instant> Synchronizer::batches_due_at() const {
    std::optional<Instant> due;
    for (const auto& [digest, want] : wanted_)
        if (!due || want.due < *due) due = want.due;
    return due;
}

std::optional<AuthorityIndex> Synchronizer::ask_certificates(Instant now) {
    if (size_ == 1 || (certificates_deadline_ && now < *certificates_deadline_))
        return std::nullopt;
    certificates_from_ = after(certificates_from_);
    certificates_deadline_ = now + parameters_.request_deadline;
    return certificates_from_;
}

void Synchronizer::answered(AuthorityIndex by) {
    if (by == certificates_from_) certificates_deadline_.reset();
}

CertificateRequest certificates_lacking(const Dag& dag, Epoch epoch) {
    CertificateRequest request{epoch, dag.floor(), {}};
    if (!dag.highest_round()) return request;
    for (std::uint64_t round = dag.floor().value(); round <= dag.highest_round()->value(); ++round)
        if (!request.have.try_push_back(
                dag.accepted(Round(round)).united(dag.suspended(Round(round)))))
            break;
    return request;
}

CertificateResponse certificates_for(const CertificateRequest& request,
                                     const Dag& dag,
                                     Epoch epoch,
                                     types::Height height) {
    CertificateResponse response{epoch, dag.floor(), height, {}};
    if (!dag.highest_round()) return response;
    const std::uint64_t first = std::max(request.first, dag.floor()).value();
    for (std::uint64_t round = first; round <= dag.highest_round()->value(); ++round) {
        const std::uint64_t offset = round - request.first.value();
        AuthoritySet lacking = dag.accepted(Round(round));
        if (offset < request.have->size()) lacking = lacking.without((*request.have)[offset]);
        bool fits = true;
        lacking.for_each([&](AuthorityIndex author) {
            fits = fits && response.certificates.try_push_back(*dag.find({Round(round), author}));
        });
        if (!fits) break;
    }
    return response;
}

bool ServeBudget::spend(AuthorityIndex peer, std::size_t bytes, Instant now) {
    Peer& account = peers_[peer.value()];
    const auto elapsed = std::min<Duration>(now - account.refilled, std::chrono::seconds(1));
    const auto elapsed_us = static_cast<std::size_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count());
    account.left = std::min(bytes_per_s_, account.left + bytes_per_s_ / 1'000'000 * elapsed_us);
    account.refilled = now;
    if (account.left < bytes) return false;
    account.left -= bytes;
    return true;
}

}  // namespace draco::consensus
