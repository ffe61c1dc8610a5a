#include "draco/client/lane.hpp"

#include "draco/blake3_tree/hasher.hpp"

namespace draco::client {
namespace {

constexpr std::uint16_t kLedgerVersion = 1;

struct LedgerRecord {
    std::uint16_t version = kLedgerVersion;
    types::NodeKey node{};
    types::session::LaneClaim lane{};
    std::uint64_t received = 0;
};

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kRecordBytes = 2 + 32 + 20 + 2 + 8 + 8;

std::string_view directory_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<FileLedger>> FileLedger::open(Disk& disk,
                                                     std::string path,
                                                     const types::NodeKey& node,
                                                     const types::session::LaneClaim& lane) {
    std::unique_ptr<FileLedger> ledger(new FileLedger(disk, std::move(path), node, lane));
    const std::string& name = ledger->path_;
    DRACO_TRY(is_there, disk.exists(name));
    if (!is_there) return ledger;
    DRACO_TRY(file, disk.open(name, OpenMode::Read));
    Bytes bytes(kRecordBytes + kHashBytes + 1);
    DRACO_TRY(size, file->read_at(0, bytes));
    const Error damaged{Errc::Corrupt,
                        "the lane ledger " + name +
                            " is damaged: restore it, or remove it and take what the node can show "
                            "a signature for"};
    if (size != kRecordBytes + kHashBytes) return std::unexpected(damaged);
    const ByteView record = ByteView(bytes).first(kRecordBytes);
    const auto read = bcs::decode<LedgerRecord>(record);
    if (!equal(blake3_tree::hash(record).view(),
               ByteView(bytes).subspan(kRecordBytes, kHashBytes)) ||
        !read || read->version != kLedgerVersion)
        return std::unexpected(damaged);
    if (read->node != node || read->lane != lane)
        return fail(Errc::InvalidArgument,
                    "the lane ledger " + name + " is of another lane: give each lane its own file");
    ledger->received_ = read->received;
    return ledger;
}

Result<> FileLedger::record(std::uint64_t received) {
    if (received <= received_) return {};
    Bytes bytes = bcs::encode(LedgerRecord{
        .version = kLedgerVersion, .node = node_, .lane = lane_, .received = received});
    append(bytes, blake3_tree::hash(bytes).view());
    const std::string fresh = path_ + ".new";
    DRACO_TRY(file, disk_.open(fresh, OpenMode::Truncate));
    DRACO_TRY_VOID(file->write_at(0, bytes));
    DRACO_TRY_VOID(file->sync());
    DRACO_TRY_VOID(disk_.rename(fresh, path_));
    DRACO_TRY_VOID(disk_.sync_directory(directory_of(path_)));
    received_ = received;
    return {};
}

}  // namespace draco::client
