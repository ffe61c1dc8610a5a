// The key store: what it keeps, what it refuses, what a crash leaves, and backups.

#include "draco/identity/key_store.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/simulon/disk.hpp"

#include "identity_fixture.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>

namespace draco::identity {
namespace {

using testing::kTestScryptN;
using testing::password;
using testing::vector_file;

class KeyStoreTest : public ::testing::Test {
protected:
    KeyStore open(Disk& disk) const {
        return KeyStore::open(disk, "keys", {.scrypt_n = kTestScryptN}).value();
    }

    KeyInfo generate(KeyStore& store, KeyKind kind, const std::string& name) {
        return store.generate(kind, name, password("p"), rng_).value();
    }

    static PasswordOf all_have(std::string text) {
        return
            [text = std::move(text)](const KeyInfo&) -> Result<Password> { return password(text); };
    }

    simulon::SeededRng rng_{5};
    simulon::SimulatedDisk disk_{1};
};

// What was generated is listed in order and loads with its password.
TEST_F(KeyStoreTest, KeepsKeys) {
    KeyStore store = open(disk_);
    const KeyInfo account = generate(store, KeyKind::Account, "alice");
    const KeyInfo node = generate(store, KeyKind::Node, "default");
    EXPECT_EQ(store.list().value(), (std::vector{node, account}));
    const auto loaded = store.load(KeyKind::Node, "default", password("p"));
    ASSERT_TRUE(loaded);
    EXPECT_EQ(public_id(loaded->secret), *node.id);
    EXPECT_FALSE(loaded->info.restored);
    EXPECT_EQ(store.load(KeyKind::Node, "default", password("q")).error().code,
              Errc::Unauthenticated);
    EXPECT_EQ(store.load(KeyKind::Node, "other", password("p")).error().code, Errc::NotFound);
    EXPECT_EQ(store.generate(KeyKind::Node, "default", password("p"), rng_).error().code,
              Errc::AlreadyExists);
    for (const std::string name : {"", "UP", "../x", "a.b", "0123456789012345678901234567890123"})
        EXPECT_EQ(store.generate(KeyKind::Node, name, password("p"), rng_).error().code,
                  Errc::InvalidArgument);
}

// A mnemonic gives the accounts that every Ethereum wallet derives from it.
TEST_F(KeyStoreTest, ImportsMnemonics) {
    KeyStore store = open(disk_);
    constexpr std::string_view kWords =
        "test test test test test test test test test test test junk";
    const auto first = store.import_mnemonic("a0", kWords, "", 0, password("p"), rng_);
    const auto second = store.import_mnemonic("a1", kWords, "", 1, password("p"), rng_);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(to_text(*first->id), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    EXPECT_EQ(to_text(*second->id), "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    EXPECT_TRUE(first->restored);
    const auto bad = store.import_mnemonic("a2", "test test", "", 0, password("p"), rng_);
    EXPECT_EQ(bad.error().code, Errc::InvalidArgument);
    EXPECT_EQ(store.import_mnemonic("a2", kWords, "", 1U << 31, password("p"), rng_).error().code,
              Errc::InvalidArgument);
}

// Raw secrets and files of other programs come in, marked as known elsewhere.
TEST_F(KeyStoreTest, ImportsSecretsAndFiles) {
    KeyStore store = open(disk_);
    const auto account = store.import_file(KeyKind::Account,
                                           "geth",
                                           vector_file("web3_secret_storage_scrypt.json"),
                                           password("testpassword"),
                                           password("p"),
                                           rng_);
    ASSERT_TRUE(account) << to_string(account.error());
    EXPECT_EQ(to_text(*account->id), "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
    EXPECT_TRUE(account->restored);
    const RawSecret zero(std::array<std::uint8_t, 32>{});
    EXPECT_EQ(store.import_secret(KeyKind::Account, "zero", zero, password("p"), rng_).error().code,
              Errc::InvalidArgument);
    ASSERT_TRUE(store.import_secret(KeyKind::Node, "raw", zero, password("p"), rng_));
    ASSERT_TRUE(store.clear_restored(KeyKind::Node, "raw"));
    const auto raw = store.load(KeyKind::Node, "raw", password("p"));
    ASSERT_TRUE(raw);
    EXPECT_FALSE(raw->info.restored);
    EXPECT_TRUE(equal(raw_secret(raw->secret).expose(), zero.expose()));
}

// A backup brings all keys to another store, marked restored, with its password only.
TEST_F(KeyStoreTest, BackupRoundTrips) {
    KeyStore store = open(disk_);
    const KeyInfo node = generate(store, KeyKind::Node, "default");
    const KeyInfo account = generate(store, KeyKind::Account, "alice");
    const auto backup = store.backup(all_have("p"), password("backup"), rng_);
    ASSERT_TRUE(backup) << to_string(backup.error());
    EXPECT_EQ(store.backup(all_have("wrong"), password("backup"), rng_).error().code,
              Errc::Unauthenticated);

    simulon::SimulatedDisk other_disk(2);
    KeyStore other = open(other_disk);
    const auto wrong = other.restore(*backup, password("p"), password("q"), rng_);
    EXPECT_EQ(wrong.error().code, Errc::Unauthenticated);
    EXPECT_TRUE(other.list().value().empty());
    const auto added = other.restore(*backup, password("backup"), password("q"), rng_);
    ASSERT_TRUE(added) << to_string(added.error());
    ASSERT_EQ(added->size(), 2U);
    for (const KeyInfo& original : {node, account}) {
        const auto loaded = other.load(original.kind, original.name, password("q"));
        ASSERT_TRUE(loaded);
        EXPECT_EQ(public_id(loaded->secret), *original.id);
        EXPECT_TRUE(loaded->info.restored);
    }
    // Again: nothing is added. Onto another key of that name: refused, and nothing is added.
    EXPECT_TRUE(other.restore(*backup, password("backup"), password("q"), rng_).value().empty());
    simulon::SimulatedDisk third_disk(3);
    KeyStore third = open(third_disk);
    generate(third, KeyKind::Node, "default");
    EXPECT_EQ(third.restore(*backup, password("backup"), password("q"), rng_).error().code,
              Errc::AlreadyExists);
    EXPECT_EQ(third.list().value().size(), 1U);
}

// Damage of a backup is told from a wrong password.
TEST_F(KeyStoreTest, DamagedBackupsAreCorrupt) {
    KeyStore store = open(disk_);
    generate(store, KeyKind::Node, "default");
    Bytes backup = store.backup(all_have("p"), password("backup"), rng_).value();
    const auto code = [&](ByteView bytes) {
        return store.restore(bytes, password("backup"), password("q"), rng_).error().code;
    };
    for (std::size_t size = 0; size < backup.size(); ++size)
        EXPECT_EQ(code(ByteView(backup).first(size)), Errc::Corrupt) << size;
    for (std::size_t bit = 0; bit < 8 * backup.size(); ++bit) {
        const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
        backup[bit / 8] ^= mask;
        EXPECT_EQ(code(backup), Errc::Corrupt) << bit;
        backup[bit / 8] ^= mask;
    }
    EXPECT_EQ(code(Bytes(kBackupBytesMax + 1)), Errc::Exhausted);
}

// A crash at any change of the disk leaves each key whole or absent, and keys that were confirmed.
TEST_F(KeyStoreTest, CrashesLeaveWholeKeys) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::uint64_t change = 1;; ++change) {
            simulon::SimulatedDisk disk(seed);
            simulon::SeededRng rng(seed);
            KeyStore store = open(disk);
            disk.crash_at_change(change);
            const auto first = store.generate(KeyKind::Node, "default", password("p"), rng);
            const auto second =
                store.import_mnemonic("alice",
                                      "test test test test test test test test test test test junk",
                                      "",
                                      0,
                                      password("p"),
                                      rng);
            const auto cleared = store.clear_restored(KeyKind::Account, "alice");
            const bool crashed = disk.crashed();
            disk.crash();
            disk.restart();
            KeyStore again = open(disk);
            const auto keys = again.list();
            ASSERT_TRUE(keys) << to_string(keys.error()) << " seed " << seed << " at " << change;
            if (first) EXPECT_TRUE(again.load(KeyKind::Node, "default", password("p")));
            if (second) {
                const auto loaded = again.load(KeyKind::Account, "alice", password("p"));
                ASSERT_TRUE(loaded);
                if (cleared) EXPECT_FALSE(loaded->info.restored);
            }
            if (!crashed) break;
        }
    }
}

// On the operating system, nobody but the owner reads a key file.
TEST_F(KeyStoreTest, FilesArePrivate) {
    std::string root = (std::filesystem::temp_directory_path() / "draco_keys_XXXXXX").string();
    ASSERT_NE(::mkdtemp(root.data()), nullptr);
    {
        const mode_t before = ::umask(0);
        auto disk = io::PosixDisk::open_root(root).value();
        KeyStore store = open(*disk);
        generate(store, KeyKind::Node, "default");
        ::umask(before);
        struct stat status{};
        ASSERT_EQ(::stat((root + "/keys/node-default.json").c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777U, 0600U);
        ASSERT_EQ(::stat((root + "/keys").c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777U, 0700U);
    }
    std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace draco::identity
