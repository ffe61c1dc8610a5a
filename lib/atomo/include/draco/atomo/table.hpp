#pragma once
// Tables and schemas are types, declared as constexpr values:
//
//     inline constexpr Table<1, "accounts", Address, Account> kAccounts;
//     inline constexpr Table<2, "mempool", TxHash, Tx, Authenticated::No> kMempool;
//     using NodeSchema = Schema<kAccounts, kMempool>;
//
// A schema whose ids or names are not unique, and any use of a table outside the schema, does not
// compile. Ids and names are part of the storage format: never reuse one for other data.

#include "draco/atomo/key_codec.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bcs.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace draco::atomo {

// Whether the state root covers the table.
enum class Authenticated : std::uint8_t { No, Yes };

// How values become bytes. Decoding takes foreign bytes (a disk's, a checkpoint's).
template <class C, class T>
concept ValueCodec = requires(const T& value, ByteView bytes) {
    { C::encode(value) } -> std::same_as<Bytes>;
    { C::template decode<T>(bytes) } -> std::same_as<Result<T>>;
};

struct BcsCodec {
    template <class T>
    static Bytes encode(const T& value) {
        return bcs::encode(value);
    }

    template <class T>
    static Result<T> decode(ByteView bytes) {
        DRACO_TRY(value, bcs::decode<T>(bytes));
        return std::move(value);
    }
};

inline constexpr std::size_t kTableNameBytesMax = 64;
inline constexpr std::uint8_t kTableIdMax = 239;   // the others are atomo's own
inline constexpr std::size_t kKeyBytesMax = 4096;  // encoded
inline constexpr std::size_t kValueBytesMax = std::size_t{16} << 20;

// A string as a template argument: 1 to kTableNameBytesMax bytes.
template <std::size_t N>
    requires(N >= 2 && N <= kTableNameBytesMax + 1)
struct TableName {
    char text[N]{};

    consteval TableName(const char (&literal)[N]) {  // NOLINT(google-explicit-constructor): literal
        std::ranges::copy(literal, text);
    }

    constexpr std::string_view view() const { return {text, N - 1}; }
};

template <std::uint8_t Id,
          TableName Name,
          Key K,
          class V,
          Authenticated A = Authenticated::Yes,
          class Codec = BcsCodec>
    requires(Id >= 1 && Id <= kTableIdMax) && ValueCodec<Codec, V>
struct Table {
    using KeyType = K;
    using ValueType = V;
    using CodecType = Codec;
    static constexpr std::uint8_t kId = Id;
    static constexpr std::string_view kName = Name.view();
    static constexpr Authenticated kAuthenticated = A;
};

// A table without its types, as it is stored and as a checkpoint names it.
struct TableInfo {
    std::uint8_t id = 0;
    std::string name;
    Authenticated authenticated = Authenticated::No;

    bool operator==(const TableInfo&) const = default;
};

namespace detail {

template <class T, std::size_t N>
consteval bool unique(std::array<T, N> values) {
    std::ranges::sort(values);
    return std::ranges::adjacent_find(values) == values.end();
}

}  // namespace detail

template <auto... Tables>
struct Schema {
    template <class T>
    static constexpr bool kContains =
        (std::same_as<T, std::remove_const_t<decltype(Tables)>> || ...);

    // Ascending by id.
    static std::vector<TableInfo> tables() {
        std::vector<TableInfo> infos{
            {Tables.kId, std::string(Tables.kName), Tables.kAuthenticated}...};
        std::ranges::sort(infos, {}, &TableInfo::id);
        return infos;
    }

private:
    static_assert(sizeof...(Tables) > 0, "a schema has at least one table");
    static_assert(detail::unique(std::array{Tables.kId...}), "two tables have one id");
    static_assert(detail::unique(std::array{Tables.kName...}), "two tables have one name");
};

}  // namespace draco::atomo
