#pragma once
// Who may administer a node over RPC: whoever can read the token in the node's home. It is drawn
// anew at each start, so what was seen of an old one is worth nothing.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/base/rng.hpp"
#include "draco/crypto/secret.hpp"
#include "draco/types/state.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace draco::rpc {

struct AdminTokenTag;
using AdminToken = crypto::SecretBytes<AdminTokenTag, 32>;

// In the data directory of the node's home: 64 hex digits and a newline.
inline constexpr std::string_view kAdminTokenFile = "admin-token";

// Draws a token and puts it in place of the file at `path`, whose directory exists. `rng` is
// cryptographically strong, except in a simulation. Errors are the disk's.
Result<AdminToken> renew_admin_token(Disk& home, std::string_view path, Rng& rng);
// What the file says, as it is sent. NotFound: no node has started there; Corrupt.
Result<std::string> read_admin_token(Disk& home, std::string_view path);

// From "Bearer <hex>", the value of an Authorization header; nullopt if it is anything else.
std::optional<AdminToken> parse_authorization(std::string_view value);

// What the admin_ methods work with.
struct AdminAccess {
    AdminToken token;
    std::string token_path;          // in the home: errors name it
    types::NodeEndpoints endpoints;  // where this node says that it is reached
};

}  // namespace draco::rpc
