#pragma once
// The committee of an epoch: n members with one vote each, of which at most f = floor((n - 1) / 3)
// may be faulty. Quorums are n - f, which is 2f + 1 only when n = 3f + 1; any two quorums share
// more than f members.

#include "draco/base/result.hpp"
#include "draco/types/ids.hpp"
#include "draco/types/keys.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace draco::types {

inline constexpr std::size_t kCommitteeMax = 128;

// A set of members, by index. Value type; encoded as two 64-bit words, least significant member
// first.
struct AuthoritySet {
    std::array<std::uint64_t, kCommitteeMax / 64> words{};

    bool operator==(const AuthoritySet&) const = default;

    constexpr bool contains(AuthorityIndex member) const {
        return (words[member.value() / 64U] >> (member.value() % 64U) & 1U) != 0;
    }

    // Precondition: member < kCommitteeMax, as every index of a committee is.
    constexpr void insert(AuthorityIndex member) {
        words[member.value() / 64U] |= std::uint64_t{1} << (member.value() % 64U);
    }

    constexpr std::size_t count() const {
        std::size_t total = 0;
        for (const std::uint64_t word : words)
            total += static_cast<std::size_t>(std::popcount(word));
        return total;
    }

    constexpr AuthoritySet intersection(const AuthoritySet& other) const {
        AuthoritySet both;
        for (std::size_t i = 0; i < words.size(); ++i) both.words[i] = words[i] & other.words[i];
        return both;
    }

    constexpr AuthoritySet united(const AuthoritySet& other) const {
        AuthoritySet either;
        for (std::size_t i = 0; i < words.size(); ++i) either.words[i] = words[i] | other.words[i];
        return either;
    }

    constexpr AuthoritySet without(const AuthoritySet& other) const {
        AuthoritySet rest;
        for (std::size_t i = 0; i < words.size(); ++i) rest.words[i] = words[i] & ~other.words[i];
        return rest;
    }

    constexpr void erase(AuthorityIndex member) {
        words[member.value() / 64U] &= ~(std::uint64_t{1} << (member.value() % 64U));
    }

    constexpr bool empty() const { return *this == AuthoritySet{}; }

    // Whether every member is below `size`: what a set from the wire must satisfy before it is
    // used.
    bool within(std::size_t size) const;

    // In ascending order.
    template <class Visit>
    constexpr void for_each(Visit&& visit) const {
        for (std::size_t i = 0; i < words.size(); ++i)
            for (std::uint64_t rest = words[i]; rest != 0; rest &= rest - 1)
                visit(AuthorityIndex(static_cast<std::uint16_t>(
                    64 * i + static_cast<std::size_t>(std::countr_zero(rest)))));
    }
};

// Immutable value; copies share what verify() has prepared.
class Committee {
public:
    // Members in any order; they are sorted by key, and that order numbers them. InvalidArgument if
    // there are none, more than kCommitteeMax, or one twice.
    static Result<Committee> make(Epoch epoch, std::vector<NodeKey> members);

    Epoch epoch() const { return epoch_; }

    std::size_t size() const { return members_.size(); }

    std::size_t faulty_max() const { return (size() - 1) / 3; }

    // n - f: any two quorums share an honest member.
    std::size_t quorum() const { return size() - faulty_max(); }

    // f + 1: at least one of them is honest.
    std::size_t validity() const { return faulty_max() + 1; }

    std::span<const NodeKey> members() const { return members_; }

    // Precondition (asserted): index < size().
    const NodeKey& key(AuthorityIndex index) const;
    std::optional<AuthorityIndex> index_of(const NodeKey& key) const;

    bool has(AuthorityIndex index) const { return index.value() < size(); }

    // crypto::verify() by a member's key, at a third of its cost. The first verification of each
    // member takes as long as three, and 30 KiB that stay. Thread-safe. Precondition as above.
    Result<> verify(AuthorityIndex signer, ByteView message, const NodeSignature& signature) const;

private:
    class Verifiers;

    Committee(Epoch epoch, std::vector<NodeKey> members);

    Epoch epoch_;
    std::vector<NodeKey> members_;
    std::shared_ptr<Verifiers> verifiers_;
};

}  // namespace draco::types
