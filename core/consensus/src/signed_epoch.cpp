#include "signed_epoch.hpp"

#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/hasher.hpp"

#include <utility>

namespace draco::consensus {
namespace {

constexpr std::size_t kContentBytesMax = 10;
constexpr std::size_t kChecksumBytes = 32;

}  // namespace

Result<> make_directory(Disk& disk, const std::string& path) {
    DRACO_TRY_VOID(disk.create_directory(path));
    DRACO_TRY_VOID(disk.sync_directory(""));
    for (std::size_t i = 0; i <= path.size(); ++i)
        if (i == path.size() || path[i] == '/')
            DRACO_TRY_VOID(disk.sync_directory(std::string_view(path).substr(0, i)));
    return {};
}

// A file that was copied from another chain or key is not sound.
Bytes SignedEpoch::encoded(const SignedEpochContent& content) const {
    Bytes bytes = bcs::encode(content);
    Bytes chain(8);
    store_le<std::uint64_t>(chain.data(), chain_.value());
    blake3_tree::Hasher hasher(
        blake3_tree::Mode::derive_key("draco.network 2026 consensus signed epoch v1"));
    hasher.update(chain);
    hasher.update(key_.view());
    hasher.update(bytes);
    append(bytes, hasher.finish().bytes);
    return bytes;
}

Result<SignedEpoch::File> SignedEpoch::read() {
    known_ = false;
    content_ = {};
    auto file = disk_.open(path(), OpenMode::Read);
    if (!file && file.error().code == Errc::NotFound) return File::Absent;
    if (!file) return std::unexpected(std::move(file).error());
    Bytes bytes(kContentBytesMax + kChecksumBytes + 1);
    DRACO_TRY(count, (*file)->read_at(0, bytes));
    bytes.resize(count);
    if (count < kChecksumBytes) return File::Damaged;
    const auto content =
        bcs::decode<SignedEpochContent>(ByteView(bytes).first(count - kChecksumBytes));
    if (!content || encoded(*content) != bytes) return File::Damaged;
    known_ = true;
    content_ = *content;
    return File::Sound;
}

Result<> SignedEpoch::write(const SignedEpochContent& content) {
    DRACO_TRY_VOID(make_directory(disk_, directory_));
    const std::string staged = path() + ".new";
    {
        DRACO_TRY(file, disk_.open(staged, OpenMode::Truncate));
        DRACO_TRY_VOID(file->write_at(0, encoded(content)));
        DRACO_TRY_VOID(file->sync());
    }
    DRACO_TRY_VOID(disk_.rename(staged, path()));
    DRACO_TRY_VOID(disk_.sync_directory(directory_));
    known_ = true;
    content_ = content;
    return {};
}

bool SignedEpoch::is_untouched(types::Epoch epoch) const {
    if (!known_) return false;
    const auto& [highest, log_made] = content_;
    return !highest || *highest < epoch || (*highest == epoch && !log_made);
}

Result<> SignedEpoch::begin() {
    return write({});
}

Result<> SignedEpoch::before_log(types::Epoch epoch) {
    if (known_ && content_.highest && *content_.highest >= epoch) return {};
    return write({.highest = epoch, .log_made = false});
}

Result<> SignedEpoch::after_log(types::Epoch epoch) {
    if (known_ && content_.highest &&
        (*content_.highest > epoch || (*content_.highest == epoch && content_.log_made)))
        return {};
    return write({.highest = epoch, .log_made = true});
}

Result<> SignedEpoch::forget() {
    known_ = false;
    content_ = {};
    DRACO_TRY(exists, disk_.exists(path()));
    if (!exists) return {};
    DRACO_TRY_VOID(disk_.remove(path()));
    return disk_.sync_directory(directory_);
}

}  // namespace draco::consensus
