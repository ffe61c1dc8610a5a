#include "posix_file.hpp"

#include "draco/base/checked.hpp"

#include "system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

namespace draco::io {

static_assert(sizeof(off_t) == 8);

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, MutByteView out) const {
    DRACO_TRY_VOID(check_range("read", offset, out.size()));
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t count = uninterrupted([&] {
            return pread(
                fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        });
        if (count < 0) return system_error("read", path_, errno);
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

Result<> PosixFile::write_at(std::uint64_t offset, ByteView data) {
    DRACO_TRY_VOID(check_writable("write"));
    DRACO_TRY_VOID(check_range("write", offset, data.size()));
    for (std::size_t done = 0; done < data.size();) {
        const ssize_t count = uninterrupted([&] {
            return pwrite(fd_.get(),
                          data.data() + done,
                          data.size() - done,
                          static_cast<off_t>(offset + done));
        });
        if (count < 0) return system_error("write", path_, errno);
        done += static_cast<std::size_t>(count);
    }
    return {};
}

Result<> PosixFile::truncate(std::uint64_t size_bytes) {
    DRACO_TRY_VOID(check_writable("truncate"));
    DRACO_TRY_VOID(check_range("truncate", size_bytes, 0));
    if (uninterrupted([&] { return ftruncate(fd_.get(), static_cast<off_t>(size_bytes)); }) != 0)
        return system_error("truncate", path_, errno);
    return {};
}

Result<> PosixFile::preallocate(std::uint64_t size_bytes) {
    DRACO_TRY_VOID(check_writable("preallocate"));
    DRACO_TRY_VOID(check_range("preallocate", size_bytes, 0));
    if (size_bytes == 0) return {};
    int number = EINTR;  // posix_fallocate returns it and leaves errno alone
    while (number == EINTR) number = posix_fallocate(fd_.get(), 0, static_cast<off_t>(size_bytes));
    if (number != 0) return system_error("preallocate", path_, number);
    return {};
}

Result<> PosixFile::sync() {
    if (uninterrupted([&] { return fdatasync(fd_.get()); }) != 0)
        return system_error("sync", path_, errno);
    return {};
}

Result<std::uint64_t> PosixFile::size() const {
    struct stat status{};
    if (fstat(fd_.get(), &status) != 0) return system_error("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
}

Result<> PosixFile::check_range(std::string_view operation,
                                std::uint64_t offset,
                                std::uint64_t size) const {
    const auto end = checked_add(offset, size);
    if (end && *end <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) return {};
    return fail(Errc::InvalidArgument,
                std::string(operation) + " \"" + path_ + "\": offset " + std::to_string(offset) +
                    " and " + std::to_string(size) + " bytes pass the end of any file, 2^63 - 1");
}

Result<> PosixFile::check_writable(std::string_view operation) const {
    if (access_ == Access::ReadWrite) return {};
    return fail(Errc::InvalidArgument,
                std::string(operation) + " \"" + path_ +
                    "\": opened with OpenMode::Read; open it with OpenMode::ReadWrite");
}

}  // namespace draco::io
