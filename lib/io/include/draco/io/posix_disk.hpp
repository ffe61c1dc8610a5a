#pragma once
// The files below one directory of the operating system, as a draco::Disk. Thread-safe.
//
// No path leaves the root: each directory on the way is opened below the one before it, and
// symbolic links are not followed (the root itself may be one). Files are created with mode 0600,
// directories with 0700.
//
// sync() is fdatasync, sync_directory() fsync of the directory, preallocate() posix_fallocate, and
// lock() flock, which the kernel releases however the process ends; the lock file holds the
// holder's process id as decimal text. Calls block. Errors carry the operation, the path and the
// system's reason; a full disk or quota, and running out of file descriptors, are Exhausted.

#include "draco/base/disk.hpp"
#include "draco/io/file_descriptor.hpp"

#include <string>

namespace draco::io {

class PosixDisk final : public Disk {
public:
    // Opens the directory `root`, an absolute path or one relative to the working directory, and
    // creates it if its parent exists; the name of one created is durable when this returns.
    static Result<std::unique_ptr<PosixDisk>> open_root(const std::string& root);

    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Result<> rename(std::string_view from, std::string_view to) override;
    Result<> remove(std::string_view path) override;
    Result<> create_directory(std::string_view path) override;
    Result<> remove_directory(std::string_view path) override;
    Result<> sync_directory(std::string_view path) override;
    Result<std::vector<DirectoryEntry>> list(std::string_view path) const override;
    Result<bool> exists(std::string_view path) const override;
    Result<std::unique_ptr<DiskLock>> lock(std::string_view path) override;

private:
    // A name and the directory that holds it, opened without following links.
    struct Place {
        FileDescriptor parent;
        std::string name;
    };

    PosixDisk(std::string root, FileDescriptor fd)
        : root_(std::move(root)), root_fd_(std::move(fd)) {}

    Result<Place> place_of(std::string_view path) const;
    Result<FileDescriptor> open_directory(std::string_view path) const;
    Result<FileDescriptor> open_file(std::string_view path, int flags) const;
    std::string full(std::string_view path) const;

    std::string root_;
    FileDescriptor root_fd_;
};

}  // namespace draco::io
