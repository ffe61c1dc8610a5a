#pragma once
// What a liar adds to what its core says, and what it keeps from others. Holds the member's key, so
// all that it makes up is signed, where it is not garbage.

#include "draco/campaign/network.hpp"
#include "draco/consensus/vote_aggregator.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace draco::campaign {

// Sent instead of, or beside, a message of the core.
struct Forgery {
    AuthoritySet to;
    Channel channel;
    Bytes message;
};

class Adversary {
public:
    Adversary(types::ChainId chain,
              const types::Committee& committee,
              AuthorityIndex self,
              types::NodeSecretKey key,
              std::vector<Lie> lies,
              std::uint64_t seed);

    // Who gets what the core sends, of those it is for.
    AuthoritySet receivers(const consensus::Message& message, AuthoritySet to);
    // What is told beside it.
    std::vector<Forgery> speak(const consensus::Message& message, const Bytes& encoded);
    // What is told when something was heard.
    std::vector<Forgery> answer(AuthorityIndex from, const consensus::CheckedMessage& message);

    // The second header that a quorum has voted for, once.
    std::optional<types::SignedHeader> take_certified() { return std::exchange(certified_, {}); }

private:
    bool has(Lie lie) const;
    AuthoritySet others() const;
    AuthoritySet some();
    types::HeaderDigest invented_digest();
    void keep_parents(types::Header& header, std::size_t count);

    void second_header(types::Header header, std::vector<Forgery>& out);
    void far_rounds(const types::Header& like, std::vector<Forgery>& out);
    void flood(std::vector<Forgery>& out);
    void garbage(const Bytes& encoded, std::vector<Forgery>& out);
    void distort_header(const types::Header& header, Lie how, std::vector<Forgery>& out);
    void repeat_batches(types::Header header, std::vector<Forgery>& out);
    std::optional<types::BatchReference> others_batch();
    Forgery signed_header(types::Header header, AuthoritySet to);
    Forgery ask_votes_for(types::Header header, AuthoritySet to);
    Forgery vote_for(const types::Header& header, types::HeaderDigest digest);

    types::ChainId chain_;
    const types::Committee& committee_;
    AuthorityIndex self_;
    types::NodeSecretKey key_;
    std::vector<Lie> lies_;
    std::mt19937_64 random_;
    std::optional<consensus::VoteAggregator> second_;  // votes for the last second header
    std::optional<types::SignedHeader> shown_;         // that header
    std::optional<types::SignedHeader> certified_;
    std::deque<std::shared_ptr<const types::Certificate>> heard_;
    std::vector<types::Batch> sent_;  // own batches, the first ones
    bool hides_header_ = false;       // the one that its core sends now
};

}  // namespace draco::campaign
