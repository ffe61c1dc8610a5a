#pragma once
#include "draco/io/posix_disk.hpp"

namespace draco::io {

class PosixFile final : public File {
public:
    enum class Access { Read, ReadWrite };

    PosixFile(FileDescriptor fd, std::string path, Access access)
        : fd_(std::move(fd)), path_(std::move(path)), access_(access) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override;
    Result<> write_at(std::uint64_t offset, ByteView data) override;
    Result<> truncate(std::uint64_t size_bytes) override;
    Result<> preallocate(std::uint64_t size_bytes) override;
    Result<> sync() override;
    Result<std::uint64_t> size() const override;

    FileDescriptor take() && { return std::move(fd_); }

private:
    // A range the kernel can express in a file this object may `operation`.
    Result<> check_range(std::string_view operation,
                         std::uint64_t offset,
                         std::uint64_t size) const;
    Result<> check_writable(std::string_view operation) const;

    FileDescriptor fd_;
    std::string path_;
    Access access_;
};

}  // namespace draco::io
