#include "text_file.hpp"

#include "draco/io/file_descriptor.hpp"
#include "draco/io/path_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace draco {
namespace {

std::unexpected<Error> system_failure(const std::string& what, const std::string& path) {
    const Errc code = errno == EEXIST ? Errc::AlreadyExists : Errc::Io;
    return fail(code, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

Result<> write_new(const std::string& path, int flags, std::string_view text) {
    const io::FileDescriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
    if (file.get() < 0) return system_failure("create", path);
    while (!text.empty()) {
        const ssize_t count = ::write(file.get(), text.data(), text.size());
        if (count < 0 && errno != EINTR) return system_failure("write", path);
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(file.get()) != 0) return system_failure("write", path);
    return {};
}

Result<> sync_parent(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const io::FileDescriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::fsync(folder.get()) != 0) return system_failure("sync", parent);
    return {};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
    DRACO_TRY(file, io::open_for_reading(path));
    DRACO_TRY(size, file->size());
    if (size > bytes_max)
        return fail(Errc::Exhausted,
                    path + " has " + std::to_string(size) + " bytes, more than the " +
                        std::to_string(bytes_max) + " allowed");
    std::string text(size, '\0');
    DRACO_TRY(count, file->read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
    text.resize(count);
    return text;
}

Result<> replace_text_file(const std::string& path, std::string_view text) {
    const std::string staged = path + ".new";
    DRACO_TRY_VOID(write_new(staged, O_TRUNC, text));
    if (::rename(staged.c_str(), path.c_str()) != 0) return system_failure("replace", path);
    return sync_parent(path);
}

Result<> check_can_create(const std::string& path) {
    if (path_exists(path))
        return fail(Errc::AlreadyExists, path + " exists already: name another file");
    const auto folder = std::filesystem::path(path).parent_path();
    if (!folder.empty() && !path_exists(folder.string()))
        return fail(Errc::NotFound, "there is no folder " + folder.string() + " for " + path);
    return {};
}

Result<> create_text_file(const std::string& path, std::string_view text) {
    DRACO_TRY_VOID(write_new(path, O_EXCL, text));
    return sync_parent(path);
}

Result<> create_folder(const std::string& path) {
    std::string made;
    for (std::size_t at = 0; at != std::string::npos;) {
        at = path.find('/', at + 1);
        made = path.substr(0, at);
        if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST)
            return system_failure("create the folder", made);
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored))
        return fail(Errc::AlreadyExists, path + " is no folder");
    return {};
}

bool path_exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

std::string last_lines(const std::string& path, std::size_t lines_max) {
    constexpr std::uint64_t kTailBytesMax = 8192;
    const auto file = io::open_for_reading(path);
    if (!file) return {};
    const auto size = (*file)->size();
    if (!size) return {};
    const std::uint64_t begin = *size > kTailBytesMax ? *size - kTailBytesMax : 0;
    std::string text(*size - begin, '\0');
    const auto count =
        (*file)->read_at(begin, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    if (!count) return {};
    text.resize(*count);
    while (text.ends_with('\n')) text.pop_back();
    std::size_t at = text.size();
    for (std::size_t lines = 0; lines < lines_max && at != std::string::npos && at > 0; ++lines)
        at = text.rfind('\n', at - 1);
    return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

}  // namespace draco
