#include "entry_codec.hpp"

#include "draco/bcs/bcs.hpp"

#include "format.hpp"

namespace draco::blockstore {
namespace {

using types::ContentHash;
using types::LinkTarget;

using StoredName = bcs::Bounded<Bytes, blake3_tree::kEntryNameBytesMax>;
using StoredTarget = bcs::Bounded<Bytes, blake3_tree::kSymlinkTargetBytesMax>;

struct StoredEntry {
    StoredName name;
    std::variant<ContentHash, StoredTarget> target;
};

Bytes text_bytes(std::string_view text) {
    return to_bytes(as_bytes(text));
}

}  // namespace

void append_entry(Bytes& to, const types::DirectoryEntry& entry) {
    StoredEntry stored;
    // The bounds are those of the types that the values come from.
    stored.name = StoredName::make(text_bytes(*entry.name)).value();
    if (const auto* link = std::get_if<LinkTarget>(&entry.target))
        stored.target = StoredTarget::make(text_bytes(**link)).value();
    else
        stored.target = std::get<ContentHash>(entry.target);
    bcs::BytesSink sink(to);
    bcs::encode_into(sink, stored);
}

Result<types::DirectoryEntry> decode_entry(ByteView bytes) {
    DRACO_TRY(stored, bcs::decode<StoredEntry>(bytes));
    const std::string_view name = as_text(*stored.name);
    if (!blake3_tree::is_entry_name(name)) return fail(Errc::Corrupt, "no name of an entry");
    types::DirectoryEntry entry;
    DRACO_TRY(bounded_name, decltype(entry.name)::make(std::string(name)));
    entry.name = std::move(bounded_name);
    if (const auto* target = std::get_if<StoredTarget>(&stored.target)) {
        const std::string_view text = as_text(**target);
        if (!blake3_tree::is_symlink_target(text))
            return fail(Errc::Corrupt, "no target of a symbolic link");
        DRACO_TRY(bounded_target, LinkTarget::make(std::string(text)));
        entry.target = std::move(bounded_target);
    } else {
        entry.target = std::get<ContentHash>(stored.target);
    }
    return entry;
}

blake3_tree::Hash leaf_of(const types::DirectoryEntry& entry, blake3_tree::EntryPlace place) {
    if (const auto* link = std::get_if<LinkTarget>(&entry.target))
        return blake3_tree::symlink_leaf(place, *entry.name, **link);
    return blake3_tree::link_leaf(
        place, *entry.name, as_tree_hash(std::get<ContentHash>(entry.target)));
}

}  // namespace draco::blockstore
