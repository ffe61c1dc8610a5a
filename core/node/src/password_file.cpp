#include "draco/node/password_file.hpp"

#include "draco/io/path_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace draco::node {
namespace {

constexpr std::size_t kPasswordFileBytesMax = 1024;

Result<crypto::SecretBuffer> first_line(const File& file, const std::string& name) {
    crypto::SecretBuffer read(kPasswordFileBytesMax + 1);
    DRACO_TRY(count, file.read_at(0, read.expose()));
    const std::string_view text = read.expose_text().substr(0, count);
    std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty())
        return fail(
            Errc::InvalidArgument,
            "the password file " + name + " has an empty first line; write the password there");
    if (line.size() > kPasswordFileBytesMax)
        return fail(Errc::InvalidArgument,
                    "the password in " + name + " is longer than " +
                        std::to_string(kPasswordFileBytesMax) + " bytes");
    return crypto::SecretBuffer(as_bytes(line));
}

std::string octal(mode_t mode) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U));
    return text.data();
}

}  // namespace

Result<> check_private(const std::string& path, std::string_view what) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return {};
    constexpr mode_t kOthers = 077;
    if (found.st_uid != ::geteuid() || (found.st_mode & kOthers) == 0) return {};
    return fail(Errc::Unauthenticated,
                "the " + std::string(what) + " " + path +
                    " is open to other users of this machine (mode " + octal(found.st_mode) +
                    "): chmod 600 " + path);
}

Result<crypto::SecretBuffer> read_password(Disk& home, std::string_view path) {
    DRACO_TRY(file, home.open(path, OpenMode::Read));
    return first_line(*file, std::string(path));
}

Result<crypto::SecretBuffer> read_password_file(const std::string& path) {
    DRACO_TRY_VOID(check_private(path));
    DRACO_TRY(file, io::open_for_reading(path));
    return first_line(*file, path);
}

}  // namespace draco::node
