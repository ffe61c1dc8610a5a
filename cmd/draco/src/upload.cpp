#include "upload.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/io/path_file.hpp"
#include "draco/io/system_clock.hpp"

#include "progress.hpp"
#include "rpc_client.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace draco {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // what a node takes in one request

std::string query_of(std::string_view kind, bool pin) {
    return "?kind=" + std::string(kind) + (pin ? "&pin=true" : "");
}

class Upload {
public:
    Upload(const ContentOwner& owner, Progress& progress, bool pin)
        : owner_(owner), progress_(progress), pin_(pin) {}

    Result<std::string> put(const LocalEntry& entry) {
        return entry.kind == LocalEntry::Kind::File ? put_file(entry) : put_directory(entry);
    }

private:
    Result<std::string> put_file(const LocalEntry& entry) {
        DRACO_TRY(file, io::open_for_reading(entry.path));
        DRACO_TRY(bytes, file->size());
        return put_stream("file", bytes, [&](std::uint64_t offset, Bytes& piece) -> Result<> {
            DRACO_TRY(count, file->read_at(offset, piece));
            if (count != piece.size())
                return fail(
                    Errc::Unavailable,
                    "\"" + entry.path + "\" became shorter while it was read; put it again");
            progress_.advance(count);
            return {};
        });
    }

    Result<std::string> put_directory(const LocalEntry& directory) {
        std::vector<types::DirectoryEntry> entries;
        entries.reserve(directory.entries.size());
        for (const LocalEntry& each : directory.entries) {
            types::DirectoryEntry made;
            DRACO_TRY(name, decltype(made.name)::make(each.name));
            made.name = std::move(name);
            if (each.kind == LocalEntry::Kind::Link) {
                DRACO_TRY(target, types::LinkTarget::make(each.target));
                made.target = std::move(target);
            } else {
                DRACO_TRY(hash, put(each));
                const auto parsed = fixed_from_hex<types::ContentHash>(hash);
                if (!parsed) return fail(Errc::Corrupt, owner_.url() + " answers with no address");
                made.target = *parsed;
            }
            entries.push_back(std::move(made));
        }
        const Bytes encoded = bcs::encode(entries);
        return put_stream(
            "directory", encoded.size(), [&](std::uint64_t offset, Bytes& piece) -> Result<> {
                std::ranges::copy(ByteView(encoded).subspan(offset, piece.size()), piece.begin());
                return {};
            });
    }

    using ReadPiece = std::function<Result<>(std::uint64_t offset, Bytes& piece)>;

    Result<std::string> put_stream(std::string_view kind,
                                   std::uint64_t bytes,
                                   const ReadPiece& read) {
        Bytes piece(std::min<std::uint64_t>(bytes, kPieceBytes));
        DRACO_TRY_VOID(read(0, piece));
        if (bytes <= kPieceBytes) {
            DRACO_TRY(done, owner_.ask("POST", "objects" + query_of(kind, pin_), std::move(piece)));
            return text_member(done.body, "hash");
        }
        DRACO_TRY(begun, owner_.ask("POST", "uploads" + query_of(kind, false)));
        DRACO_TRY(id, text_member(begun.body, "upload"));
        for (std::uint64_t offset = 0; offset < bytes;) {
            if (offset > 0) {
                piece.resize(std::min<std::uint64_t>(bytes - offset, kPieceBytes));
                DRACO_TRY_VOID(read(offset, piece));
            }
            DRACO_TRY_VOID(
                owner_.ask("PUT", "uploads/" + id + "?offset=" + std::to_string(offset), piece));
            offset += piece.size();
        }
        DRACO_TRY(done, owner_.ask("POST", "uploads/" + id + (pin_ ? "?pin=true" : "")));
        return text_member(done.body, "hash");
    }

    const ContentOwner& owner_;
    Progress& progress_;
    bool pin_;
};

}  // namespace

Result<std::string> upload(const ContentOwner& owner,
                           const LocalTree& tree,
                           const std::string& label,
                           bool pin) {
    const io::SystemClock clock;
    Progress progress(clock, label, tree.bytes);
    return Upload(owner, progress, pin).put(tree.root);
}

}  // namespace draco
