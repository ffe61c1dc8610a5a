#include "output_file.hpp"

#include "draco/blake3_tree/hash_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace draco {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlockBytes = blake3_tree::kBlockBytes;

// A regular file that is the user's own under one name: writing into it changes nothing else, and
// nobody else writes into it.
io::FileDescriptor open_own(const std::string& path, int flags) {
    io::FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status{};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_nlink != 1 || status.st_uid != ::geteuid())
        return {};
    return file;
}

std::uint64_t size_of(const io::FileDescriptor& file) {
    struct stat status{};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

// Fewer only at the end of the file.
std::size_t read_at(const io::FileDescriptor& file, std::uint64_t offset, MutByteView out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t count = ::pread(
            file.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

std::unexpected<Error> there_is(const std::string& path, const std::string& what) {
    return fail(Errc::AlreadyExists, path + " " + what);
}

// A link leads to what is meant.
Result<OutputPlace> behind_link(OutputPlace place, bool force) {
    std::error_code error;
    const fs::path target = fs::canonical(place.path, error);
    if (error)
        return fail(
            Errc::InvalidArgument,
            place.path + " is a symbolic link that leads nowhere: remove it, or name another file");
    if (fs::is_regular_file(target, error) && !force)
        return there_is(place.path,
                        "is a symbolic link to the file " + target.string() +
                            ", which is there already: name another file, or replace that one with "
                            "--force");
    place.path = target.string();
    return place;
}

}  // namespace

Result<OutputPlace> output_place(const std::string& path, bool force) {
    OutputPlace place{.path = path};
    if (path.empty() || path == "-") return OutputPlace{};
    while (place.path.size() > 1 && place.path.ends_with('/')) {
        place.path.pop_back();
        place.is_folder_wanted = true;
    }
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(place.path, error))) {
        DRACO_TRY(followed, behind_link(std::move(place), force));
        place = std::move(followed);
    }
    const fs::file_type type = fs::status(place.path, error).type();
    switch (type) {
        case fs::file_type::not_found:
            place.kind = OutputPlace::Kind::New;
            return place;
        case fs::file_type::character:
        case fs::file_type::block:
        case fs::file_type::fifo:
            place.kind = OutputPlace::Kind::Special;
            return place;
        case fs::file_type::regular:
            if (place.is_folder_wanted)
                return fail(Errc::InvalidArgument, place.path + " is a file and no folder");
            if (!force)
                return there_is(place.path,
                                "is there already: name another file, or replace it with --force");
            place.kind = OutputPlace::Kind::File;
            return place;
        case fs::file_type::directory:
            if (!force && !fs::is_empty(place.path, error))
                return there_is(place.path,
                                "is a folder that is there already, with something in it: name "
                                "another, or add to it, and replace what has the same names, with "
                                "--force");
            place.kind = OutputPlace::Kind::Folder;
            return place;
        default:
            return fail(Errc::InvalidArgument,
                        "nothing can be written to " + place.path +
                            (error ? ": " + error.message() : ", which is a socket or the like"));
    }
}

OutputFile::OutputFile(std::string path, Options options, const Clock& clock, ProgressLines& lines)
    : path_(std::move(path)), options_(std::move(options)), clock_(clock), lines_(lines) {
    if (!options_.is_stream) part_path_ = path_ + ".part";
}

OutputFile::~OutputFile() {
    const bool is_ours = out_.get() >= 0 && !options_.is_stream && !is_finished_;
    if (is_ours && verified_bytes_ == 0) ::unlink(part_path_.c_str());
    if (options_.is_stream && path_.empty()) static_cast<void>(out_.release());
}

Result<> OutputFile::begin(const types::ContentInfo& info) {
    if (info.bytes > options_.bytes_max)
        return fail(Errc::Exhausted,
                    (path_.empty() ? "the file" : path_) + " has " + std::to_string(info.bytes) +
                        " bytes, and " + std::to_string(options_.bytes_max) +
                        " more are allowed; it was not written. Allow more with --max-bytes");
    info_ = info;
    is_begun_ = true;
    if (options_.has_bar) {
        progress_.emplace(clock_, path_.empty() ? "get" : path_, info.bytes);
        progress_->note(options_.note);
    }
    if (options_.is_stream) {
        out_ = io::FileDescriptor(
            path_.empty() ? STDOUT_FILENO : ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
        return out_.get() < 0 ? failed("cannot open", path_) : Result<>();
    }
    whole_ = open_own(path_, O_RDONLY);
    if (size_of(whole_) != info.bytes) whole_ = {};
    return {};
}

Result<bool> OutputFile::has(std::uint64_t index,
                             const std::function<bool(ByteView block)>& verifies) {
    if (options_.is_stream) return false;
    const std::uint64_t offset = index * kBlockBytes;
    block_.resize(std::min(kBlockBytes, info_.bytes - offset));
    const auto found = [&](const io::FileDescriptor& file) {
        return file.get() >= 0 && read_at(file, offset, block_) == block_.size() &&
               verifies(block_);
    };
    if (index == 0) {
        source_ = found(whole_) ? Source::Whole : Source::Part;
        if (source_ == Source::Part) {
            out_ = open_own(part_path_, O_RDWR);
            // What has nothing of this content is left as it is until something comes.
            if (!found(out_)) {
                out_ = {};
                return false;
            }
        }
    } else if (!found(source_ == Source::Whole ? whole_ : out_)) {
        return false;
    }
    verified_bytes_ += block_.size();
    if (progress_) progress_->skip(block_.size());
    return true;
}

Result<> OutputFile::write(std::uint64_t index, ByteView block) {
    if (out_.get() < 0) DRACO_TRY_VOID(create_part());
    DRACO_TRY_VOID(write_at(index * kBlockBytes, block));
    verified_bytes_ += block.size();
    if (progress_) progress_->advance(block.size());
    lines_.advance(block.size(), path_.empty() ? "standard output" : path_);
    return {};
}

// Never into what a link leads to, nor into what somebody else can write.
Result<> OutputFile::create_part() {
    struct stat status{};
    if (::lstat(part_path_.c_str(), &status) == 0) {
        if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
            return fail(Errc::AlreadyExists,
                        part_path_ +
                            " is in the way, where the file is written first: remove it, "
                            "or name another file");
        ::unlink(part_path_.c_str());
    }
    out_ =
        io::FileDescriptor(::open(part_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (out_.get() < 0) return failed("cannot create", part_path_);
    if (source_ == Source::Whole) DRACO_TRY_VOID(copy_whole(verified_bytes_));
    source_ = Source::Part;
    return {};
}

Result<> OutputFile::copy_whole(std::uint64_t bytes) {
    Bytes piece(kBlockBytes);
    for (std::uint64_t offset = 0; offset < bytes; offset += piece.size()) {
        piece.resize(std::min(kBlockBytes, bytes - offset));
        if (read_at(whole_, offset, piece) != piece.size())
            return fail(Errc::Unavailable, path_ + " was changed while it was read: get it again");
        DRACO_TRY_VOID(write_at(offset, piece));
    }
    return {};
}

Result<> OutputFile::write_at(std::uint64_t offset, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t count =
            options_.is_stream
                ? ::write(out_.get(), bytes.data(), bytes.size())
                : ::pwrite(out_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("cannot write", options_.is_stream ? name() : part_path_);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<> OutputFile::finish() {
    progress_.reset();
    if (options_.is_stream) return {};
    // All of it was there.
    if (source_ == Source::Whole) return {};
    if (::ftruncate(out_.get(), static_cast<off_t>(info_.bytes)) != 0)
        return failed("cannot write", part_path_);
    const unsigned flags = options_.may_replace ? 0 : RENAME_NOREPLACE;
    int outcome = ::renameat2(AT_FDCWD, part_path_.c_str(), AT_FDCWD, path_.c_str(), flags);
    // A file system that cannot.
    if (outcome != 0 && errno == EINVAL) outcome = ::rename(part_path_.c_str(), path_.c_str());
    if (outcome != 0 && errno == EEXIST)
        return fail(Errc::AlreadyExists,
                    path_ +
                        " came to be while this was fetched: name another file, or replace it "
                        "with --force");
    if (outcome != 0) return failed("cannot create", path_);
    is_finished_ = true;
    return {};
}

std::optional<std::uint64_t> OutputFile::bytes_left() const {
    if (!is_begun_) return std::nullopt;
    return info_.bytes - verified_bytes_;
}

Result<> OutputFile::failed(const std::string& what, const std::string& path) const {
    return fail(Errc::Io, what + " " + path + ": " + std::strerror(errno));
}

}  // namespace draco
