#include "draco/io/file_descriptor.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace draco::io {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FileDescriptor::~FileDescriptor() {
    if (fd_ < 0) return;
    const int number = errno;
    ::close(fd_);
    errno = number;
}

int FileDescriptor::release() {
    return std::exchange(fd_, -1);
}

}  // namespace draco::io
