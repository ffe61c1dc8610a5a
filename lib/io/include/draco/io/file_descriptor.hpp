#pragma once

// A file descriptor of the operating system that closes itself. Move-only; -1 is none.

namespace draco::io {

class FileDescriptor {
public:
    FileDescriptor() = default;

    explicit FileDescriptor(int fd) : fd_(fd) {}

    FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}

    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    // Leaves errno alone, so that an error can still be read when its scope has been left.
    ~FileDescriptor();

    int get() const { return fd_; }

    // Gives up the descriptor without closing it.
    int release();

private:
    int fd_ = -1;
};

}  // namespace draco::io
