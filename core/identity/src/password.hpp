#pragma once

#include "draco/identity/key_file.hpp"

namespace draco::identity {

// InvalidArgument if it is too long or not UTF-8.
Result<> check_password(const Password& password);

}  // namespace draco::identity
