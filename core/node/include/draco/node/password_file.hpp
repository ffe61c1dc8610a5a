#pragma once
// A password in a file, for nodes that start without a person: the first line, without its end.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

#include <string>
#include <string_view>

namespace draco::node {

// As ssh does with keys: a file of this user that others may read or write is refused, with
// Unauthenticated and what to do. Of files of other users their owners judge. No complaint about
// what is not there. The error calls the file `what`.
Result<> check_private(const std::string& path, std::string_view what = "password file");

// Errors: NotFound; InvalidArgument (empty, or longer than a kilobyte); the disk's. None repeats
// what the file says.
Result<crypto::SecretBuffer> read_password(Disk& home, std::string_view path);
// A path of the operating system; the file passes check_private.
Result<crypto::SecretBuffer> read_password_file(const std::string& path);

}  // namespace draco::node
