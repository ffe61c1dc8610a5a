#include "posix_file.hpp"

#include "draco/base/checked.hpp"

#include "system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace draco::io {
namespace {

// What every disk and file system takes in a write past the cache.
constexpr std::size_t kBlockBytes = 4096;
// Below this a copy to the cache is cheaper than waiting for the device twice.
constexpr std::size_t kDirectBytesMin = std::size_t{64} << 10;
constexpr std::size_t kAlignedBytes = std::size_t{256} << 10;

std::uint64_t round_up(std::uint64_t offset) {
    return (offset + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

}  // namespace

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
    if (direct_fd_.get() < 0 || data.size() < kDirectBytesMin) return write_cached(offset, data);
    const std::uint64_t first = round_up(offset);
    const std::uint64_t last = (offset + data.size()) / kBlockBytes * kBlockBytes;
    const std::size_t head = first - offset;
    const std::size_t body = last - first;
    DRACO_TRY_VOID(write_cached(offset, data.first(head)));
    DRACO_TRY_VOID(write_direct(first, data.subspan(head, body)));
    return write_cached(last, data.subspan(head + body));
}

Result<> PosixFile::write_cached(std::uint64_t offset, ByteView data) {
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

Result<> PosixFile::write_direct(std::uint64_t offset, ByteView data) {
    const std::lock_guard lock(direct_writing_);
    for (std::size_t done = 0; done < data.size();) {
        const std::size_t size = std::min(data.size() - done, kAlignedBytes);
        std::ranges::copy(data.subspan(done, size), aligned_.get());
        const ssize_t count = uninterrupted([&] {
            return pwrite(
                direct_fd_.get(), aligned_.get(), size, static_cast<off_t>(offset + done));
        });
        // The file system cannot do it here, in its own words for that, or stopped within a block:
        // what is wrong through the cache too, that write or the next sync will say.
        if (count <= 0 || static_cast<std::size_t>(count) % kBlockBytes != 0)
            return write_cached(offset + done, data.subspan(done));
        done += static_cast<std::size_t>(count);
    }
    return {};
}

void PosixFile::expect_no_readers() {
    if (access_ == Access::Read || direct_fd_.get() >= 0) return;
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    FileDescriptor direct(
        uninterrupted([&] { return ::open(self.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC); }));
    if (direct.get() < 0) return;
    aligned_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(kBlockBytes, kAlignedBytes)));
    if (aligned_) direct_fd_ = std::move(direct);
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
