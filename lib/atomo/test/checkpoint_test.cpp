#include "draco/atomo/checkpoint.hpp"

#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"
#include "draco/atomo/state_check.hpp"
#include "draco/simulon/disk.hpp"

#include "ledger_model.hpp"
#include "memory_file.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

namespace draco::atomo {
namespace {

Writer<Ledger> filled_ledger(std::unique_ptr<Storage> storage, std::uint64_t accounts = 60) {
    auto writer = *open_database<Ledger>(std::move(storage));
    const auto committed = writer.commit([&](Transaction<Ledger>& tx) -> Result<> {
        for (std::uint64_t i = 0; i < accounts; ++i)
            DRACO_TRY_VOID(tx.put(kAccounts, address(i), {i, i, "note"}));
        DRACO_TRY_VOID(tx.put(kPositions, {"flk", Height(1)}, 1));
        DRACO_TRY_VOID(tx.put(kPositions, {std::string("\0x", 2), Height(1)}, 2));
        return tx.put(kCache, "k", Bytes{1, 2, 3});
    });
    EXPECT_TRUE(committed.has_value());
    return writer;
}

struct Exported {
    Bytes bytes;
    CheckpointReport report;
};

Exported export_all(const Writer<Ledger>& writer, const ExportOptions& options = {}) {
    MemoryFile file;
    const auto report = export_checkpoint(writer.reader().snapshot().committed(), file, options);
    EXPECT_TRUE(report.has_value());
    return {file.content, *report};
}

CheckpointHash hash_of(ByteView bytes) {
    const auto hash = make_sha256_stream();
    hash->update(bytes);
    return hash->digest();
}

// Imports `bytes` under their own hash, as if someone trusted had vouched for them.
Result<CheckpointReport> import_trusted(const Bytes& bytes, const StateRoot& root) {
    const auto storage = open_memory_storage();
    return import_checkpoint(MemoryFile(bytes), *storage, {hash_of(bytes), root});
}

TEST(Checkpoint, RoundTripsBetweenBackends) {
    // Export from memory, import into RocksDB: same entries and root; exporting again gives the
    // same bytes; the offline check passes.
    const auto source = filled_ledger(open_memory_storage(), 2000);
    const Exported first = export_all(source);
    EXPECT_EQ(first.report.entries, 2003U);
    EXPECT_EQ(first.report.bytes, first.bytes.size());
    EXPECT_EQ(first.report.id.hash, hash_of(first.bytes));

    const TemporaryDirectory directory;
    const RocksOptions options{.path = directory.path(), .durability = Durability::Buffered};
    {
        const auto storage = *open_rocks_storage(options);
        const auto imported = import_checkpoint(MemoryFile(first.bytes), *storage, first.report.id);
        ASSERT_TRUE(imported.has_value()) << to_string(imported.error());
        EXPECT_EQ(imported->entries, 2003U);
        const auto verified = verify_state(*storage);
        ASSERT_TRUE(verified.has_value()) << to_string(verified.error());
        EXPECT_EQ(verified->root, first.report.id.root);
    }
    const auto copy = *open_database<Ledger>(*open_rocks_storage(options));
    EXPECT_EQ(*read_all(copy.reader().snapshot()), *read_all(source.reader().snapshot()));
    EXPECT_EQ(export_all(copy).bytes, first.bytes);
}

TEST(Checkpoint, KeepsTheStateHash) {
    // A Keccak state stays one through a checkpoint, which is Corrupt when it claims another hash.
    auto source = *open_database<Ledger>(open_memory_storage(), StateHash::Keccak256);
    ASSERT_TRUE(source.commit([](auto& tx) { return tx.put(kAccounts, address(1), {1, 2, "x"}); }));
    Exported exported = export_all(source);
    auto storage = open_memory_storage();
    ASSERT_TRUE(import_checkpoint(MemoryFile(exported.bytes), *storage, exported.report.id));
    ASSERT_TRUE(verify_state(*storage));
    const auto copy = *open_database<Ledger>(std::move(storage), StateHash::Keccak256);
    EXPECT_EQ(copy.reader().snapshot().root(), source.reader().snapshot().root());

    constexpr std::size_t kHashOffset = 12;
    ASSERT_EQ(exported.bytes[kHashOffset], 1);
    for (const int other : {0, 2, 255}) {
        exported.bytes[kHashOffset] = static_cast<std::uint8_t>(other);
        const auto imported = import_trusted(exported.bytes, exported.report.id.root);
        ASSERT_FALSE(imported.has_value());
        EXPECT_EQ(imported.error().code, Errc::Corrupt);
    }
}

TEST(Checkpoint, HasTheDocumentedBytes) {
    // A golden checkpoint: the format changes only on purpose.
    using Tiny = Schema<kCache>;
    auto writer = *open_database<Tiny>(open_memory_storage());
    ASSERT_TRUE(writer.commit([](auto& tx) { return tx.put(kCache, "k", Bytes{7}); }));
    MemoryFile file;
    ASSERT_TRUE(export_checkpoint(writer.reader().snapshot().committed(), file));
    Bytes expected = to_bytes(as_bytes("DRACOCKP"));
    append(expected, Bytes{1, 0, 0, 0, 0});  // format, state hash
    append(expected, Bytes(32));             // root of the empty tree
    append(expected, Bytes{1, 239, 0, 5});   // one table, not authenticated
    append(expected, as_bytes("cache"));
    append(expected, Bytes{1, 3, 0, 'k', 0, 0});         // entry, key
    append(expected, Bytes{2, 0, 0, 0, 1, 7});           // value
    append(expected, Bytes{0, 1, 0, 0, 0, 0, 0, 0, 0});  // end, one entry
    EXPECT_EQ(file.content, expected);
}

TEST(Checkpoint, IsTheSameForTheSameState) {
    // History leaves no trace: entries written in another order, some removed again.
    const auto direct = filled_ledger(open_memory_storage());
    auto detour = filled_ledger(open_memory_storage(), 90);
    ASSERT_TRUE(detour.commit([](Transaction<Ledger>& tx) -> Result<> {
        for (std::uint64_t i = 60; i < 90; ++i) DRACO_TRY_VOID(tx.remove(kAccounts, address(i)));
        return {};
    }));
    EXPECT_EQ(export_all(direct).bytes, export_all(detour).bytes);
}

TEST(Checkpoint, ExcludesTablesOutsideTheRoot) {
    // An excluded table is created empty when the import is opened; authenticated tables cannot be
    // excluded.
    const auto source = filled_ledger(open_memory_storage());
    const Exported exported = export_all(source, {.excluded_tables = {"cache"}});
    auto storage = open_memory_storage();
    ASSERT_TRUE(import_checkpoint(MemoryFile(exported.bytes), *storage, exported.report.id));
    const auto copy = *open_database<Ledger>(std::move(storage));
    EXPECT_FALSE(*copy.reader().snapshot().contains(kCache, "k"));
    EXPECT_TRUE(*copy.reader().snapshot().contains(kAccounts, address(1)));

    MemoryFile file;
    const auto& version = source.reader().snapshot().committed();
    for (const auto* name : {"accounts", "nonsense"})
        EXPECT_EQ(export_checkpoint(version, file, {.excluded_tables = {name}}).error().code,
                  Errc::InvalidArgument);
}

TEST(Checkpoint, RefusesWhatDoesNotHaveTheHashBeforeWritingAnything) {
    // Every bit flipped, every length cut, a byte more: Corrupt, and the storage stays empty.
    const Exported exported = export_all(filled_ledger(open_memory_storage(), 3));
    const auto storage = open_memory_storage();
    const auto refused = [&](const Bytes& bytes) {
        const auto imported = import_checkpoint(MemoryFile(bytes), *storage, exported.report.id);
        return !imported && imported.error().code == Errc::Corrupt;
    };
    for (std::size_t bit = 0; bit < exported.bytes.size() * 8; ++bit) {
        Bytes flipped = exported.bytes;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ASSERT_TRUE(refused(flipped)) << bit;
    }
    for (std::size_t size = 0; size < exported.bytes.size(); ++size)
        ASSERT_TRUE(refused(Bytes(exported.bytes.begin(),
                                  exported.bytes.begin() + static_cast<std::ptrdiff_t>(size))));
    Bytes longer = exported.bytes;
    longer.push_back(0);
    EXPECT_TRUE(refused(longer));
    EXPECT_FALSE((*storage->snapshot())->scan({}, Order::Ascending)->next()->has_value());
}

TEST(Checkpoint, RefusesMalformedBytesUnderTheirOwnHash) {
    // The parser by itself: with the hash of the damaged bytes expected, every bit flip and cut is
    // still Corrupt (or was not damage: then it must be another valid checkpoint of that root,
    // which cannot be).
    const Exported exported = export_all(filled_ledger(open_memory_storage(), 3));
    const StateRoot root = exported.report.id.root;
    const std::string_view cache_entry("\x01\x02\x03", 3);  // the value in the table without root
    const std::size_t cache_value = as_text(exported.bytes).rfind(cache_entry);
    for (std::size_t bit = 0; bit < exported.bytes.size() * 8; ++bit) {
        Bytes flipped = exported.bytes;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto imported = import_trusted(flipped, root);
        if (imported.has_value()) {
            // Only what no root covers: names, and keys and values of the cache.
            EXPECT_TRUE(bit / 8 > cache_value - 12 || bit / 8 < 80) << bit / 8;
            continue;
        }
        ASSERT_EQ(imported.error().code, Errc::Corrupt) << to_string(imported.error());
    }
    for (std::size_t size = 0; size < exported.bytes.size(); ++size) {
        const auto imported =
            import_trusted(Bytes(exported.bytes.begin(),
                                 exported.bytes.begin() + static_cast<std::ptrdiff_t>(size)),
                           root);
        ASSERT_FALSE(imported.has_value());
        ASSERT_EQ(imported.error().code, Errc::Corrupt);
        ASSERT_NE(imported.error().context.find("offset"), std::string::npos);
    }
}

TEST(Checkpoint, BelievesNoLength) {
    // Lengths up to the largest number, unknown versions and tags: Corrupt at once, without
    // allocating what they say.
    const Exported exported = export_all(filled_ledger(open_memory_storage(), 1));
    const auto with = [&](std::size_t offset, const Bytes& patch) {
        Bytes bytes = exported.bytes;
        std::ranges::copy(patch, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
        const auto imported = import_trusted(bytes, exported.report.id.root);
        EXPECT_FALSE(imported.has_value());
        return imported ? Errc::Io : imported.error().code;
    };
    const std::size_t first_entry = as_text(exported.bytes).find("cache") + 5;
    EXPECT_EQ(exported.bytes[first_entry], 1);
    EXPECT_EQ(with(8, {2, 0, 0, 0}), Errc::Corrupt);                             // format
    EXPECT_EQ(with(12, {9}), Errc::Corrupt);                                     // state hash
    EXPECT_EQ(with(45, {255}), Errc::Corrupt);                                   // tables
    EXPECT_EQ(with(first_entry, {2}), Errc::Corrupt);                            // tag
    EXPECT_EQ(with(first_entry + 1, {0xFF, 0xFF}), Errc::Corrupt);               // key length
    EXPECT_EQ(with(first_entry + 23, {0xFF, 0xFF, 0xFF, 0xFF}), Errc::Corrupt);  // value length
    EXPECT_EQ(with(first_entry + 23, {0, 0, 0, 1}), Errc::Corrupt);  // in bounds, not in the file
}

TEST(Checkpoint, IsLoadedIntoAnEmptyStorageOnly) {
    // AlreadyExists for a storage with data, which stays as it is.
    const Exported exported = export_all(filled_ledger(open_memory_storage()));
    const auto storage = open_memory_storage();
    ASSERT_TRUE(storage->commit(std::vector<StorageWrite>{{Bytes{1}, Bytes{1}}}));
    const auto imported =
        import_checkpoint(MemoryFile(exported.bytes), *storage, exported.report.id);
    EXPECT_EQ(imported.error().code, Errc::AlreadyExists);
}

TEST(Checkpoint, AnUnfinishedLoadCannotBeOpened) {
    // The right hash over entries that do not have the root (its issuer lied): Corrupt, and the
    // half-loaded storage is Unavailable to open, check and rebuild.
    Exported exported = export_all(filled_ledger(open_memory_storage()));
    exported.bytes[as_text(exported.bytes).find("note")] ^= 1;
    auto storage = open_memory_storage();
    const auto imported = import_checkpoint(
        MemoryFile(exported.bytes), *storage, {hash_of(exported.bytes), exported.report.id.root});
    EXPECT_EQ(imported.error().code, Errc::Corrupt);
    EXPECT_EQ(verify_state(*storage).error().code, Errc::Unavailable);
    EXPECT_EQ(rebuild_state(*storage).error().code, Errc::Unavailable);
    EXPECT_EQ(open_database<Ledger>(std::move(storage)).error().code, Errc::Unavailable);
}

TEST(Checkpoint, NoticesAFileThatChangesWhileItIsLoaded) {
    // Between the reading that checks the hash and the one that loads, the file changes where no
    // root covers it: Corrupt all the same.
    const Exported exported = export_all(filled_ledger(open_memory_storage()));
    MemoryFile file(exported.bytes);
    int reads = 0;
    file.on_read = [&] {
        if (++reads == 2) file.content[as_text(file.content).rfind("\x01\x02\x03")] ^= 1;
    };
    const auto storage = open_memory_storage();
    const auto imported = import_checkpoint(file, *storage, exported.report.id);
    ASSERT_FALSE(imported.has_value());
    EXPECT_EQ(imported.error().code, Errc::Corrupt);
    EXPECT_NE(imported.error().context.find("changed"), std::string::npos);
}

TEST(Checkpoint, ExportedFilesAreWholeOrAbsent) {
    // To a disk that fails at every point in turn: the file at the path is the checkpoint or is not
    // there; leftovers of failed exports do not stand in the way.
    const auto source = filled_ledger(open_memory_storage());
    const auto snapshot = source.reader().snapshot();
    const Exported expected = export_all(source);
    simulon::SimulatedDisk disk(5);
    ASSERT_TRUE(disk.create_directory("out") && disk.sync_directory(""));
    bool succeeded = false;
    for (std::uint64_t change = 1; !succeeded; ++change) {
        disk.crash_at_change(change);
        succeeded = export_checkpoint(snapshot.committed(), disk, "out/state.ckpt").has_value();
        disk.crash();
        disk.restart();
        const auto exists = disk.exists("out/state.ckpt");
        ASSERT_TRUE(exists.has_value());
        ASSERT_TRUE(*exists || !succeeded);
        if (!*exists) continue;
        const auto file = *disk.open("out/state.ckpt", OpenMode::Read);
        Bytes content(*file->size());
        ASSERT_TRUE(file->read_at(0, content).has_value());
        ASSERT_EQ(content, expected.bytes);
        ASSERT_LT(change, 100U);
    }
}

}  // namespace
}  // namespace draco::atomo
