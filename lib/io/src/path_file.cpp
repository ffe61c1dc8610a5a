#include "draco/io/path_file.hpp"

#include "posix_file.hpp"
#include "system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace draco::io {

Result<std::unique_ptr<File>> open_for_reading(const std::string& path) {
    // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
    FileDescriptor fd(
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (fd.get() < 0) return system_error("open", path, errno);
    struct stat status{};
    if (fstat(fd.get(), &status) != 0) return system_error("stat", path, errno);
    if (S_ISDIR(status.st_mode))
        return fail(Errc::InvalidArgument, "\"" + path + "\" is a directory");
    if (!S_ISREG(status.st_mode))
        return fail(Errc::Unavailable, "\"" + path + "\" is not a regular file");
    return std::make_unique<PosixFile>(std::move(fd), path, PosixFile::Access::Read);
}

}  // namespace draco::io
