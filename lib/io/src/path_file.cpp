#include "draco/io/path_file.hpp"

#include "posix_file.hpp"
#include "system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace draco::io {
namespace {

Result<> check_is_file(const struct stat& status, const std::string& path) {
    if (S_ISDIR(status.st_mode))
        return fail(Errc::InvalidArgument, "\"" + path + "\" is a directory");
    if (!S_ISREG(status.st_mode))
        return fail(Errc::Unavailable, "\"" + path + "\" is not a regular file");
    return {};
}

}  // namespace

Result<std::unique_ptr<File>> open_for_reading(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return system_error("open", path, errno);
    // Before it is opened: who waits to write to a pipe would write to a reader that goes away.
    DRACO_TRY_VOID(check_is_file(status, path));
    // O_NONBLOCK: it may be a pipe by now, and opening one that nobody writes to must not wait.
    FileDescriptor fd(
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (fd.get() < 0) return system_error("open", path, errno);
    if (fstat(fd.get(), &status) != 0) return system_error("stat", path, errno);
    DRACO_TRY_VOID(check_is_file(status, path));
    return std::make_unique<PosixFile>(std::move(fd), path, PosixFile::Access::Read);
}

}  // namespace draco::io
