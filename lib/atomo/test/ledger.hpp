#pragma once
// The schema that tests of the typed interface share.

#include "draco/atomo/database.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/strong_id.hpp"

#include <cstdint>
#include <string>

namespace draco::atomo {

using Address = FixedBytes<struct AddressTag, 20>;
using Height = StrongId<struct HeightTag, std::uint64_t>;

struct Account {
    std::uint64_t balance = 0;
    std::uint64_t nonce = 0;
    std::string note;

    bool operator==(const Account&) const = default;
};

struct Position {
    std::string market;
    Height opened;

    auto operator<=>(const Position&) const = default;
};

inline constexpr Table<1, "accounts", Address, Account> kAccounts;
inline constexpr Table<2, "positions", Position, std::uint32_t> kPositions;
inline constexpr Table<239, "cache", std::string, Bytes, Authenticated::No> kCache;
using Ledger = Schema<kAccounts, kPositions, kCache>;

inline constexpr Table<9, "elsewhere", Address, Account> kElsewhere;

inline Address address(std::uint64_t number) {
    Address address;
    store_be(address.data() + 12, number);
    return address;
}

}  // namespace draco::atomo
