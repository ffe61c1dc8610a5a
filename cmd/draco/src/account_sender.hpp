#pragma once
// Who signs a transaction of the command line: an account of the home, or of the development
// mnemonic.

#include "draco/base/result.hpp"
#include "draco/types/transaction.hpp"

#include "invocation.hpp"
#include "node_home.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace draco {

struct SenderOptions {
    std::string account;  // the name of a key of the home; empty: "default"
    std::optional<std::uint32_t> dev_account;
    std::string password_file;
    std::string fee_max;  // FLK; empty: what the chain's parameters say, with room
    bool no_wait = false;
};

// The home of the invocation, made if it is not there: its journal counts nonces.
Result<NodeHome> sender_home(const Invocation& invocation);

// Without a password: what a key file says of its id is enough to look.
Result<std::string> sender_address(const NodeHome& home, const SenderOptions& options);

// Says on standard error when it is one of the public development accounts.
Result<types::AccountSecretKey> sender_key(const NodeHome& home, const SenderOptions& options);

// Base58 or hex. InvalidArgument if it is neither.
Result<types::NodeKey> parse_node_key(std::string_view text);

// Signs, sends, and prints the receipt, or the hash with no_wait; for people behind a line that
// says what was sent, as in "1.5 FLK to 0x...", if that is given.
Result<> send_as_account(const Invocation& invocation,
                         const NodeHome& home,
                         const SenderOptions& options,
                         types::Method method,
                         const std::string& what = {});

}  // namespace draco
