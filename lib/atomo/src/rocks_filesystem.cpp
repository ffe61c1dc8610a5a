#include "rocks_filesystem.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace draco::atomo {
namespace {

using rocksdb::DataVerificationInfo;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus to_status(const Error& error) {
    switch (error.code) {
        case Errc::NotFound:
            return IOStatus::PathNotFound(error.context);
        case Errc::InvalidArgument:
            return IOStatus::InvalidArgument(error.context);
        case Errc::Exhausted:
            return IOStatus::NoSpace(error.context);
        case Errc::Unavailable:
            return IOStatus::Busy(error.context);
        default:
            return IOStatus::IOError(error.context);
    }
}

IOStatus to_status(const Result<>& result) {
    if (result) return IOStatus::OK();
    return to_status(result.error());
}

// RocksDB joins with '/', also after a '/'; a Disk's paths are in one form.
std::string disk_path(const std::string& path) {
    std::string normal;
    for (const char c : path)
        if (c != '/' || (!normal.empty() && normal.back() != '/')) normal.push_back(c);
    if (!normal.empty() && normal.back() == '/') normal.pop_back();
    return normal;
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

ByteView view(const Slice& slice) {
    return as_bytes({slice.data(), slice.size()});
}

IOStatus read_at(
    const File& file, std::uint64_t offset, std::size_t size, Slice* result, char* scratch) {
    auto read = file.read_at(offset, {reinterpret_cast<std::uint8_t*>(scratch), size});
    if (!read) return to_status(read.error());
    *result = Slice(scratch, *read);
    return IOStatus::OK();
}

class SequentialFile final : public rocksdb::FSSequentialFile {
public:
    explicit SequentialFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

    IOStatus Read(size_t n,  // NOLINT(readability-identifier-naming): RocksDB's names
                  const IOOptions& /*options*/,
                  Slice* result,
                  char* scratch,
                  IODebugContext* /*dbg*/) override {
        IOStatus status = read_at(*file_, offset_, n, result, scratch);
        if (status.ok()) offset_ += result->size();
        return status;
    }

    IOStatus Skip(uint64_t n) override {
        offset_ += n;
        return IOStatus::OK();
    }

private:
    const std::unique_ptr<File> file_;
    std::uint64_t offset_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
public:
    explicit RandomAccessFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

    IOStatus Read(uint64_t offset,
                  size_t n,
                  const IOOptions& /*options*/,
                  Slice* result,
                  char* scratch,
                  IODebugContext* /*dbg*/) const override {
        return read_at(*file_, offset, n, result, scratch);
    }

private:
    const std::unique_ptr<File> file_;
};

class WritableFile final : public rocksdb::FSWritableFile {
public:
    explicit WritableFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

    using FSWritableFile::Append;

    IOStatus Append(const Slice& data,
                    const IOOptions& /*options*/,
                    IODebugContext* /*dbg*/) override {
        IOStatus status = to_status(file_->write_at(size_, view(data)));
        if (status.ok()) size_ += data.size();
        return status;
    }

    IOStatus Append(const Slice& data,
                    const IOOptions& options,
                    const DataVerificationInfo& /*verification*/,
                    IODebugContext* dbg) override {
        return Append(data, options, dbg);
    }

    IOStatus Truncate(uint64_t size,
                      const IOOptions& /*options*/,
                      IODebugContext* /*dbg*/) override {
        IOStatus status = to_status(file_->truncate(size));
        if (status.ok()) size_ = size;
        return status;
    }

    IOStatus Close(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
        return IOStatus::OK();
    }

    IOStatus Flush(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
        return IOStatus::OK();
    }

    IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
        return to_status(file_->sync());
    }

    bool IsSyncThreadSafe() const override { return true; }

    uint64_t GetFileSize(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
        return size_;
    }

private:
    const std::unique_ptr<File> file_;
    std::uint64_t size_ = 0;
};

class Directory final : public rocksdb::FSDirectory {
public:
    Directory(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

    IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
        return to_status(disk_.sync_directory(path_));
    }

private:
    Disk& disk_;
    const std::string path_;
};

class HeldLock final : public rocksdb::FileLock {
public:
    explicit HeldLock(std::unique_ptr<DiskLock> lock) : lock_(std::move(lock)) {}

private:
    const std::unique_ptr<DiskLock> lock_;
};

class DiskFileSystem final : public rocksdb::FileSystem {
public:
    explicit DiskFileSystem(Disk& disk) : disk_(disk) {}

    const char* Name() const override { return "draco::Disk"; }

    IOStatus NewSequentialFile(const std::string& path,
                               const FileOptions& /*options*/,
                               std::unique_ptr<rocksdb::FSSequentialFile>* result,
                               IODebugContext* /*dbg*/) override {
        return open<SequentialFile>(path, OpenMode::Read, result);
    }

    IOStatus NewRandomAccessFile(const std::string& path,
                                 const FileOptions& /*options*/,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                 IODebugContext* /*dbg*/) override {
        return open<RandomAccessFile>(path, OpenMode::Read, result);
    }

    IOStatus NewWritableFile(const std::string& path,
                             const FileOptions& /*options*/,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* /*dbg*/) override {
        return open<WritableFile>(path, OpenMode::Truncate, result);
    }

    IOStatus NewDirectory(const std::string& path,
                          const IOOptions& /*options*/,
                          std::unique_ptr<rocksdb::FSDirectory>* result,
                          IODebugContext* /*dbg*/) override {
        *result = std::make_unique<Directory>(disk_, disk_path(path));
        return IOStatus::OK();
    }

    IOStatus FileExists(const std::string& path,
                        const IOOptions& /*options*/,
                        IODebugContext* /*dbg*/) override {
        auto exists = disk_.exists(disk_path(path));
        if (!exists) return to_status(exists.error());
        return *exists ? IOStatus::OK() : IOStatus::NotFound(path);
    }

    IOStatus GetChildren(const std::string& path,
                         const IOOptions& /*options*/,
                         std::vector<std::string>* result,
                         IODebugContext* /*dbg*/) override {
        auto entries = disk_.list(disk_path(path));
        if (!entries) return to_status(entries.error());
        result->clear();
        for (auto& entry : *entries) result->push_back(std::move(entry.name));
        return IOStatus::OK();
    }

    IOStatus DeleteFile(const std::string& path,
                        const IOOptions& /*options*/,
                        IODebugContext* /*dbg*/) override {
        return to_status(disk_.remove(disk_path(path)));
    }

    IOStatus CreateDir(const std::string& path,
                       const IOOptions& /*options*/,
                       IODebugContext* /*dbg*/) override {
        auto exists = disk_.exists(disk_path(path));
        if (!exists) return to_status(exists.error());
        if (*exists) return IOStatus::IOError(path, "exists already");
        return create_directory(path);
    }

    IOStatus CreateDirIfMissing(const std::string& path,
                                const IOOptions& /*options*/,
                                IODebugContext* /*dbg*/) override {
        return create_directory(path);
    }

    IOStatus DeleteDir(const std::string& path,
                       const IOOptions& /*options*/,
                       IODebugContext* /*dbg*/) override {
        return to_status(disk_.remove_directory(disk_path(path)));
    }

    IOStatus GetFileSize(const std::string& path,
                         const IOOptions& /*options*/,
                         uint64_t* result,
                         IODebugContext* /*dbg*/) override {
        auto file = disk_.open(disk_path(path), OpenMode::Read);
        if (!file) return to_status(file.error());
        auto size = (*file)->size();
        if (!size) return to_status(size.error());
        *result = *size;
        return IOStatus::OK();
    }

    IOStatus GetFileModificationTime(const std::string& /*path*/,
                                     const IOOptions& /*options*/,
                                     uint64_t* /*result*/,
                                     IODebugContext* /*dbg*/) override {
        return IOStatus::NotSupported("a Disk keeps no times");
    }

    IOStatus RenameFile(const std::string& from,
                        const std::string& to,
                        const IOOptions& /*options*/,
                        IODebugContext* /*dbg*/) override {
        // RocksDB renames CURRENT to point to a MANIFEST whose own name it never made durable: it
        // takes the order of name changes for given. A Disk promises none.
        const std::string source = disk_path(from);
        const auto synced = disk_.sync_directory(parent_of(source));
        if (!synced) return to_status(synced.error());
        return to_status(disk_.rename(source, disk_path(to)));
    }

    IOStatus LockFile(const std::string& path,
                      const IOOptions& /*options*/,
                      rocksdb::FileLock** result,
                      IODebugContext* /*dbg*/) override {
        auto lock = disk_.lock(disk_path(path));
        if (!lock) return to_status(lock.error());
        *result = std::make_unique<HeldLock>(std::move(*lock)).release();
        return IOStatus::OK();
    }

    IOStatus UnlockFile(rocksdb::FileLock* lock,
                        const IOOptions& /*options*/,
                        IODebugContext* /*dbg*/) override {
        const std::unique_ptr<rocksdb::FileLock> released(lock);
        return IOStatus::OK();
    }

    IOStatus GetTestDirectory(const IOOptions& /*options*/,
                              std::string* result,
                              IODebugContext* /*dbg*/) override {
        *result = "test";
        return IOStatus::OK();
    }

    IOStatus NewLogger(const std::string& /*path*/,
                       const IOOptions& /*options*/,
                       std::shared_ptr<rocksdb::Logger>* result,
                       IODebugContext* /*dbg*/) override {
        *result = make_silent_logger();
        return IOStatus::OK();
    }

    IOStatus GetAbsolutePath(const std::string& path,
                             const IOOptions& /*options*/,
                             std::string* result,
                             IODebugContext* /*dbg*/) override {
        *result = path;
        return IOStatus::OK();
    }

    IOStatus IsDirectory(const std::string& path,
                         const IOOptions& /*options*/,
                         bool* result,
                         IODebugContext* /*dbg*/) override {
        *result = disk_.list(disk_path(path)).has_value();
        return IOStatus::OK();
    }

private:
    template <class Wrapper, class Base>
    IOStatus open(const std::string& path, OpenMode mode, std::unique_ptr<Base>* result) {
        auto file = disk_.open(disk_path(path), mode);
        if (!file) return to_status(file.error());
        *result = std::make_unique<Wrapper>(std::move(*file));
        return IOStatus::OK();
    }

    // The names of the directory and of those above it, which may be new too, are made durable at
    // once: RocksDB syncs only what is inside.
    IOStatus create_directory(const std::string& path) {
        std::string directory = disk_path(path);
        const auto created = disk_.create_directory(directory);
        if (!created) return to_status(created.error());
        while (!directory.empty()) {
            directory = parent_of(directory);
            const auto synced = disk_.sync_directory(directory);
            if (!synced) return to_status(synced.error());
        }
        return IOStatus::OK();
    }

    Disk& disk_;
};

class SilentLogger final : public rocksdb::Logger {
public:
    using Logger::Logv;

    void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_rocks_filesystem(Disk& disk) {
    return std::make_shared<DiskFileSystem>(disk);
}

std::shared_ptr<rocksdb::Logger> make_silent_logger() {
    return std::make_shared<SilentLogger>();
}

}  // namespace draco::atomo
