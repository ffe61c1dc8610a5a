#include "draco/blake3_tree/directory.hpp"

namespace draco::blake3_tree {
namespace {

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

}  // namespace

const Mode& directory_mode() {
    static const Mode kMode = Mode::keyed(Key(hash(as_bytes("DIRECTORY")).bytes));
    return kMode;
}

const Hash& empty_directory_hash() {
    static const Hash kHash = hash({}, directory_mode());
    return kHash;
}

DirectoryHasher::DirectoryHasher() : assembler_(directory_mode()) {}

Result<> DirectoryHasher::check_name(std::string_view name) const {
    const std::string which = "directory entry " + std::to_string(entry_count_) + ": ";
    if (entry_count_ == kDirectoryEntriesMax)
        return fail(Errc::Exhausted, which + "a directory has at most 65535 entries; split it");
    if (name.empty() || name.size() > kEntryNameBytesMax)
        return fail(Errc::InvalidArgument,
                    which + "a name has 1 to 255 bytes, not " + std::to_string(name.size()));
    if (has_nul(name) || name.find('/') != std::string_view::npos || name == "." || name == "..")
        return fail(Errc::InvalidArgument,
                    which + "a name is not \".\" or \"..\" and has no NUL and no '/'");
    // std::string_view compares chars as unsigned bytes.
    if (entry_count_ > 0 && name <= last_name_)
        return fail(Errc::InvalidArgument,
                    which + (name == last_name_ ? "the name occurs twice"
                                                : "names must ascend, byte by byte"));
    return {};
}

Result<> DirectoryHasher::add_link(std::string_view name, const Hash& target) {
    DRACO_TRY_VOID(check_name(name));
    add_entry(0, name, target.view());
    return {};
}

Result<> DirectoryHasher::add_symlink(std::string_view name, std::string_view target) {
    DRACO_TRY_VOID(check_name(name));
    if (target.empty() || target.size() > kSymlinkTargetBytesMax || has_nul(target))
        return fail(Errc::InvalidArgument,
                    "directory entry " + std::to_string(entry_count_) +
                        ": a symbolic link's target has 1 to 1023 bytes and no NUL");
    Bytes terminated = to_bytes(as_bytes(target));
    terminated.push_back(0);
    add_entry(kSymlink, name, terminated);
    return {};
}

void DirectoryHasher::add_entry(std::uint8_t flags, std::string_view name, ByteView target) {
    Bytes transcript;
    transcript.reserve(4 + name.size() + target.size());
    transcript.push_back(flags);
    append(transcript, as_bytes(name));
    transcript.push_back(0);
    append(transcript, target);
    transcript.push_back(static_cast<std::uint8_t>(entry_count_));
    transcript.push_back(static_cast<std::uint8_t>(entry_count_ >> 8));
    if (entry_count_ == 0) {
        first_transcript_ = std::move(transcript);
    } else {
        if (entry_count_ == 1) add_first_leaf(0);
        assembler_.add_leaf(hash(transcript, directory_mode()));
    }
    last_name_ = name;
    ++entry_count_;
}

void DirectoryHasher::add_first_leaf(std::uint8_t flags) {
    first_transcript_[0] |= flags;
    assembler_.add_leaf(hash(first_transcript_, directory_mode()));
}

std::optional<HashTree> DirectoryHasher::finish() && {
    if (entry_count_ == 0) return std::nullopt;
    if (entry_count_ == 1) add_first_leaf(kOnlyEntry);
    return std::move(assembler_).finish();
}

}  // namespace draco::blake3_tree
