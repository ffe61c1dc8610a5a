// Directories: whole and verified, and paths through them.

#include "draco/blake3_tree/directory.hpp"

#include "draco/base/text_encoding.hpp"

#include "session_state.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

namespace draco::client {

namespace wire = types::session;

namespace {

constexpr std::size_t kPathBytesMax = 4096;
constexpr std::size_t kStepsMax = 256;  // of a path, with those of symbolic links

class DirectoryFetch {
public:
    DirectoryFetch(Session::State& state, const types::ContentHash& hash)
        : state_(state), hash_(hash) {}

    Result<std::vector<types::DirectoryEntry>> run();

private:
    bool is_whole() const { return info_ && entries_.size() == info_->leaves; }

    Result<> take(const wire::NodeMessage& message);
    Result<> take_head(const types::ContentInfo& info);
    Result<> take_piece(const wire::EntriesPiece& piece);
    Result<> check();

    Session::State& state_;
    const types::ContentHash hash_;
    std::uint64_t id_ = 0;
    std::optional<types::ContentInfo> info_;
    blake3_tree::DirectoryHasher hasher_;
    std::vector<types::DirectoryEntry> entries_;
};

Result<std::vector<types::DirectoryEntry>> DirectoryFetch::run() {
    id_ = state_.next_id();
    DRACO_TRY_VOID(state_.send(wire::Open{.id = id_, .hash = hash_, .with_tree = true}));
    while (!is_whole()) {
        DRACO_TRY(message, state_.next());
        DRACO_TRY_VOID(take(message));
    }
    DRACO_TRY_VOID(check());
    DRACO_TRY_VOID(state_.finish(id_, [](const wire::Block&) -> Result<> {
        return fail(Errc::Corrupt, "the node sent a block of a directory");
    }));
    return std::move(entries_);
}

Result<> DirectoryFetch::take(const wire::NodeMessage& message) {
    if (const auto* const head = std::get_if<wire::Head>(&message); head && head->id == id_)
        return take_head(head->info);
    if (const auto* const piece = std::get_if<wire::EntriesPiece>(&message);
        piece && piece->id == id_)
        return take_piece(*piece);
    if (const auto* const end = std::get_if<wire::End>(&message); end && end->id == id_) {
        const auto why = wire::outcome_of(end->code, end->text);
        if (!why) return std::unexpected(why.error());
    }
    return fail(Errc::Corrupt, "the node sent what was not asked for");
}

Result<> DirectoryFetch::take_head(const types::ContentInfo& info) {
    if (info_) return fail(Errc::Corrupt, "the node sent a head twice");
    if (info.hash != hash_) return fail(Errc::Corrupt, "the node sent the head of another content");
    if (info.kind != types::ContentKind::Directory)
        return fail(Errc::InvalidArgument, "this address is a file, not a directory");
    if (info.leaves > blake3_tree::kDirectoryEntriesMax)
        return fail(Errc::Corrupt, "the node claims a directory of too many entries");
    info_ = info;
    state_.progressed();
    return {};
}

Result<> DirectoryFetch::take_piece(const wire::EntriesPiece& piece) {
    if (!info_ || piece.first != entries_.size() || piece.items->empty() ||
        piece.items->size() > info_->leaves - entries_.size())
        return fail(Errc::Corrupt, "the node sent entries out of their turn");
    for (const types::DirectoryEntry& entry : *piece.items) {
        const auto* const link = std::get_if<types::ContentHash>(&entry.target);
        const auto added =
            link != nullptr
                ? hasher_.add_link(*entry.name, blake3_tree::Hash(link->bytes))
                : hasher_.add_symlink(*entry.name, *std::get<types::LinkTarget>(entry.target));
        if (!added) return fail(Errc::Corrupt, "the node sent an entry: " + added.error().context);
        entries_.push_back(entry);
    }
    state_.unverified();
    return {};
}

Result<> DirectoryFetch::check() {
    const auto tree = std::move(hasher_).finish();
    const blake3_tree::Hash& root = tree ? tree->root() : blake3_tree::empty_directory_hash();
    if (root.bytes != hash_.bytes)
        return fail(Errc::Corrupt, "the node sent the entries of another directory");
    return {};
}

struct Walked {
    types::ContentHash hash{};
    std::string name;  // the way to it, for people
};

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (slash > 0) parts.emplace_back(path.substr(0, slash));
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return parts;
}

}  // namespace

Result<std::vector<types::DirectoryEntry>> Session::list(const types::ContentHash& directory) {
    return DirectoryFetch(*state_, directory).run();
}

Result<types::ContentHash> Session::resolve(const types::ContentHash& root, std::string_view path) {
    return resolve_path(root, path, [this](const types::ContentHash& hash) { return list(hash); });
}

Result<types::ContentHash> resolve_path(const types::ContentHash& root,
                                        std::string_view path,
                                        const ListDirectory& list) {
    if (path.size() > kPathBytesMax)
        return fail(Errc::InvalidArgument,
                    "a path has at most " + std::to_string(kPathBytesMax) + " bytes");
    std::vector<Walked> walked{{.hash = root, .name = to_hex(root.view())}};
    const auto parts = split(path);
    std::deque<std::string> left(parts.begin(), parts.end());
    for (std::size_t step = 0; !left.empty(); ++step) {
        if (step == kStepsMax)
            return fail(Errc::InvalidArgument,
                        "the path is too long, or its symbolic links lead in a circle");
        const std::string name = std::move(left.front());
        left.pop_front();
        if (name == ".") continue;
        if (name == "..") {
            if (walked.size() > 1) walked.pop_back();
            continue;
        }
        auto entries = list(walked.back().hash);
        if (!entries && entries.error().code == Errc::InvalidArgument)
            return fail(Errc::InvalidArgument,
                        walked.back().name + " is a file, so there is no \"" + name + "\" in it");
        if (!entries) return std::unexpected(entries.error());
        const auto found = std::ranges::lower_bound(
            *entries, name, {}, [](const types::DirectoryEntry& entry) -> const std::string& {
                return *entry.name;
            });
        if (found == entries->end() || *found->name != name)
            return fail(Errc::NotFound,
                        "there is no \"" + name + "\" in the folder " + walked.back().name);
        if (const auto* const link = std::get_if<types::ContentHash>(&found->target)) {
            walked.push_back({.hash = *link, .name = walked.back().name + "/" + name});
            continue;
        }
        const std::string& target = *std::get<types::LinkTarget>(found->target);
        if (target.starts_with('/')) walked.resize(1);
        const auto steps = split(target);
        left.insert(left.begin(), steps.begin(), steps.end());
    }
    return walked.back().hash;
}

}  // namespace draco::client
