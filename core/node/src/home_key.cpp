#include "home_key.hpp"

#include "draco/identity/key_store.hpp"
#include "draco/node/password_file.hpp"

#include <utility>
#include <variant>

namespace draco::node {

Result<HomeKey> load_home_key(Disk& home,
                              const std::string& home_path,
                              const NodeConfig::Keys& config,
                              const std::string& password_file) {
    if (password_file.empty())
        DRACO_TRY_VOID(check_private(home_path + "/" + config.password_file));
    DRACO_TRY(password,
              password_file.empty() ? read_password(home, config.password_file)
                                    : read_password_file(password_file));
    DRACO_TRY(store, identity::KeyStore::open(home, config.directory));
    DRACO_TRY(loaded, store.load(identity::KeyKind::Node, identity::kDefaultKeyName, password));
    return HomeKey{.key = std::get<types::NodeSecretKey>(std::move(loaded.secret)),
                   .restored = loaded.info.restored};
}

}  // namespace draco::node
