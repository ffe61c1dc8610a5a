#include "draco/consensus/block_signatures.hpp"

#include <algorithm>
#include <functional>

namespace draco::consensus {

void BlockSignatures::committed(const types::BlockStatement& statement,
                                AuthorityIndex self,
                                const std::optional<types::NodeSignature>& signature) {
    local_ = statement.height;
    own_.insert_or_assign(statement.height, statement);
    if (signature)
        collected_[statement.height].insert_or_assign(self, Collected{statement, *signature});
    prune();
}

void BlockSignatures::followed(const types::BlockStatement& statement) {
    local_ = std::max(local_, statement.height);
    certified_ = std::max(certified_, statement.height);
    certificates_.insert(statement.height);
    own_.insert_or_assign(statement.height, statement);
    prune();
}

void BlockSignatures::end_at(types::Height height) {
    if (height >= local_) return;
    local_ = height;
    own_.erase(own_.upper_bound(height), own_.end());
    collected_.erase(collected_.upper_bound(height), collected_.end());
    certificates_.erase(certificates_.upper_bound(height), certificates_.end());
    if (certified_ > height)
        certified_ = certificates_.empty() ? types::Height(0) : *certificates_.rbegin();
}

const types::BlockStatement* BlockSignatures::own(types::Height height) const {
    const auto found = own_.find(height);
    return found == own_.end() ? nullptr : &found->second;
}

Result<void, Refusal> BlockSignatures::add(AuthorityIndex from, const BlockSignature& signature) {
    const types::Height height = signature.statement.height;
    types::Height& reported = reported_[from.value()];
    reported = std::max(reported, height);
    if (height <= certified_) return std::unexpected(Refusal::Stale);
    if (height > local_ && height.value() - local_.value() > kHeightsMax)
        return std::unexpected(Refusal::TooFarAhead);
    // Nothing is known of these blocks here any more, or never was: nobody asks for them.
    if (height.value() + kHeightsMax <= local_.value()) return std::unexpected(Refusal::Stale);
    const auto [entry, inserted] =
        collected_[height].try_emplace(from, Collected{signature.statement, signature.signature});
    if (!inserted && entry->second.statement != signature.statement)
        return std::unexpected(Refusal::Equivocation);
    return {};
}

std::vector<types::BlockCertificate> BlockSignatures::take_complete() {
    std::vector<types::BlockCertificate> complete;
    for (const auto& [height, by_member] : collected_) {
        const types::BlockStatement* statement = own(height);
        if (statement == nullptr || by_member.size() < committee_.quorum()) continue;
        types::BlockCertificate certificate{*statement, {}, {}};
        std::vector<types::NodeSignature> signatures;
        for (const auto& [member, collected] : by_member) {
            if (collected.statement != *statement) continue;
            certificate.signers.insert(member);
            signatures.push_back(collected.signature);
        }
        if (signatures.size() < committee_.quorum()) continue;
        certificate.signatures =
            decltype(certificate.signatures)::make(std::move(signatures)).value();
        certificates_.insert(height);
        complete.push_back(std::move(certificate));
    }
    if (!complete.empty()) {
        certified_ = complete.back().statement.height;
        prune();
    }
    return complete;
}

// A certificate covers the blocks before it: their signatures are not needed any more.
void BlockSignatures::prune() {
    collected_.erase(collected_.begin(), collected_.upper_bound(certified_));
    while (certificates_.size() > kHeightsMax) certificates_.erase(certificates_.begin());
    while (own_.size() > kHeightsMax) {
        collected_.erase(own_.begin()->first);
        own_.erase(own_.begin());
    }
}

AuthoritySet BlockSignatures::missing_for_last() const {
    AuthoritySet missing;
    if (certified_ >= local_ || !own_.contains(local_)) return missing;
    const auto last = collected_.find(local_);
    for (std::size_t i = 0; i < committee_.size(); ++i) {
        const AuthorityIndex member(static_cast<std::uint16_t>(i));
        if (last == collected_.end() || !last->second.contains(member)) missing.insert(member);
    }
    return missing;
}

types::Height BlockSignatures::credible_height() const {
    std::vector<types::Height> heights = reported_;
    const auto nth = heights.begin() + static_cast<std::ptrdiff_t>(committee_.faulty_max());
    std::ranges::nth_element(heights, nth, std::ranges::greater{});
    return *nth;
}

}  // namespace draco::consensus
