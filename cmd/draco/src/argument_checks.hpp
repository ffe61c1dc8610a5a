#pragma once
// What a word on the command line may be. What is refused here is a usage error, whatever the state
// of homes and nodes.

#include "draco/base/result.hpp"

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace draco {

template <class Parsed>
CLI::Validator parses(const std::string& what, Result<Parsed> (*parse)(std::string_view)) {
    return CLI::Validator(
        [parse](std::string& text) {
            const auto parsed = parse(text);
            return parsed ? std::string() : parsed.error().context;
        },
        what);
}

CLI::Validator flk_amount();
CLI::Validator some_flk();  // more than nothing
CLI::Validator some_usd();
CLI::Validator address();
CLI::Validator node_key();
CLI::Validator peer_address();  // KEY@HOST:PORT
CLI::Validator host_and_port();
CLI::Validator session_key();
CLI::Validator transaction_hash();
CLI::Validator content_address();  // or the URL of content
CLI::Validator host();
CLI::Validator key_name();
CLI::Validator scenario();
CLI::Validator node_url();
// CLI11 takes -1 for the largest number.
CLI::Validator whole_number();
// A port of every node is beyond the base.
CLI::Validator port_base();

Result<> check_flk(std::string_view text);
Result<> check_usd(std::string_view text);
// That all ports of so many nodes exist.
Result<> check_ports(std::uint16_t base, std::size_t nodes, const std::string& host);

}  // namespace draco
