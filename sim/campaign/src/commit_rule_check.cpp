#include "draco/campaign/commit_rule_check.hpp"

#include "draco/base/assert.hpp"
#include "draco/consensus/committer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace draco::campaign {

namespace {

using consensus::AuthorityIndex;
using consensus::AuthoritySet;
using consensus::CommitRule;
using consensus::Dag;
using consensus::Round;

constexpr std::size_t kMembers = 4;
constexpr std::size_t kQuorum = 3;
constexpr std::uint64_t kRoundsMax = 6;
constexpr std::uint64_t kWindow = 8;

using Mask = std::uint8_t;  // of authors, or of rounds

std::size_t leader_of(std::size_t round) {
    return round % kMembers;
}

bool has(Mask mask, std::size_t bit) {
    return (mask >> bit & 1U) != 0;
}

Mask bit(std::size_t index) {
    return static_cast<Mask>(1U << index);
}

// A vertex, or only its header.
struct Element {
    std::uint8_t round = 0;
    std::uint8_t author = 0;
    Mask parents = 0;
    bool certified = false;

    auto operator<=>(const Element&) const = default;
};

using Elements = std::vector<Element>;  // parents first

// What an author does in a round.
enum class Part : std::uint8_t {
    Absent,
    Proposes,         // and is not certified; all parents
    ProposesWithout,  // without the vertex that is left out
    Certified,        // all parents
    CertifiedWithout,
    CertifiedAndLies,  // the same, and shows a header that does not leave it out
};

constexpr std::size_t kParts = 6;

types::Header header_of(const Element& element) {
    types::Header header;
    header.round = Round(element.round);
    header.author = AuthorityIndex(element.author);
    for (std::size_t parent = 0; parent < kMembers; ++parent)
        if (has(element.parents, parent))
            header.parent_authors.insert(AuthorityIndex(static_cast<std::uint16_t>(parent)));
    return header;
}

consensus::CheckedCertificate vertex_of(const Element& element) {
    // One object for all DAGs that have the vertex.
    static thread_local std::map<Element, consensus::CheckedCertificate> known;
    const auto [entry, first] = known.try_emplace(element);
    if (first) {
        entry->second.certificate = std::make_shared<const types::Certificate>(
            types::Certificate{header_of(element), {}, {}});
        entry->second.digest.data()[0] = element.round;
        entry->second.digest.data()[1] = element.author;
        entry->second.digest.data()[2] = element.parents;
    }
    return entry->second;
}

void add(Dag& dag, const Element& element) {
    std::vector<consensus::VertexId> accepted;
    if (element.certified)
        dag.add(vertex_of(element), accepted);
    else
        dag.note_proposal(header_of(element));
}

// The rounds of the anchors that a member orders who sees this DAG.
std::vector<std::uint8_t> anchors(const Dag& dag, const CommitRule& rule) {
    consensus::PipelinedCommitter committer(
        consensus::LeaderSchedule(kMembers, 1, kWindow, types::Height(0)), rule);
    std::vector<std::uint8_t> rounds;
    while (const auto anchor = committer.next(dag)) {
        types::Block block;
        block.height = types::Height(rounds.size() + 1);
        block.anchor_round = anchor->round;
        AuthoritySet author;
        author.insert(anchor->author);
        static_cast<void>(block.vertices.try_push_back(author));
        committer.ordered(block);
        rounds.push_back(static_cast<std::uint8_t>(anchor->round.value()));
    }
    return rounds;
}

std::string in_words(const Elements& elements) {
    std::string text;
    for (const Element& element : elements) {
        text += " " + std::to_string(element.round) + "." + std::to_string(element.author);
        text += element.certified ? "<" : "?<";
        for (std::size_t parent = 0; parent < kMembers; ++parent)
            if (has(element.parents, parent)) text += std::to_string(parent);
    }
    return text;
}

std::string in_words(const std::vector<std::uint8_t>& rounds) {
    std::string text = "[";
    for (const std::uint8_t round : rounds) text += " " + std::to_string(round);
    return text + " ]";
}

class Search {
public:
    explicit Search(const CommitRuleOptions& options)
        : rounds_(std::clamp<std::uint64_t>(options.rounds, 2, kRoundsMax)),
          rule_(options.rule.value_or(
              CommitRule{.indirect = 1, .certified = 2, .proposed = 3, .skip = 4})) {}

    CommitRuleCheck run() {
        std::vector<Elements> open;
        for (const Mask here : {Mask{0b1111}, Mask{0b1110}, Mask{0b0111}}) {
            Elements first;
            for (std::uint8_t author = 0; author < kMembers; ++author)
                if (has(here, author)) first.push_back({0, author, 0, true});
            open.push_back(std::move(first));
        }
        for (std::uint8_t round = 1; round < rounds_ && check_.fork.empty(); ++round) {
            std::set<std::string> seen;
            std::vector<Elements> next;
            for (const Elements& below : open) extend(below, round, seen, next);
            open = std::move(next);
        }
        return check_;
    }

private:
    static Mask certified_in(const Elements& elements, std::size_t round) {
        Mask authors = 0;
        for (const Element& element : elements)
            if (element.round == round && element.certified)
                authors = static_cast<Mask>(authors | bit(element.author));
        return authors;
    }

    // Vertices below the top round that no element names.
    static std::vector<std::size_t> late(const Elements& elements, std::size_t top) {
        std::array<Mask, kRoundsMax + 1> named{};
        for (const Element& element : elements)
            if (element.round > 0)
                named[element.round - 1U] =
                    static_cast<Mask>(named[element.round - 1U] | element.parents);
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < elements.size(); ++i)
            if (elements[i].certified && elements[i].round < top &&
                !has(named[elements[i].round], elements[i].author))
                found.push_back(i);
        return found;
    }

    static Dag build(const Elements& elements) {
        Dag dag(kMembers, kQuorum, 2 * kWindow);
        for (const Element& element : elements) add(dag, element);
        return dag;
    }

    std::vector<std::uint8_t> judge(Dag dag, const Elements& top) {
        for (const Element& element : top) add(dag, element);
        ++check_.views;
        return anchors(dag, rule_);
    }

    // All rounds that may stand on this DAG: which vertex is left out, and what each author does.
    void extend(const Elements& below,
                std::uint8_t round,
                std::set<std::string>& seen,
                std::vector<Elements>& next) {
        const Mask here = certified_in(below, round - 1U);
        const Dag dag = build(below);
        for (std::size_t left_out = 0; left_out <= kMembers; ++left_out) {
            // The last turn: nothing is left out, which is all there is when there are just three.
            const bool nothing = left_out == kMembers;
            if (nothing ? here == 0b1111 : here != 0b1111) continue;
            const Mask fewer = nothing ? here : static_cast<Mask>(here & ~bit(left_out));
            for_each_cast(nothing, [&](const std::array<Part, kMembers>& parts) {
                if (check_.fork.empty())
                    look_at(below, dag, top_of(round, parts, here, fewer), round, seen, next);
            });
        }
    }

    // Authors are told apart only by whether they lead the round: the others' parts ascend.
    template <class Visit>
    static void for_each_cast(bool nothing_left_out, Visit&& visit) {
        const auto usable = [&](Part part) {
            return !nothing_left_out || part == Part::Absent || part == Part::Proposes ||
                   part == Part::Certified;
        };
        for (std::size_t code = 0; code < kParts * kParts * kParts * kParts; ++code) {
            std::array<Part, kMembers> parts{};
            std::size_t rest = code;
            std::size_t liars = 0;
            bool fits = true;
            for (std::size_t i = 0; i < kMembers; ++i, rest /= kParts) {
                parts[i] = Part(rest % kParts);
                liars += parts[i] == Part::CertifiedAndLies ? 1U : 0U;
                fits = fits && usable(parts[i]) && (i < 2 || parts[i - 1] <= parts[i]);
            }
            if (fits && liars <= 1) visit(parts);
        }
    }

    // parts[0] is the leader's.
    static Elements top_of(std::uint8_t round,
                           const std::array<Part, kMembers>& parts,
                           Mask all,
                           Mask fewer) {
        Elements top;
        for (std::size_t i = 0; i < kMembers; ++i) {
            const auto author = static_cast<std::uint8_t>((leader_of(round) + i) % kMembers);
            switch (parts[i]) {
                case Part::Absent:
                    break;
                case Part::Proposes:
                    top.push_back({round, author, all, false});
                    break;
                case Part::ProposesWithout:
                    top.push_back({round, author, fewer, false});
                    break;
                case Part::Certified:
                    top.push_back({round, author, all, true});
                    break;
                case Part::CertifiedAndLies:
                    top.push_back({round, author, all, false});
                    [[fallthrough]];
                case Part::CertifiedWithout:
                    top.push_back({round, author, fewer, true});
                    break;
            }
        }
        return top;
    }

    void look_at(const Elements& below,
                 const Dag& dag,
                 const Elements& top,
                 std::uint8_t round,
                 std::set<std::string>& seen,
                 std::vector<Elements>& next) {
        ++check_.dags;
        const auto whole = judge(dag, top);
        check_.committed += whole.size();
        if (!whole.empty()) check_.skipped += whole.back() + 1U - whole.size();
        Elements elements = below;
        elements.insert(elements.end(), top.begin(), top.end());
        for (std::size_t i = 0; i < top.size(); ++i) {
            Elements less = top;
            less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
            compare(judge(dag, less), whole, elements, top[i]);
            if (!top[i].certified) continue;
            less.push_back({top[i].round, top[i].author, top[i].parents, false});
            compare(judge(dag, less), whole, elements, top[i]);
        }
        for (const std::size_t index : late(elements, round)) {
            Elements less = below;
            less.erase(less.begin() + static_cast<std::ptrdiff_t>(index));
            compare(judge(build(less), top), whole, elements, below[index]);
            Element header = below[index];
            header.certified = false;
            less.push_back(header);
            compare(judge(build(less), top), whole, elements, below[index]);
        }
        if (round + 1U < rounds_ && std::popcount(certified_in(top, round)) >= 3 &&
            seen.insert(summary(elements, round)).second)
            next.push_back(std::move(elements));
    }

    void compare(const std::vector<std::uint8_t>& part,
                 const std::vector<std::uint8_t>& whole,
                 const Elements& elements,
                 const Element& missing) {
        if (!check_.fork.empty() ||
            (part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin())))
            return;
        check_.fork = "anchors " + in_words(part) + " without" + in_words(Elements{missing}) +
                      ", " + in_words(whole) + " with it, of" + in_words(elements);
    }

    // How every slot stands to what may still come: who has voted, on what something rests and on
    // what nothing does, and from which vertices of the top round it is reached.
    static std::string summary(const Elements& elements, std::size_t top) {
        std::array<std::array<Mask, kMembers>, kRoundsMax> reached{};
        std::string key;
        const auto late_ones = late(elements, top);
        std::array<Mask, kRoundsMax + 1> is_late{};
        for (const std::size_t index : late_ones)
            is_late[elements[index].round] =
                static_cast<Mask>(is_late[elements[index].round] | bit(elements[index].author));
        std::array<std::array<std::uint8_t, 5>, kRoundsMax> votes{};
        std::array<Mask, kRoundsMax> voters{};
        std::array<Mask, kRoundsMax> proposers{};
        for (const Element& element : elements) {
            if (element.round == 0) {
                if (element.author == leader_of(0)) reached[0][element.author] = bit(0);
                continue;
            }
            const std::size_t slot = element.round - 1U;
            const bool votes_for_it = has(element.parents, leader_of(slot));
            if (!element.certified) {
                if (votes_for_it)
                    proposers[slot] = static_cast<Mask>(proposers[slot] | bit(element.author));
                continue;
            }
            Mask mask = element.author == leader_of(element.round) ? bit(element.round) : Mask{0};
            for (std::size_t parent = 0; parent < kMembers; ++parent)
                if (has(element.parents, parent))
                    mask = static_cast<Mask>(mask | reached[slot][parent]);
            reached[element.round][element.author] = mask;
            if (votes_for_it) voters[slot] = static_cast<Mask>(voters[slot] | bit(element.author));
            ++votes[slot][(votes_for_it ? 2U : 0U) +
                          (has(is_late[element.round], element.author) ? 1U : 0U)];
        }
        for (std::size_t slot = 0; slot < top; ++slot) {
            votes[slot][4] = static_cast<std::uint8_t>(
                std::popcount(static_cast<Mask>(proposers[slot] & ~voters[slot])));
            key.append(votes[slot].begin(), votes[slot].end());
            key.push_back(has(certified_in(elements, slot), leader_of(slot)) ? 'y' : 'n');
        }
        // Of the top round: the leader's vertex first, then the others in any order.
        const Mask here = certified_in(elements, top);
        std::vector<std::uint8_t> others;
        for (std::size_t i = 0; i < kMembers; ++i) {
            const std::size_t author = (leader_of(top) + i) % kMembers;
            const std::uint8_t code = has(here, author)
                                          ? static_cast<std::uint8_t>(0x80U | reached[top][author])
                                          : std::uint8_t{0};
            if (i == 0)
                key.push_back(static_cast<char>(code));
            else
                others.push_back(code);
        }
        std::ranges::sort(others);
        key.append(others.begin(), others.end());
        return key;
    }

    std::uint64_t rounds_;
    CommitRule rule_;
    CommitRuleCheck check_;
};

}  // namespace

CommitRuleCheck check_commit_rule(const CommitRuleOptions& options) {
    return Search(options).run();
}

std::string to_string(const CommitRuleCheck& check) {
    return std::to_string(check.dags) + " DAGs, " + std::to_string(check.views) + " views, " +
           std::to_string(check.committed) + " anchors committed, " +
           std::to_string(check.skipped) +
           " skipped: " + (check.fork.empty() ? "no fork" : check.fork);
}

}  // namespace draco::campaign
