#pragma once
// Random certified DAGs as an adversary of at most f members could shape them, for tests of what is
// read off a DAG.

#include "draco/consensus/dag.hpp"
#include "draco/types/committee.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace draco::consensus::test {

struct DagShape {
    std::size_t members = 4;
    std::uint64_t rounds = 12;
    std::size_t crashed = 0;  // propose nothing after a random round
    std::size_t liars = 0;    // the last that do not crash: propose several headers in a round
    std::size_t slow = 0;     // are left out of parents more often than not
    unsigned left_out_percent = 10;  // any other vertex, of a round's parents
    unsigned extra_percent = 66;     // chance of each parent beyond a quorum
};

using types::HeaderDigest;

// In ascending order of (round, author), which is one possible order of delivery.
inline std::vector<CheckedCertificate> random_dag(const DagShape& shape, std::mt19937_64& random) {
    const std::size_t n = shape.members;
    const std::size_t quorum = n - (n - 1) / 3;
    std::vector<std::uint64_t> crash_round(n, shape.rounds);
    for (std::size_t i = 0; i < shape.crashed; ++i)
        crash_round[n - 1 - i] = random() % shape.rounds;
    const auto is_slow = [&](std::size_t author) { return author < shape.slow; };
    std::vector<CheckedCertificate> vertices;
    std::vector<std::size_t> below;  // authors of the round before
    for (std::uint64_t round = 0; round < shape.rounds; ++round) {
        std::vector<std::size_t> here;
        for (std::size_t author = 0; author < n; ++author) {
            if (round >= crash_round[author]) continue;
            types::Certificate certificate;
            types::Header& header = certificate.header;
            header.round = Round(round);
            header.author = AuthorityIndex(static_cast<std::uint16_t>(author));
            header.created = UnixTime{1000 + 10 * round + random() % 30};
            types::BatchDigest batch;
            store_le<std::uint64_t>(batch.data(), round * 1000 + author + 1);
            if (random() % 3 != 0)
                static_cast<void>(
                    header.batches.try_push_back(types::BatchReference{batch, {}, 1}));
            std::vector<std::size_t> parents = below;
            std::ranges::shuffle(parents, random);
            static_cast<void>(std::ranges::partition(parents, [&](std::size_t parent) {
                if (parent == author) return true;
                return random() % 100 >= (is_slow(parent) ? 60 : shape.left_out_percent);
            }));
            // Left out: what stands last, as far as a quorum remains.
            std::size_t keep = quorum;
            while (keep < parents.size() && random() % 100 < shape.extra_percent) ++keep;
            parents.resize(std::min(keep, parents.size()));
            for (const std::size_t parent : parents)
                header.parent_authors.insert(AuthorityIndex(static_cast<std::uint16_t>(parent)));
            HeaderDigest digest;
            store_le<std::uint64_t>(digest.data(), round);
            store_le<std::uint64_t>(digest.data() + 8, author);
            vertices.push_back(
                {std::make_shared<const types::Certificate>(std::move(certificate)), digest});
            here.push_back(author);
        }
        below = std::move(here);
    }
    return vertices;
}

// Headers that members may see before, or instead of, their certificates: those of the vertices,
// one that each crashed member left behind, and what liars made up. In ascending order of rounds.
inline std::vector<types::Header> random_proposals(const DagShape& shape,
                                                   const std::vector<CheckedCertificate>& vertices,
                                                   std::mt19937_64& random) {
    const std::size_t n = shape.members;
    const std::size_t quorum = n - (n - 1) / 3;
    std::map<std::uint64_t, std::vector<AuthorityIndex>> by_round;
    std::vector<types::Header> proposals;
    for (const auto& vertex : vertices) {
        const types::Header& header = vertex.certificate->header;
        by_round[header.round.value()].push_back(header.author);
        proposals.push_back(header);
    }
    const auto invent = [&](std::uint64_t round, std::size_t author) {
        types::Header header;
        header.round = Round(round);
        header.author = AuthorityIndex(static_cast<std::uint16_t>(author));
        std::vector<AuthorityIndex> parents = by_round[round - 1];
        std::ranges::shuffle(parents, random);
        if (parents.size() < quorum) return;
        parents.resize(quorum + random() % (parents.size() - quorum + 1));
        for (const AuthorityIndex parent : parents) header.parent_authors.insert(parent);
        proposals.push_back(header);
    };
    for (std::uint64_t round = 1; round < shape.rounds; ++round) {
        const auto& here = by_round[round];
        for (std::size_t i = n - shape.crashed; i < n; ++i) {
            const AuthorityIndex author(static_cast<std::uint16_t>(i));
            if (std::ranges::find(here, author) != here.end()) continue;
            if (std::ranges::find(by_round[round - 1], author) != by_round[round - 1].end())
                invent(round, i);
        }
        for (std::size_t i = n - shape.crashed - shape.liars; i < n - shape.crashed; ++i)
            for (std::size_t copies = random() % 3; copies > 0; --copies) invent(round, i);
    }
    std::map<std::uint64_t, std::vector<types::Header>> sorted;
    for (types::Header& header : proposals) sorted[header.round.value()].push_back(header);
    proposals.clear();
    for (const auto& [round, headers] : sorted)
        proposals.insert(proposals.end(), headers.begin(), headers.end());
    return proposals;
}

// Another order in which they can be delivered, not even parents first.
inline std::vector<CheckedCertificate> shuffled(std::vector<CheckedCertificate> vertices,
                                                std::mt19937_64& random) {
    // Late by up to some rounds, or by any time.
    const std::uint64_t spread = 1 + random() % 12;
    std::vector<std::pair<std::uint64_t, std::size_t>> when;
    for (std::size_t i = 0; i < vertices.size(); ++i)
        when.emplace_back(
            vertices[i].certificate->header.round.value() * 4 + random() % (4 * spread), i);
    std::ranges::sort(when);
    std::vector<CheckedCertificate> order;
    for (const auto& [time, index] : when) order.push_back(vertices[index]);
    return order;
}

}  // namespace draco::consensus::test
