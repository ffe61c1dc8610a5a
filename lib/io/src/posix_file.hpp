#pragma once
#include "draco/io/posix_disk.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>

namespace draco::io {

class PosixFile final : public File {
public:
    enum class Access { Read, ReadWrite };

    PosixFile(FileDescriptor fd, std::string path, Access access)
        : fd_(std::move(fd)), path_(std::move(path)), access_(access) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override;
    Result<> write_at(std::uint64_t offset, ByteView data) override;
    // Large writes go past the system's cache from now on, if the file system can do that.
    void expect_no_readers() override;
    Result<> truncate(std::uint64_t size_bytes) override;
    Result<> preallocate(std::uint64_t size_bytes) override;
    Result<> sync() override;
    Result<std::uint64_t> size() const override;

    FileDescriptor take() && { return std::move(fd_); }

private:
    struct Freed {
        void operator()(std::uint8_t* memory) const { std::free(memory); }
    };

    Result<> write_cached(std::uint64_t offset, ByteView data);
    // Whole blocks.
    Result<> write_direct(std::uint64_t offset, ByteView data);

    // A range the kernel can express in a file this object may `operation`.
    Result<> check_range(std::string_view operation,
                         std::uint64_t offset,
                         std::uint64_t size) const;
    Result<> check_writable(std::string_view operation) const;

    FileDescriptor fd_;
    std::string path_;
    Access access_;
    FileDescriptor direct_fd_;  // of the same file, for writes past the cache; may be none
    std::mutex direct_writing_;
    std::unique_ptr<std::uint8_t[], Freed> aligned_;  // what such a write is made from
};

}  // namespace draco::io
