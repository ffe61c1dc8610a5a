#include "draco/io/posix_disk.hpp"

#include "posix_file.hpp"
#include "system_error.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace draco::io {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

// O_PATH directories serve as a place to start from and need no read permission.
constexpr int kWalkFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kReadDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

FileDescriptor open_below(int directory, const std::string& name, int flags) {
    return FileDescriptor(uninterrupted(
        [&] { return ::openat(directory, name.c_str(), flags | O_CLOEXEC, kFileMode); }));
}

Result<std::vector<std::string>> components_of(std::string_view path) {
    std::vector<std::string> names;
    for (std::string_view rest = path; !path.empty();) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        const std::string_view name = rest.substr(0, slash);
        if (name.empty() || name == "." || name == ".." || name.contains('\0'))
            return fail(Errc::InvalidArgument,
                        "not a relative path of plain names: \"" + std::string(path) + "\"");
        names.emplace_back(name);
        if (slash == rest.size()) break;
        rest.remove_prefix(slash + 1);
    }
    return names;
}

int flags_of(OpenMode mode) {
    switch (mode) {
        case OpenMode::Read:
            return O_RDONLY;
        case OpenMode::ReadWrite:
            return O_RDWR;
        case OpenMode::Create:
            return O_RDWR | O_CREAT;
        case OpenMode::CreateNew:
            return O_RDWR | O_CREAT | O_EXCL;
        case OpenMode::Truncate:
            return O_RDWR | O_CREAT | O_TRUNC;
    }
    return O_RDONLY;
}

Result<bool> is_directory(int parent, const std::string& name, std::string_view path) {
    struct stat status{};
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return system_error("stat", path, errno);
    return S_ISDIR(status.st_mode);
}

Result<> sync_parent(int directory, const std::string& path) {
    const FileDescriptor parent = open_below(directory, "..", kReadDirectoryFlags);
    if (parent.get() < 0) return system_error("open the directory of", path, errno);
    if (uninterrupted([&] { return ::fsync(parent.get()); }) != 0)
        return system_error("sync the directory of", path, errno);
    return {};
}

class PosixLock final : public DiskLock {
public:
    explicit PosixLock(FileDescriptor fd) : fd_(std::move(fd)) {}

private:
    FileDescriptor fd_;  // flock ends with it
};

std::string holder_of(int fd) {
    char text[24];
    const ssize_t size = uninterrupted([&] { return pread(fd, text, sizeof(text), 0); });
    std::string_view digits(text, size < 0 ? 0 : static_cast<std::size_t>(size));
    digits = digits.substr(0, digits.find_first_not_of("0123456789"));
    return digits.empty() ? "another process" : "process " + std::string(digits);
}

}  // namespace

Result<std::unique_ptr<PosixDisk>> PosixDisk::open_root(const std::string& root) {
    const bool created = ::mkdir(root.c_str(), kDirectoryMode) == 0;
    if (!created && errno != EEXIST) return system_error("create directory", root, errno);
    FileDescriptor fd(
        uninterrupted([&] { return ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return system_error("open directory", root, errno);
    if (created) {
        const auto synced = sync_parent(fd.get(), root);
        if (!synced) {
            ::rmdir(root.c_str());  // the next call would take its name for durable
            return std::unexpected(synced.error());
        }
    }
    return std::unique_ptr<PosixDisk>(new PosixDisk(root, std::move(fd)));
}

std::string PosixDisk::full(std::string_view path) const {
    return root_ + "/" + std::string(path);
}

Result<PosixDisk::Place> PosixDisk::place_of(std::string_view path) const {
    DRACO_TRY(names, components_of(path));
    if (names.empty())
        return fail(Errc::InvalidArgument,
                    "the root of a disk cannot be opened or changed: " + root_);
    Place place{FileDescriptor(open_below(root_fd_.get(), ".", kWalkFlags)), names.back()};
    if (place.parent.get() < 0) return system_error("open directory", root_, errno);
    names.pop_back();
    for (const std::string& name : names) {
        place.parent = open_below(place.parent.get(), name, kWalkFlags);
        if (place.parent.get() >= 0) continue;
        if (errno == ENOTDIR)
            return fail(Errc::NotFound,
                        "\"" + name + "\" on the way to \"" + full(path) +
                            "\" is not a directory (symbolic links are not followed)");
        return system_error("open the directory of", full(path), errno);
    }
    return place;
}

Result<FileDescriptor> PosixDisk::open_directory(std::string_view path) const {
    FileDescriptor directory;
    if (path.empty()) {
        directory = open_below(root_fd_.get(), ".", kReadDirectoryFlags);
    } else {
        DRACO_TRY(place, place_of(path));
        directory = open_below(place.parent.get(), place.name, kReadDirectoryFlags);
    }
    if (directory.get() < 0) return system_error("open directory", full(path), errno);
    return directory;
}

Result<FileDescriptor> PosixDisk::open_file(std::string_view path, int flags) const {
    DRACO_TRY(place, place_of(path));
    // O_NONBLOCK: a pipe somebody put here must not block the caller.
    FileDescriptor fd = open_below(place.parent.get(), place.name, flags | O_NOFOLLOW | O_NONBLOCK);
    if (fd.get() < 0) return system_error("open", full(path), errno);
    struct stat status{};
    if (fstat(fd.get(), &status) != 0) return system_error("stat", full(path), errno);
    if (!S_ISREG(status.st_mode))
        return fail(Errc::InvalidArgument, "\"" + full(path) + "\" is not a file");
    return fd;
}

Result<std::unique_ptr<File>> PosixDisk::open(std::string_view path, OpenMode mode) {
    DRACO_TRY(fd, open_file(path, flags_of(mode)));
    const auto access =
        mode == OpenMode::Read ? PosixFile::Access::Read : PosixFile::Access::ReadWrite;
    return std::make_unique<PosixFile>(std::move(fd), full(path), access);
}

Result<> PosixDisk::rename(std::string_view from, std::string_view to) {
    DRACO_TRY(source, place_of(from));
    DRACO_TRY(target, place_of(to));
    DRACO_TRY(moves_directory, is_directory(source.parent.get(), source.name, full(from)));
    // The kernel lets a directory replace an empty one; a Disk replaces files only.
    const unsigned flags = moves_directory && from != to ? RENAME_NOREPLACE : 0;
    if (renameat2(source.parent.get(),
                  source.name.c_str(),
                  target.parent.get(),
                  target.name.c_str(),
                  flags) == 0)
        return {};
    const int number = errno == EISDIR ? EEXIST : errno;
    return system_error("rename \"" + full(from) + "\" to", full(to), number);
}

Result<> PosixDisk::remove(std::string_view path) {
    DRACO_TRY(place, place_of(path));
    if (::unlinkat(place.parent.get(), place.name.c_str(), 0) == 0) return {};
    return system_error("remove", full(path), errno);
}

Result<> PosixDisk::create_directory(std::string_view path) {
    DRACO_TRY(names, components_of(path));
    FileDescriptor directory = open_below(root_fd_.get(), ".", kWalkFlags);
    if (directory.get() < 0) return system_error("open directory", root_, errno);
    for (const std::string& name : names) {
        if (::mkdirat(directory.get(), name.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
            return system_error("create directory", full(path), errno);
        directory = open_below(directory.get(), name, kWalkFlags);
        if (directory.get() >= 0) continue;
        if (errno == ENOTDIR)
            return fail(Errc::AlreadyExists,
                        "\"" + name + "\" in \"" + full(path) + "\" exists and is no directory");
        return system_error("open directory", full(path), errno);
    }
    return {};
}

Result<> PosixDisk::remove_directory(std::string_view path) {
    DRACO_TRY(place, place_of(path));
    if (::unlinkat(place.parent.get(), place.name.c_str(), AT_REMOVEDIR) == 0) return {};
    return system_error("remove directory", full(path), errno);
}

Result<> PosixDisk::sync_directory(std::string_view path) {
    DRACO_TRY(directory, open_directory(path));
    if (uninterrupted([&] { return ::fsync(directory.get()); }) != 0)
        return system_error("sync directory", full(path), errno);
    return {};
}

Result<std::vector<DirectoryEntry>> PosixDisk::list(std::string_view path) const {
    DRACO_TRY(directory, open_directory(path));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(directory.get()), ::closedir);
    if (!stream) return system_error("list", full(path), errno);
    const int fd = directory.release();  // the stream closes it
    std::vector<DirectoryEntry> entries;
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        bool directory_here = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN) {
            DRACO_TRY(known, is_directory(fd, name, full(path) + "/" + name));
            directory_here = known;
        }
        entries.push_back({name, directory_here});
    }
    if (errno != 0) return system_error("list", full(path), errno);
    std::ranges::sort(entries);
    return entries;
}

Result<bool> PosixDisk::exists(std::string_view path) const {
    if (path.empty()) return true;
    auto place = place_of(path);
    if (!place && place.error().code == Errc::NotFound) return false;
    if (!place) return std::unexpected(std::move(place).error());
    const auto found = is_directory(place->parent.get(), place->name, full(path));
    if (!found && found.error().code != Errc::NotFound) return std::unexpected(found.error());
    return found.has_value();
}

Result<std::unique_ptr<DiskLock>> PosixDisk::lock(std::string_view path) {
    DRACO_TRY(fd, open_file(path, O_RDWR | O_CREAT));
    if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
        if (errno != EWOULDBLOCK) return system_error("lock", full(path), errno);
        return fail(Errc::Unavailable,
                    "\"" + full(path) + "\" is locked by " + holder_of(fd.get()) +
                        ": stop it, or use another directory");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    PosixFile file(std::move(fd), full(path), PosixFile::Access::ReadWrite);
    DRACO_TRY_VOID(file.truncate(0));
    DRACO_TRY_VOID(file.write_at(0, as_bytes(pid)));
    return std::make_unique<PosixLock>(std::move(file).take());
}

}  // namespace draco::io
