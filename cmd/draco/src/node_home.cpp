#include "node_home.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/node/password_file.hpp"

#include "text_file.hpp"

namespace draco {

Result<NodeHome> NodeHome::open(const std::string& path) {
    if (!path_exists(path))
        return fail(Errc::NotFound, "there is no home " + path + "; run draco init --home " + path);
    DRACO_TRY(disk, io::PosixDisk::open_root(path));
    return NodeHome(path, std::move(disk));
}

Result<NodeHome> NodeHome::create(const std::string& path) {
    DRACO_TRY_VOID(create_folder(path));
    return open(path);
}

Result<node::NodeConfig> NodeHome::config() const {
    const std::string name = path_ + "/" + std::string(node::kConfigFile);
    auto config = node::load_config(*disk_, name);
    if (!config && config.error().code == Errc::NotFound) return node::NodeConfig();
    return config;
}

Result<identity::KeyStore> NodeHome::keys(bool light_scrypt) const {
    DRACO_TRY(config, this->config());
    identity::KeyStoreOptions options;
    if (light_scrypt) options.scrypt_n = identity::kScryptNLight;
    return identity::KeyStore::open(*disk_, config.keys.directory, options);
}

Result<types::NodeKey> NodeHome::node_key() const {
    DRACO_TRY(store, keys());
    DRACO_TRY(all, store.list());
    for (const auto& info : all)
        if (info.kind == identity::KeyKind::Node && info.name == identity::kDefaultKeyName &&
            info.id)
            return std::get<types::NodeKey>(*info.id);
    return fail(Errc::NotFound, "the home " + path_ + " has no node key");
}

Result<identity::Password> NodeHome::password(const std::string& file) const {
    if (!file.empty()) return read_password(file);
    DRACO_TRY(config, this->config());
    const std::string own = path_ + "/" + config.keys.password_file;
    if (path_exists(own)) return read_password(own);
    return fail(Errc::InvalidArgument,
                "which password? There is no file " + own +
                    "; name one that has it in its first "
                    "line: --password-file FILE");
}

Result<identity::Password> read_password(const std::string& file) {
    DRACO_TRY_VOID(node::check_private(file));
    DRACO_TRY(text, read_text_file(file, identity::kPasswordBytesMax + 2));
    const auto end = text.find_first_of("\r\n");
    identity::Password password(as_bytes(std::string_view(text).substr(0, end)));
    crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    if (password.size() == 0)
        return fail(Errc::InvalidArgument, "the first line of " + file + " is empty");
    return password;
}

Result<> create_password_file(const std::string& file) {
    crypto::SystemRng rng;
    Bytes random(32);
    rng.fill(random);
    return create_text_file(file, to_hex(random) + "\n");
}

}  // namespace draco
