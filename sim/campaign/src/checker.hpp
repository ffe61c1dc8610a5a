#pragma once
// What must hold in every history. Watches all messages and blocks, keeps every certified header,
// and orders anew, on plain sets, what each block orders.

#include "draco/consensus/effects.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace draco::campaign {

class Checker {
public:
    // `faulty` members may do what they like.
    Checker(types::ChainId chain,
            const types::Committee& committee,
            types::AuthoritySet faulty,
            std::uint64_t gc_depth_rounds);

    // Sent by an honest machine, or made up by a liar and let through by the gate.
    void sent(types::AuthorityIndex from, const consensus::Message& message);
    void refused_at_the_gate(types::AuthorityIndex from, consensus::Refusal why);

    // A machine executes the block at a height for the first time.
    void executed(const consensus::CommittedBlock& block);
    // The same height comes again, after a restart.
    void repeated(const types::BlockDigest& first, const types::BlockDigest& again);
    void certified(const types::BlockCertificate& certificate);

    // Transactions with these numbers have been submitted so far: [1, next).
    void submitted_below(std::uint64_t next) { next_transaction_ = next; }

    // A transaction of an honest member's batch was executed by a machine that had executed it.
    void violation(std::string what) { violations_.push_back(std::move(what)); }

    bool is_faulty(types::AuthorityIndex member) const { return faulty_.contains(member); }

    const std::vector<std::string>& violations() const { return violations_; }

private:
    struct Vertex {
        types::HeaderDigest digest;
        types::Header header;
    };

    using Place = std::pair<std::uint64_t, std::uint16_t>;  // round, author

    void sent_header(const types::SignedHeader& header);
    void sent_vote(const types::Vote& vote);
    void sent_certificate(const types::Certificate& certificate);
    void check_order(const types::Block& block);
    void check_content(const consensus::CommittedBlock& block);
    std::set<Place> history(Place anchor) const;
    UnixTime median(const types::Header& anchor) const;
    void remember(const types::Block& block, const std::set<Place>& ordered);

    types::ChainId chain_;
    const types::Committee& committee_;
    types::AuthoritySet faulty_;
    std::uint64_t gc_depth_rounds_;
    std::uint64_t next_transaction_ = 1;

    std::map<Place, types::HeaderDigest> headers_;
    std::map<std::tuple<std::uint16_t, std::uint16_t, std::uint64_t>, types::HeaderDigest> votes_;
    std::map<Place, Vertex> vertices_;
    std::map<std::uint64_t, types::BlockDigest> blocks_;
    std::set<Place> ordered_;
    std::set<types::BatchDigest> ordered_batches_;
    std::uint64_t last_anchor_ = 0;
    UnixTime last_time_{};
    std::vector<std::string> violations_;
};

}  // namespace draco::campaign
