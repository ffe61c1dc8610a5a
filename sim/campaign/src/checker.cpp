#include "checker.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

std::string place(std::uint64_t round, std::uint16_t author) {
    return "round " + std::to_string(round) + ", member " + std::to_string(author);
}

}  // namespace

Checker::Checker(types::ChainId chain,
                 const types::Committee& committee,
                 types::AuthoritySet faulty,
                 std::uint64_t gc_depth_rounds)
    : chain_(chain), committee_(committee), faulty_(faulty), gc_depth_rounds_(gc_depth_rounds) {}

void Checker::sent(types::AuthorityIndex from, const consensus::Message& message) {
    if (const auto* header = std::get_if<types::SignedHeader>(&message)) {
        if (!is_faulty(from)) sent_header(*header);
    } else if (const auto* vote = std::get_if<types::Vote>(&message)) {
        if (!is_faulty(from)) sent_vote(*vote);
    } else if (const auto* certificate = std::get_if<types::Certificate>(&message)) {
        sent_certificate(*certificate);
    } else if (const auto* response = std::get_if<consensus::CertificateResponse>(&message)) {
        for (const auto& item : *response->certificates) sent_certificate(item);
    }
}

void Checker::refused_at_the_gate(types::AuthorityIndex from, consensus::Refusal why) {
    violation("a message of member " + std::to_string(from.value()) +
              " was refused: " + std::string(to_string(why)));
}

void Checker::sent_header(const types::SignedHeader& header) {
    const Place at{header.header.round.value(), header.header.author.value()};
    const auto digest = types::digest_of(chain_, header.header);
    const auto [entry, first] = headers_.try_emplace(at, digest);
    if (!first && entry->second != digest)
        violation("two headers proposed: " + place(at.first, at.second));
}

void Checker::sent_vote(const types::Vote& vote) {
    const auto [entry, first] = votes_.try_emplace(
        {vote.voter.value(), vote.author.value(), vote.round.value()}, vote.header);
    if (!first && entry->second != vote.header)
        violation("member " + std::to_string(vote.voter.value()) +
                  " voted twice: " + place(vote.round.value(), vote.author.value()));
}

// What passed the gate has the votes of a quorum, so an honest member stands behind it.
void Checker::sent_certificate(const types::Certificate& certificate) {
    const types::Header& header = certificate.header;
    const Place at{header.round.value(), header.author.value()};
    const auto known = vertices_.find(at);
    const auto digest = types::digest_of(chain_, header);
    if (known != vertices_.end()) {
        if (known->second.digest != digest)
            violation("two certificates: " + place(at.first, at.second));
        return;
    }
    std::size_t next = 0;
    if (at.first > 0)
        header.parent_authors.for_each([&](types::AuthorityIndex parent) {
            const auto found = vertices_.find({at.first - 1, parent.value()});
            if (found == vertices_.end() || found->second.digest != (*header.parents)[next])
                violation("certified without its parents: " + place(at.first, at.second));
            ++next;
        });
    if (at.first > 0 && next < committee_.quorum())
        violation("certified with few parents: " + place(at.first, at.second));
    vertices_.emplace(at, Vertex{digest, header});
}

void Checker::certified(const types::BlockCertificate& certificate) {
    const auto block = blocks_.find(certificate.statement.height.value());
    if (block != blocks_.end() && block->second != certificate.statement.block)
        violation("another block was certified at height " +
                  std::to_string(certificate.statement.height.value()));
    if (certificate.signers.count() < committee_.quorum())
        violation("a block certificate with few signers");
}

void Checker::repeated(const types::BlockDigest& first, const types::BlockDigest& again) {
    if (first != again) violation("a height came again, with another block");
}

void Checker::executed(const consensus::CommittedBlock& block) {
    const std::uint64_t height = block.block.height.value();
    const auto [agreed, first] = blocks_.try_emplace(height, block.digest);
    if (agreed->second != block.digest)
        return violation("fork at height " + std::to_string(height));
    check_content(block);
    if (!first) return;
    if (types::digest_of(chain_, block.block) != block.digest)
        violation("a block's digest is not its digest");
    const auto before = blocks_.find(height - 1);
    if (before != blocks_.end() && block.block.parent != before->second)
        violation("block " + std::to_string(height) + " does not follow the one before it");
    check_order(block.block);
}

void Checker::check_content(const consensus::CommittedBlock& block) {
    if (block.batches.size() != block.block.batches->size())
        return violation("a block was handed over without some of its batches");
    for (std::size_t i = 0; i < block.batches.size(); ++i) {
        const types::Batch& batch = *block.batches[i];
        if (is_faulty(batch.author)) continue;
        for (const ByteView transaction : batch.transactions) {
            const std::uint64_t number = load_le<std::uint64_t>(transaction.data());
            if (number == 0 || number >= next_transaction_ ||
                std::ranges::any_of(transaction.subspan(8),
                                    [](std::uint8_t byte) { return byte != 0; }))
                violation("a transaction was executed that nobody submitted");
        }
    }
}

// Everything that the vertex reaches through parents.
std::set<Checker::Place> Checker::history(Place anchor) const {
    std::set<Place> reached;
    std::vector<Place> open = {anchor};
    const std::uint64_t floor = last_anchor_ - std::min(last_anchor_, gc_depth_rounds_);
    while (!open.empty()) {
        const Place at = open.back();
        open.pop_back();
        // What a block ordered has brought all of its history, so it ends a path.
        if (at.first < floor || ordered_.contains(at) || !reached.insert(at).second) continue;
        const auto vertex = vertices_.find(at);
        if (vertex == vertices_.end() || at.first == 0) continue;
        vertex->second.header.parent_authors.for_each(
            [&](types::AuthorityIndex parent) { open.emplace_back(at.first - 1, parent.value()); });
    }
    return reached;
}

UnixTime Checker::median(const types::Header& anchor) const {
    std::vector<UnixTime> created;
    anchor.parent_authors.for_each([&](types::AuthorityIndex parent) {
        const auto vertex = vertices_.find({anchor.round.value() - 1, parent.value()});
        if (vertex != vertices_.end()) created.push_back(vertex->second.header.created);
    });
    if (created.empty()) return anchor.created;
    std::ranges::sort(created);
    return created[(created.size() - 1) / 2];
}

void Checker::check_order(const types::Block& block) {
    const std::string at = "block " + std::to_string(block.height.value());
    if (block.vertices->empty() || block.vertices->front().count() != 1)
        return violation(at + " has no anchor");
    std::set<Place> named;
    for (std::size_t depth = 0; depth < block.vertices->size(); ++depth)
        (*block.vertices)[depth].for_each([&](types::AuthorityIndex author) {
            named.emplace(block.anchor_round.value() - depth, author.value());
        });
    const Place anchor{block.anchor_round.value(), named.rbegin()->second};
    const auto vertex = vertices_.find(anchor);
    // A committee of one sends nothing.
    if (vertex == vertices_.end()) {
        if (committee_.size() > 1) violation(at + " has an anchor that nobody certified");
        return;
    }
    if (vertex->second.digest != block.anchor) violation(at + " names another anchor");
    if (named != history(anchor))
        violation(at + " does not order what its anchor reaches and no block has ordered");
    std::vector<types::BatchDigest> batches;
    std::set<types::BatchDigest> seen;
    for (const Place& ordered : named) {
        const auto found = vertices_.find(ordered);
        if (found == vertices_.end()) {
            violation(at + " orders what nobody certified");
            continue;
        }
        for (const auto& batch : *found->second.header.batches)
            if (!ordered_batches_.contains(batch.digest) && seen.insert(batch.digest).second)
                batches.push_back(batch.digest);
    }
    for (const auto& batch : *block.batches)
        if (ordered_batches_.contains(batch))
            violation(at + " orders a batch that was ordered before");
    if (batches != *block.batches) violation(at + " orders other batches than its vertices carry");
    const UnixTime time = std::max(UnixTime{last_time_.ms + 1}, median(vertex->second.header));
    if (block.timestamp != time) violation(at + " has a time that is not its parents' median");
    remember(block, named);
}

void Checker::remember(const types::Block& block, const std::set<Place>& ordered) {
    ordered_.insert(ordered.begin(), ordered.end());
    ordered_batches_.insert(block.batches->begin(), block.batches->end());
    last_anchor_ = block.anchor_round.value();
    last_time_ = block.timestamp;
}

}  // namespace draco::campaign
