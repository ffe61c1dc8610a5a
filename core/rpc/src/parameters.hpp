#pragma once
// The parameters of a call, by position or by name, checked against what the method takes.

#include "draco/types/keys.hpp"
#include "draco/types/transaction.hpp"

#include "rpc_error.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace draco::rpc {

// Entries of a page of a list, if the caller does not say.
inline constexpr std::uint64_t kPageDefault = 100;

enum class ParameterType : std::uint8_t {
    Address,
    NodeKey,
    Hash,
    Number,  // of 64 bits
    BlockId,
    Hex,
    Text,
    Options,
};

std::string_view type_name(ParameterType type);

struct ParameterSpec {
    std::string_view name;
    ParameterType type;
    bool required;
    std::string_view doc;
};

// Null or left out is "not given". Views the call, which outlives it.
class Parameters {
public:
    // Every required one is there, and nothing that the method does not take.
    static Outcome<Parameters> bind(std::span<const ParameterSpec> specs,
                                    const boost::json::value& given);

    // By place in the specification.
    bool has(std::size_t place) const { return values_[place] != nullptr; }

    // Precondition of these: has(place).
    Outcome<types::Address> address(std::size_t place) const;
    Outcome<types::NodeKey> node_key(std::size_t place) const;
    Outcome<types::TransactionHash> hash(std::size_t place) const;
    Outcome<std::uint64_t> number(std::size_t place, std::uint64_t max) const;
    // nullopt: "latest".
    Outcome<std::optional<std::uint64_t>> block_id(std::size_t place) const;
    Outcome<Bytes> hex(std::size_t place, std::size_t bytes_max) const;
    Outcome<std::string_view> text(std::size_t place) const;

    // Members of an Options parameter; the defaults when it or they are not given.
    Outcome<bool> option(std::size_t place, std::string_view name, bool otherwise) const;
    Outcome<std::uint64_t> option(std::size_t place,
                                  std::string_view name,
                                  std::uint64_t otherwise,
                                  std::uint64_t max) const;
    // No members but these.
    Outcome<void> check_options(std::size_t place, std::span<const std::string_view> known) const;

private:
    explicit Parameters(std::span<const ParameterSpec> specs)
        : specs_(specs), values_(specs.size()) {}

    static Outcome<Parameters> bind_by_name(std::span<const ParameterSpec> specs,
                                            const boost::json::object& given);
    std::unexpected<RpcError> bad(std::size_t place, const std::string& expected) const;

    std::span<const ParameterSpec> specs_;
    std::vector<const boost::json::value*> values_;
};

}  // namespace draco::rpc
