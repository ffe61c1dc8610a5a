#pragma once
// A message with every kind of field that BCS knows, and the same shape in test/golden.mjs.

#include "draco/bcs/bcs.hpp"

namespace draco::bcs::testing {

struct HashTag;
using Hash = FixedBytes<HashTag, 4>;
struct RoundTag;
using Round = StrongId<RoundTag, std::uint64_t>;

enum class Kind : std::uint8_t { Payload, Parent, Vote };

struct Transfer {
    Hash to;
    unsigned __int128 amount = 0;

    bool operator==(const Transfer&) const = default;
};

struct Vote {
    Round round;
    bool approve = false;
    std::optional<std::string> reason;

    bool operator==(const Vote&) const = default;
};

struct Tree {
    std::uint8_t value = 0;
    std::vector<Tree> children;

    bool operator==(const Tree&) const = default;
};

using Action = std::variant<std::monostate, Transfer, Vote>;

struct RichMessage {
    Kind kind{};
    Round round;
    std::vector<Action> actions;
    Bounded<std::vector<Hash>, 3> parents;
    std::map<std::uint16_t, std::string> names;
    std::optional<Tree> tree;
    std::array<std::pair<std::int16_t, bool>, 2> pairs;
    std::vector<std::uint32_t> numbers;
    std::vector<bool> flags;
    Bounded<std::string, 8> label;

    bool operator==(const RichMessage&) const = default;
};

}  // namespace draco::bcs::testing
