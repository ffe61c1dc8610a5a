#include "draco/blake3_tree/directory.hpp"

namespace draco::blake3_tree {
namespace {

constexpr std::uint8_t kOnlyEntry = 1;
constexpr std::uint8_t kSymlink = 2;

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

bool is_plain_name(std::string_view name) {
    return !has_nul(name) && name.find('/') == std::string_view::npos && name != "." &&
           name != "..";
}

void append_terminated(Bytes& to, std::string_view text) {
    append(to, as_bytes(text));
    to.push_back(0);
}

Bytes transcript_of(std::uint8_t flags, std::string_view name, std::size_t target_bytes) {
    Bytes transcript;
    transcript.reserve(5 + name.size() + target_bytes);
    transcript.push_back(flags);
    append_terminated(transcript, name);
    return transcript;
}

void append_index(Bytes& to, std::size_t index) {
    to.push_back(static_cast<std::uint8_t>(index));
    to.push_back(static_cast<std::uint8_t>(index >> 8));
}

Bytes link_transcript(std::size_t index, std::string_view name, const Hash& target) {
    Bytes transcript = transcript_of(0, name, Hash::kSize);
    append(transcript, target.view());
    append_index(transcript, index);
    return transcript;
}

Bytes symlink_transcript(std::size_t index, std::string_view name, std::string_view target) {
    Bytes transcript = transcript_of(kSymlink, name, target.size());
    append_terminated(transcript, target);
    append_index(transcript, index);
    return transcript;
}

Hash leaf_of(Bytes transcript, bool is_only) {
    if (is_only) transcript[0] |= kOnlyEntry;
    return hash(transcript, directory_mode());
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

bool is_entry_name(std::string_view name) {
    return !name.empty() && name.size() <= kEntryNameBytesMax && is_plain_name(name);
}

bool is_symlink_target(std::string_view target) {
    return !target.empty() && target.size() <= kSymlinkTargetBytesMax && !has_nul(target);
}

Hash link_leaf(EntryPlace place, std::string_view name, const Hash& target) {
    return leaf_of(link_transcript(place.index, name, target), place.is_only);
}

Hash symlink_leaf(EntryPlace place, std::string_view name, std::string_view target) {
    return leaf_of(symlink_transcript(place.index, name, target), place.is_only);
}

DirectoryHasher::DirectoryHasher() : assembler_(directory_mode()) {}

Result<> DirectoryHasher::check_name(std::string_view name) const {
    const std::string which = "directory entry " + std::to_string(entry_count_) + ": ";
    if (entry_count_ == kDirectoryEntriesMax)
        return fail(Errc::Exhausted, which + "a directory has at most 65535 entries; split it");
    if (name.empty() || name.size() > kEntryNameBytesMax)
        return fail(Errc::InvalidArgument,
                    which + "a name has 1 to 255 bytes, not " + std::to_string(name.size()));
    if (!is_plain_name(name))
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
    add_entry(link_transcript(entry_count_, name, target), name);
    return {};
}

Result<> DirectoryHasher::add_symlink(std::string_view name, std::string_view target) {
    DRACO_TRY_VOID(check_name(name));
    if (!is_symlink_target(target))
        return fail(Errc::InvalidArgument,
                    "directory entry " + std::to_string(entry_count_) +
                        ": a symbolic link's target has 1 to 1023 bytes and no NUL");
    add_entry(symlink_transcript(entry_count_, name, target), name);
    return {};
}

void DirectoryHasher::add_entry(Bytes transcript, std::string_view name) {
    if (entry_count_ == 0) {
        first_transcript_ = std::move(transcript);
    } else {
        if (entry_count_ == 1) add_first_leaf(false);
        assembler_.add_leaf(leaf_of(std::move(transcript), false));
    }
    last_name_ = name;
    ++entry_count_;
}

void DirectoryHasher::add_first_leaf(bool is_only) {
    assembler_.add_leaf(leaf_of(std::move(first_transcript_), is_only));
}

std::optional<HashTree> DirectoryHasher::finish() && {
    if (entry_count_ == 0) return std::nullopt;
    if (entry_count_ == 1) add_first_leaf(true);
    return std::move(assembler_).finish();
}

}  // namespace draco::blake3_tree
