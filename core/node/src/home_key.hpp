#pragma once
// The key of a home: of its node, or of its worker.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/node/config.hpp"
#include "draco/types/keys.hpp"

#include <string>

namespace draco::node {

struct HomeKey {
    types::NodeSecretKey key;
    bool restored = false;  // from a backup
};

// `home_path` is where the disk of the home is. `password_file` empty: the configuration's. Errors:
// those of check_private, read_password and the key store.
Result<HomeKey> load_home_key(Disk& home,
                              const std::string& home_path,
                              const NodeConfig::Keys& config,
                              const std::string& password_file);

}  // namespace draco::node
