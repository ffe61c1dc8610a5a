#include "adversary.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

constexpr std::size_t kHeardMax = 64;
constexpr std::size_t kFloodPerHeader = 20;
constexpr std::size_t kResponse = 4;
constexpr std::size_t kSentMax = 512;
constexpr std::size_t kRepeatedMax = 3;
constexpr std::uint64_t kFar = std::uint64_t{1} << 40;

}  // namespace

Adversary::Adversary(types::ChainId chain,
                     const types::Committee& committee,
                     AuthorityIndex self,
                     types::NodeSecretKey key,
                     std::vector<Lie> lies,
                     std::uint64_t seed)
    : chain_(chain),
      committee_(committee),
      self_(self),
      key_(std::move(key)),
      lies_(std::move(lies)),
      random_(seed) {}

bool Adversary::has(Lie lie) const {
    return std::ranges::find(lies_, lie) != lies_.end();
}

AuthoritySet Adversary::others() const {
    AuthoritySet all;
    for (std::size_t i = 0; i < committee_.size(); ++i)
        all.insert(AuthorityIndex(static_cast<std::uint16_t>(i)));
    all.erase(self_);
    return all;
}

AuthoritySet Adversary::some() {
    AuthoritySet chosen;
    others().for_each([&](AuthorityIndex member) {
        if (random_() % 2 == 0) chosen.insert(member);
    });
    return chosen;
}

types::HeaderDigest Adversary::invented_digest() {
    types::HeaderDigest digest;
    store_le<std::uint64_t>(digest.data(), random_());
    return digest;
}

AuthoritySet Adversary::receivers(const consensus::Message& message, AuthoritySet to) {
    if (const auto* batch = std::get_if<types::Batch>(&message);
        batch != nullptr && has(Lie::WithholdBatches)) {
        // Who asks gets nothing; at first it goes to as many as certify it, or fewer.
        if (to != others() || batch->author != self_) return {};
        return some();
    }
    // Nobody gets the header of its core where one that repeats batches takes its place.
    hides_header_ = std::holds_alternative<types::SignedHeader>(message) && to == others() &&
                    has(Lie::RepeatedBatches) && !sent_.empty() && random_() % 2 == 0;
    if (hides_header_) return {};
    // The others get the second header instead.
    if (std::holds_alternative<types::SignedHeader>(message) && has(Lie::SecondHeader))
        return to == others() ? some() : AuthoritySet{};
    return to;
}

std::vector<Forgery> Adversary::speak(const consensus::Message& message, const Bytes& encoded) {
    std::vector<Forgery> out;
    if (has(Lie::Garbage)) garbage(encoded, out);
    if (const auto* certificate = std::get_if<types::Certificate>(&message)) {
        heard_.push_back(std::make_shared<const types::Certificate>(*certificate));
        if (heard_.size() > kHeardMax) heard_.pop_front();
    }
    if (const auto* batch = std::get_if<types::Batch>(&message);
        batch != nullptr && batch->author == self_ && sent_.size() < kSentMax)
        sent_.push_back(*batch);
    const auto* header = std::get_if<types::SignedHeader>(&message);
    if (header == nullptr || lies_.empty()) return out;
    if (hides_header_) {
        repeat_batches(header->header, out);
        return out;
    }
    switch (const Lie lie = lies_[random_() % lies_.size()]) {
        case Lie::SecondHeader:
        case Lie::VoteForAll:
        case Lie::WithholdBatches:
        case Lie::Garbage:
        case Lie::RepeatedBatches:
            break;
        case Lie::FloodCertificates:
            flood(out);
            break;
        case Lie::FarRounds:
            far_rounds(header->header, out);
            break;
        case Lie::FewParents:
        case Lie::FalseParents:
            distort_header(header->header, lie, out);
            return out;
    }
    if (has(Lie::SecondHeader)) second_header(header->header, out);
    return out;
}

std::vector<Forgery> Adversary::answer(AuthorityIndex from,
                                       const consensus::CheckedMessage& message) {
    std::vector<Forgery> out;
    if (const auto* certificate = std::get_if<consensus::CheckedCertificate>(&message)) {
        heard_.push_back(certificate->certificate);
        if (heard_.size() > kHeardMax) heard_.pop_front();
    }
    if (const auto* header = std::get_if<consensus::CheckedHeader>(&message);
        header != nullptr && has(Lie::VoteForAll))
        out.push_back(vote_for(header->header.header, header->digest));
    if (const auto* vote = std::get_if<types::Vote>(&message);
        vote != nullptr && second_ && vote->author == self_ && from == vote->voter &&
        second_->add(*vote))
        if (const auto certificate = second_->take_certificate()) {
            certified_ = shown_;
            out.push_back({others(),
                           Channel::Consensus,
                           consensus::encode_message(*certificate->certificate)});
        }
    return out;
}

Forgery Adversary::signed_header(types::Header header, AuthoritySet to) {
    const auto digest = types::digest_of(chain_, header);
    const auto signature = key_.sign(digest.view());
    return {to,
            Channel::Consensus,
            consensus::encode_message(types::SignedHeader{std::move(header), signature})};
}

Forgery Adversary::ask_votes_for(types::Header header, AuthoritySet to) {
    const auto digest = types::digest_of(chain_, header);
    const auto content = types::digest_of(chain_, types::VoteContent{digest});
    shown_ = types::SignedHeader{header, key_.sign(digest.view())};
    second_.emplace(committee_);
    second_->start({*shown_, digest}, self_, key_.sign(content.view()));
    return signed_header(std::move(header), to);
}

Forgery Adversary::vote_for(const types::Header& header, types::HeaderDigest digest) {
    const auto content = types::digest_of(chain_, types::VoteContent{digest});
    AuthoritySet to;
    to.insert(header.author);
    return {
        to,
        Channel::Consensus,
        consensus::encode_message(types::Vote{
            header.epoch, header.round, header.author, digest, self_, key_.sign(content.view())})};
}

void Adversary::keep_parents(types::Header& header, std::size_t count) {
    std::vector<std::pair<AuthorityIndex, types::HeaderDigest>> parents;
    std::size_t next = 0;
    header.parent_authors.for_each(
        [&](AuthorityIndex author) { parents.emplace_back(author, (*header.parents)[next++]); });
    std::ranges::shuffle(parents, random_);
    parents.resize(std::min(count, parents.size()));
    std::ranges::sort(parents);
    header.parent_authors = {};
    std::vector<types::HeaderDigest> digests;
    for (const auto& [author, digest] : parents) {
        header.parent_authors.insert(author);
        digests.push_back(digest);
    }
    header.parents = decltype(header.parents)::make(std::move(digests)).value();
}

void Adversary::second_header(types::Header header, std::vector<Forgery>& out) {
    header.created.ms += 1;
    if (header.round.value() > 0) keep_parents(header, committee_.quorum());
    if (random_() % 2 == 0) header.batches = {};
    out.push_back(ask_votes_for(std::move(header), some()));
}

void Adversary::distort_header(const types::Header& header, Lie how, std::vector<Forgery>& out) {
    if (header.round.value() == 0) return;
    types::Header distorted = header;
    if (how == Lie::FewParents) {
        keep_parents(distorted, committee_.quorum() - 1);
    } else {
        keep_parents(distorted, committee_.quorum());
        std::vector<types::HeaderDigest> digests(distorted.parents->begin(),
                                                 distorted.parents->end());
        digests[random_() % digests.size()] = invented_digest();
        distorted.parents = decltype(distorted.parents)::make(std::move(digests)).value();
    }
    out.push_back(ask_votes_for(std::move(distorted), others()));
}

std::optional<types::BatchReference> Adversary::others_batch() {
    if (heard_.empty()) return std::nullopt;
    const types::Header& header = heard_[random_() % heard_.size()]->header;
    if (header.author == self_ || header.batches->empty()) return std::nullopt;
    return (*header.batches)[random_() % header.batches->size()];
}

// The batches go out once more with it, or nobody could vote for what all have forgotten.
void Adversary::repeat_batches(types::Header header, std::vector<Forgery>& out) {
    for (std::size_t count = 1 + random_() % kRepeatedMax; count > 0; --count) {
        const auto batch = consensus::checked(chain_, sent_[random_() % sent_.size()]);
        out.push_back({others(), Channel::Bulk, consensus::encode_message(*batch.batch)});
        static_cast<void>(header.batches.try_push_back(
            types::BatchReference{batch.digest, batch.batch->worker, batch.bytes}));
    }
    // Nobody votes for a header with somebody else's, so it is tried now and then only.
    if (const auto stolen = others_batch(); stolen && random_() % 8 == 0)
        static_cast<void>(header.batches.try_push_back(*stolen));
    out.push_back(ask_votes_for(std::move(header), others()));
}

void Adversary::far_rounds(const types::Header& like, std::vector<Forgery>& out) {
    types::Header far = like;
    far.round = Round(like.round.value() + 1 + (random_() % 2 == 0 ? random_() % 600 : kFar));
    far.parent_authors = {};
    std::vector<types::HeaderDigest> digests;
    for (std::size_t i = 0; i < committee_.quorum(); ++i) {
        far.parent_authors.insert(AuthorityIndex(static_cast<std::uint16_t>(i)));
        digests.push_back(invented_digest());
    }
    far.parents = decltype(far.parents)::make(std::move(digests)).value();
    out.push_back(signed_header(far, others()));
    const consensus::CertificateRequest request{like.epoch, Round(kFar + random_() % 8), {}};
    out.push_back({others(), Channel::Consensus, consensus::encode_message(request)});
    const types::Height height(1 + random_() % 2 * kFar);
    const types::BlockStatement statement{like.epoch, height, {}, {}};
    const auto signature = key_.sign(types::digest_of(chain_, statement).view());
    out.push_back({others(),
                   Channel::Consensus,
                   consensus::encode_message(
                       consensus::BlockSignature{statement, signature, consensus::Reply::Wanted})});
}

void Adversary::flood(std::vector<Forgery>& out) {
    for (std::size_t i = 0; i < kFloodPerHeader && !heard_.empty(); ++i)
        out.push_back({others(),
                       Channel::Consensus,
                       consensus::encode_message(*heard_[random_() % heard_.size()])});
    consensus::CertificateResponse response{
        committee_.epoch(), Round(kFar), types::Height(kFar), {}};
    for (std::size_t i = 0; i < std::min(heard_.size(), kResponse); ++i)
        static_cast<void>(response.certificates.try_push_back(*heard_[i]));
    out.push_back({some(), Channel::Bulk, consensus::encode_message(response)});
}

void Adversary::garbage(const Bytes& encoded, std::vector<Forgery>& out) {
    if (random_() % 8 != 0) return;
    Bytes random_bytes(1 + random_() % 200);
    for (std::uint8_t& byte : random_bytes) byte = static_cast<std::uint8_t>(random_());
    random_bytes[0] %= 12;  // most are tags that there are
    out.push_back({some(), Channel::Consensus, std::move(random_bytes)});
    Bytes changed = encoded;
    for (std::size_t flips = 1 + random_() % 4; flips > 0; --flips)
        changed[random_() % changed.size()] ^= static_cast<std::uint8_t>(1U << random_() % 8);
    if (random_() % 4 == 0) changed.resize(random_() % changed.size() + 1);
    out.push_back({some(), Channel::Consensus, std::move(changed)});
}

}  // namespace draco::campaign
