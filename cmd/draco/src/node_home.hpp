#pragma once
// The home of a node or an operator: its folder, its keys and their password.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/identity/key_store.hpp"
#include "draco/node/config.hpp"

#include "invocation.hpp"

#include <memory>
#include <string>

namespace draco {

// Passwords on the command line are seen by every user of the machine, so they come from files.
inline constexpr std::string_view kPasswordHint = "the first line of a file: --password-file FILE";

class NodeHome {
public:
    // NotFound if the folder is not there.
    static Result<NodeHome> open(const std::string& path);
    // Creates the folder, mode 0700.
    static Result<NodeHome> create(const std::string& path);

    const std::string& path() const { return path_; }

    Disk& disk() const { return *disk_; }

    // config.toml, or the defaults if there is none.
    Result<node::NodeConfig> config() const;
    Result<identity::KeyStore> keys(bool light_scrypt = false) const;
    // Of the node that this home is, without a password. NotFound.
    Result<types::NodeKey> node_key() const;
    // The first line of `file`, or of the password file that the configuration names.
    Result<identity::Password> password(const std::string& file) const;

private:
    NodeHome(std::string path, std::unique_ptr<Disk> disk)
        : path_(std::move(path)), disk_(std::move(disk)) {}

    std::string path_;
    std::unique_ptr<Disk> disk_;
};

// Refuses what node::check_private does.
Result<identity::Password> read_password(const std::string& file);
// 32 random bytes in hex, in a new file of mode 0600.
Result<> create_password_file(const std::string& file);

}  // namespace draco
