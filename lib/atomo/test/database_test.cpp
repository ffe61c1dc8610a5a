#include "draco/atomo/database.hpp"

#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/crypto/sha2.hpp"

#include "faulty_storage.hpp"
#include "ledger.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace draco::atomo {
namespace {

// What does not compile.
template <class S, class T>
concept Readable =
    requires(Snapshot<S> snapshot, T table, typename T::KeyType key) { snapshot.get(table, key); };
template <class S, class T>
concept Writable = requires(Transaction<S> transaction, T table, typename T::KeyType key) {
    transaction.remove(table, key);
};
template <class S, class T>
concept Provable = requires(Snapshot<S> snapshot, T table, typename T::KeyType key) {
    snapshot.prove(table, key);
};
template <class T, class K>
concept TakesKey =
    requires(Snapshot<Ledger> snapshot, T table, K key) { snapshot.get(table, key); };
template <class W>
concept CanWrite = requires(W snapshot) { snapshot.remove(kAccounts, Address()); };

using Elsewhere = std::remove_const_t<decltype(kElsewhere)>;
using Accounts = std::remove_const_t<decltype(kAccounts)>;
using Cache = std::remove_const_t<decltype(kCache)>;
static_assert(Readable<Ledger, Accounts> && !Readable<Ledger, Elsewhere>);
static_assert(Writable<Ledger, Accounts> && !Writable<Ledger, Elsewhere>);
static_assert(Provable<Ledger, Accounts> && !Provable<Ledger, Cache>);
static_assert(TakesKey<Accounts, Address> && !TakesKey<Accounts, std::string>);
static_assert(!CanWrite<Snapshot<Ledger>> && CanWrite<Transaction<Ledger>&>);
static_assert(!std::copyable<Writer<Ledger>> && std::movable<Writer<Ledger>>);
static_assert(std::copyable<Reader<Ledger>> && std::copyable<Snapshot<Ledger>>);

Writer<Ledger> open_in_memory() {
    return *open_database<Ledger>(open_memory_storage());
}

Result<> set_balance(Transaction<Ledger>& tx, std::uint64_t who, std::uint64_t balance) {
    return tx.put(kAccounts, address(who), {balance, 0, "n"});
}

std::uint64_t balance(const detail::Reads<Ledger>& reads, std::uint64_t who) {
    const auto account = reads.get(kAccounts, address(who));
    EXPECT_TRUE(account.has_value());
    return account && *account ? (*account)->balance : 0;
}

TEST(Database, CommitsWhatTheBodyWroteAndReturnsItsValue) {
    // put, read-your-writes, remove; the committed value, version and root come back.
    auto writer = open_in_memory();
    const auto first = writer.commit([](Transaction<Ledger>& tx) -> Result<int> {
        DRACO_TRY_VOID(set_balance(tx, 1, 10));
        DRACO_TRY_VOID(set_balance(tx, 2, 20));
        EXPECT_EQ(balance(tx, 1), 10U);
        DRACO_TRY_VOID(tx.remove(kAccounts, address(2)));
        EXPECT_EQ(balance(tx, 2), 0U);
        return 7;
    });
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->value, 7);
    EXPECT_EQ(first->version, 1U);
    const auto snapshot = writer.reader().snapshot();
    EXPECT_EQ(snapshot.root(), first->root);
    EXPECT_EQ(balance(snapshot, 1), 10U);
    EXPECT_FALSE(*snapshot.contains(kAccounts, address(2)));
    EXPECT_TRUE(*snapshot.contains(kAccounts, address(1)));
}

TEST(Database, AnErrorCommitsNothing) {
    // The reference implementation's defect: a body that returns an error must leave no trace.
    auto writer = open_in_memory();
    const auto before = writer.reader().snapshot();
    const auto failed = writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        DRACO_TRY_VOID(set_balance(tx, 1, 10));
        return fail(Errc::InvalidArgument, "no");
    });
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().context, "no");
    const auto after = writer.reader().snapshot();
    EXPECT_EQ(balance(after, 1), 0U);
    EXPECT_EQ(after.version(), before.version());
    EXPECT_EQ(after.root(), before.root());
}

TEST(Database, SnapshotsAreStable) {
    // A snapshot shows its version however many commits follow, and so do its copies, its scans and
    // its proofs; it outlives the writer.
    auto writer = std::make_optional(open_in_memory());
    const auto set = [&](std::uint64_t value) {
        return *writer->commit([&](Transaction<Ledger>& tx) { return set_balance(tx, 1, value); });
    };
    set(1);
    const auto old = writer->reader().snapshot();
    const auto old_root = old.root();
    for (std::uint64_t i = 2; i < 50; ++i) set(i);
    const auto copy = old;
    const auto reader = writer->reader();
    writer.reset();
    EXPECT_EQ(balance(copy, 1), 1U);
    EXPECT_EQ(balance(reader.snapshot(), 1), 49U);
    const auto proof = copy.prove(kAccounts, address(1));
    ASSERT_TRUE(proof.has_value());
    const TrustedRoot trusted{old_root};
    EXPECT_TRUE(verify_present(trusted, kAccounts, address(1), {1, 0, "n"}, *proof).has_value());
}

TEST(Database, SimulationsVanish) {
    // simulate sees its own writes on top of the newest state; nobody else ever does.
    auto writer = open_in_memory();
    const auto simulated = writer.reader().simulate([](Transaction<Ledger>& tx) -> Result<bool> {
        DRACO_TRY_VOID(set_balance(tx, 1, 10));
        return balance(tx, 1) == 10;
    });
    EXPECT_TRUE(simulated && *simulated);
    EXPECT_EQ(balance(writer.reader().snapshot(), 1), 0U);
    EXPECT_EQ(writer.reader().snapshot().version(), 0U);
}

TEST(Database, TheRootIsThatOfTheStateJustCommitted) {
    // Each root differs from the one before when the state does, is the same for the same state
    // whatever its history, and ignores tables that are not authenticated.
    auto writer = open_in_memory();
    const auto commit = [&](auto body) {
        const auto committed = writer.commit(body);
        EXPECT_EQ(committed->root, writer.reader().snapshot().root());
        return committed->root;
    };
    const auto empty = writer.reader().snapshot().root();
    const auto one = commit([](auto& tx) { return set_balance(tx, 1, 1); });
    const auto two = commit([](auto& tx) { return set_balance(tx, 2, 1); });
    const auto changed = commit([](auto& tx) { return set_balance(tx, 1, 2); });
    EXPECT_NE(one, empty);
    EXPECT_NE(two, one);
    EXPECT_NE(changed, two);
    EXPECT_EQ(commit([](auto& tx) { return set_balance(tx, 1, 1); }), two);
    EXPECT_EQ(commit([](auto& tx) { return tx.put(kCache, "key", Bytes{1}); }), two);
    EXPECT_EQ(commit([](auto& tx) { return tx.remove(kAccounts, address(2)); }), one);
    EXPECT_EQ(commit([](auto& tx) { return tx.remove(kAccounts, address(1)); }), empty);
}

TEST(Database, AnUnchangedEntryHidesNoOther) {
    // The reference implementation's defect: a batch with one unchanged insert must still move the
    // root for the others.
    auto writer = open_in_memory();
    ASSERT_TRUE(writer.commit([](auto& tx) { return set_balance(tx, 1, 1); }));
    const auto before = writer.reader().snapshot().root();
    const auto mixed = writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        DRACO_TRY_VOID(set_balance(tx, 1, 1));
        return set_balance(tx, 2, 2);
    });
    EXPECT_NE(mixed->root, before);
    const auto proof = writer.reader().snapshot().prove(kAccounts, address(2));
    EXPECT_TRUE(
        verify_present({mixed->root}, kAccounts, address(2), {2, 0, "n"}, *proof).has_value());
}

TEST(Database, ProvesPresenceAndAbsence) {
    // Proofs verify for what is true and for nothing else: another value, key, root or statement,
    // any bit flipped, any length cut.
    auto writer = open_in_memory();
    ASSERT_TRUE(writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        for (std::uint64_t i = 0; i < 100; ++i) DRACO_TRY_VOID(set_balance(tx, i, i));
        return tx.put(kPositions, {"flk", Height(3)}, 5);
    }));
    const auto snapshot = writer.reader().snapshot();
    const TrustedRoot trusted{snapshot.root()};
    const auto present = *snapshot.prove(kAccounts, address(5));
    const auto absent = *snapshot.prove(kAccounts, address(500));
    const Account account{5, 0, "n"};
    EXPECT_TRUE(verify_present(trusted, kAccounts, address(5), account, present));
    EXPECT_TRUE(verify_absent(trusted, kAccounts, address(500), absent));
    EXPECT_TRUE(verify_present(trusted,
                               kPositions,
                               {"flk", Height(3)},
                               5,
                               *snapshot.prove(kPositions, {"flk", Height(3)})));

    EXPECT_FALSE(verify_present(trusted, kAccounts, address(5), {6, 0, "n"}, present));
    EXPECT_FALSE(verify_present(trusted, kAccounts, address(6), account, present));
    EXPECT_FALSE(verify_absent(trusted, kAccounts, address(5), present));
    EXPECT_FALSE(verify_absent(trusted, kAccounts, address(501), absent));
    EXPECT_FALSE(verify_present(trusted, kElsewhere, address(5), account, present));
    EXPECT_FALSE(verify_present({StateRoot()}, kAccounts, address(5), account, present));
    for (std::size_t size = 0; size < present.size(); ++size)
        EXPECT_FALSE(
            verify_present(trusted, kAccounts, address(5), account, ByteView(present).first(size)));
    for (std::size_t bit = 0; bit < present.size() * 8; ++bit) {
        Bytes flipped = present;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_present(trusted, kAccounts, address(5), account, flipped));
    }
}

template <class T>
std::vector<typename T::KeyType> keys(Cursor<T> cursor) {
    std::vector<typename T::KeyType> found;
    while (true) {
        auto entry = cursor.next();
        EXPECT_TRUE(entry.has_value());
        if (!entry || !*entry) return found;
        found.push_back((*entry)->key);
    }
}

TEST(Database, TheStateHashIsAParameter) {
    // The same entry under each hash has the root that its definition gives, and each proof
    // verifies under its own hash only; a database is opened with the hash it was made with.
    const Account value{7, 1, "k"};
    const auto leaf_root = [&](auto hash) {
        Bytes key = to_bytes(as_bytes("draco.atomo.key.1"));
        append(key, detail::storage_key<Accounts>(address(3)));
        Bytes leaf{0x00};
        append(leaf, hash(key).view());
        append(leaf, hash(bcs::encode(value)).view());
        return to_bytes(hash(leaf).view());
    };
    const auto expect = [&](StateHash hash, StateHash other, const Bytes& root) {
        const TemporaryDirectory directory;
        const RocksOptions options{.path = directory.path()};
        {
            auto writer = *open_database<Ledger>(*open_rocks_storage(options), hash);
            ASSERT_TRUE(
                writer.commit([&](auto& tx) { return tx.put(kAccounts, address(3), value); }));
            const auto snapshot = writer.reader().snapshot();
            EXPECT_EQ(snapshot.committed().hash(), hash);
            EXPECT_EQ(to_bytes(snapshot.root().view()), root);
            const auto proof = snapshot.prove(kAccounts, address(3));
            ASSERT_TRUE(proof.has_value());
            EXPECT_TRUE(
                verify_present({snapshot.root(), hash}, kAccounts, address(3), value, *proof));
            EXPECT_FALSE(
                verify_present({snapshot.root(), other}, kAccounts, address(3), value, *proof));
        }
        const auto refused = open_database<Ledger>(*open_rocks_storage(options), other);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, Errc::InvalidArgument);
    };
    expect(StateHash::Sha256, StateHash::Keccak256, leaf_root([](ByteView m) {
               return crypto::sha256(m);
           }));
    expect(StateHash::Keccak256, StateHash::Sha256, leaf_root([](ByteView m) {
               return crypto::keccak256(m);
           }));
}

TEST(Database, ManyReadsSeePendingWrites) {
    // Inside a transaction, reads of many keys see its writes and removals, and each key as often
    // as it is asked for.
    auto writer = *open_database<Ledger>(open_memory_storage());
    ASSERT_TRUE(writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        DRACO_TRY_VOID(tx.put(kAccounts, address(1), {1, 0, ""}));
        return tx.put(kAccounts, address(2), {2, 0, ""});
    }));
    ASSERT_TRUE(writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        DRACO_TRY_VOID(tx.remove(kAccounts, address(1)));
        DRACO_TRY_VOID(tx.put(kAccounts, address(3), {3, 0, ""}));
        const Address keys[] = {address(3), address(2), address(1), address(4), address(2)};
        DRACO_TRY(found, tx.get_many(kAccounts, std::span<const Address>(keys)));
        EXPECT_EQ(found.size(), 5U);
        EXPECT_EQ(found[0]->balance, 3U);
        EXPECT_EQ(found[1]->balance, 2U);
        EXPECT_FALSE(found[2] || found[3]);
        EXPECT_EQ(found[4]->balance, 2U);
        EXPECT_TRUE(tx.get_many(kAccounts, std::span<const Address>())->empty());
        return {};
    }));
}

TEST(Database, ScansRangesThroughPendingWrites) {
    // all, between, from, below and prefix, in both directions, with committed entries overwritten,
    // removed and added by the transaction; neighbouring tables never leak in.
    using Positions = Range<Position>;
    auto writer = open_in_memory();
    const auto done = writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        DRACO_TRY_VOID(set_balance(tx, 1, 1));
        DRACO_TRY_VOID(tx.put(kCache, "zzz", {}));
        for (const auto* market : {"a", "b", "c"})
            for (const std::uint64_t height : {1U, 2U, 300U})
                DRACO_TRY_VOID(tx.put(kPositions, {market, Height(height)}, 1));
        return {};
    });
    ASSERT_TRUE(done.has_value());
    const auto checked = writer.reader().simulate([](Transaction<Ledger>& tx) -> Result<> {
        const Position b1{"b", Height(1)};
        const Position b2{"b", Height(2)};
        const Position b4{"b", Height(4)};
        const Position b300{"b", Height(300)};
        DRACO_TRY_VOID(tx.put(kPositions, b1, 9));
        DRACO_TRY_VOID(tx.remove(kPositions, b2));
        DRACO_TRY_VOID(tx.put(kPositions, b4, 9));
        EXPECT_EQ(keys(tx.scan(kPositions)).size(), 9U);
        const std::vector<Position> of_b{b1, b4, b300};
        const std::vector<Position> of_b_down{b300, b4, b1};
        const auto prefix = Positions::prefix(std::string("b"));
        EXPECT_EQ(keys(tx.scan(kPositions, prefix)), of_b);
        EXPECT_EQ(keys(tx.scan(kPositions, prefix, Order::Descending)), of_b_down);
        EXPECT_EQ(keys(tx.scan(kPositions, Positions::between(b1, b300))),
                  (std::vector<Position>{b1, b4}));
        EXPECT_EQ(keys(tx.scan(kPositions, Positions::from(b4))).size(), 5U);
        EXPECT_EQ(keys(tx.scan(kPositions, Positions::below(b4), Order::Descending)).size(), 4U);
        return {};
    });
    EXPECT_TRUE(checked.has_value());
}

TEST(Database, ACursorSeesWritesAheadOfIt) {
    // Writing during a scan: entries added ahead appear, entries removed ahead do not.
    auto writer = open_in_memory();
    ASSERT_TRUE(writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        for (const std::uint64_t i : {1U, 3U, 5U, 7U}) DRACO_TRY_VOID(set_balance(tx, i, i));
        return {};
    }));
    const auto walked = writer.reader().simulate([](Transaction<Ledger>& tx) -> Result<> {
        auto cursor = tx.scan(kAccounts);
        DRACO_TRY(first, cursor.next());
        EXPECT_EQ(first->key, address(1));
        DRACO_TRY_VOID(set_balance(tx, 2, 2));
        DRACO_TRY_VOID(tx.remove(kAccounts, address(5)));
        DRACO_TRY_VOID(set_balance(tx, 7, 70));
        DRACO_TRY(second, cursor.next());
        EXPECT_EQ(second->key, address(2));
        DRACO_TRY(third, cursor.next());
        EXPECT_EQ(third->key, address(3));
        DRACO_TRY(fourth, cursor.next());
        EXPECT_EQ(fourth->key, address(7));
        EXPECT_EQ(fourth->value.balance, 70U);
        DRACO_TRY(end, cursor.next());
        EXPECT_FALSE(end.has_value());
        return {};
    });
    EXPECT_TRUE(walked.has_value());
}

TEST(Database, BoundsAreErrorsNotSurprises) {
    // A key or value over its bound is InvalidArgument and writes nothing.
    auto writer = open_in_memory();
    const auto outcome = writer.commit([](Transaction<Ledger>& tx) -> Result<> {
        EXPECT_EQ(tx.put(kCache, std::string(kKeyBytesMax, 'x'), {}).error().code,
                  Errc::InvalidArgument);
        EXPECT_EQ(tx.put(kCache, "k", Bytes(kValueBytesMax)).error().code, Errc::InvalidArgument);
        EXPECT_TRUE(tx.pending().empty());
        return tx.put(kCache, std::string(kKeyBytesMax - 2, 'x'), Bytes(kValueBytesMax - 5));
    });
    EXPECT_TRUE(outcome.has_value());
}

TEST(Database, AFailedCommitPoisonsTheWriter) {
    // After the storage failed nobody knows what is durable: later commits say so, readers keep the
    // last good version, and opening again recovers.
    const auto shared = std::make_shared<FaultPlan>();
    auto writer =
        *open_database<Ledger>(std::make_unique<FaultyStorage>(open_memory_storage(), shared));
    ASSERT_TRUE(writer.commit([](auto& tx) { return set_balance(tx, 1, 1); }));
    shared->commits_until_failure = 0;
    const auto failed = writer.commit([](auto& tx) { return set_balance(tx, 1, 2); });
    EXPECT_EQ(failed.error().code, Errc::Io);
    shared->commits_until_failure = -1;
    const auto refused = writer.commit([](auto& tx) { return set_balance(tx, 1, 3); });
    EXPECT_EQ(refused.error().code, Errc::Unavailable);
    EXPECT_NE(refused.error().context.find("planned"), std::string::npos);
    EXPECT_EQ(balance(writer.reader().snapshot(), 1), 1U);
}

TEST(Database, AFailedSyncPoisonsTheWriter) {
    // Trying again could succeed although what was to be synced is lost.
    const auto plan = std::make_shared<FaultPlan>();
    auto writer =
        *open_database<Ledger>(std::make_unique<FaultyStorage>(open_memory_storage(), plan));
    ASSERT_TRUE(writer.commit([](auto& tx) { return set_balance(tx, 1, 1); }));
    plan->sync_fails = true;
    EXPECT_EQ(writer.sync().error().code, Errc::Io);
    plan->sync_fails = false;
    EXPECT_EQ(writer.sync().error().code, Errc::Unavailable);
    EXPECT_EQ(writer.commit([](auto& tx) { return set_balance(tx, 1, 2); }).error().code,
              Errc::Unavailable);
    EXPECT_EQ(balance(writer.reader().snapshot(), 1), 1U);
}

TEST(Database, DamagedValuesAreErrorsThatNameTheTable) {
    // Bytes that do not decode are Corrupt, with the table; nothing asserts.
    auto storage = open_memory_storage();
    Bytes key{kCache.kId};
    append(key, encode_key(std::string("k")));
    const Bytes damaged{5, 1};
    ASSERT_TRUE(storage->commit(std::vector<StorageWrite>{{key, damaged}}));
    const auto reader = *open_reader<Ledger>(std::move(storage));
    const auto value = reader.snapshot().get(kCache, "k");
    ASSERT_FALSE(value.has_value());
    EXPECT_EQ(value.error().code, Errc::Corrupt);
    EXPECT_NE(value.error().context.find("cache"), std::string::npos);
    EXPECT_FALSE(reader.snapshot().scan(kCache).next().has_value());
}

TEST(Database, ReopensWithItsRootAndRefusesAnotherSchema) {
    // Root and version survive; a missing table, a renamed one and a changed flag are refused; new
    // tables are added; read-only opens read.
    const TemporaryDirectory directory;
    const RocksOptions options{.path = directory.path()};
    StateRoot root;
    {
        auto writer = *open_database<Ledger>(*open_rocks_storage(options));
        root = writer.commit([](auto& tx) { return set_balance(tx, 1, 1); })->root;
    }
    {
        const auto reader = *open_reader<Ledger>(*open_rocks_storage_read_only(options));
        EXPECT_EQ(reader.snapshot().root(), root);
        EXPECT_EQ(reader.snapshot().version(), 1U);
        EXPECT_EQ(balance(reader.snapshot(), 1), 1U);
    }
    constexpr Table<1, "konten", Address, Account> kRenamed;
    constexpr Table<2, "positions", Position, std::uint32_t, Authenticated::No> kUnflagged;
    const auto code = []<class S>(S, std::unique_ptr<Storage> storage) {
        return open_database<S>(std::move(storage)).error().code;
    };
    EXPECT_EQ(code(Schema<kAccounts>(), *open_rocks_storage(options)), Errc::InvalidArgument);
    EXPECT_EQ(code(Schema<kRenamed, kPositions, kCache>(), *open_rocks_storage(options)),
              Errc::InvalidArgument);
    EXPECT_EQ(code(Schema<kAccounts, kUnflagged, kCache>(), *open_rocks_storage(options)),
              Errc::InvalidArgument);
    using Larger = Schema<kElsewhere, kAccounts, kPositions, kCache>;
    EXPECT_EQ(code(Larger(), *open_rocks_storage_read_only(options)), Errc::InvalidArgument);
    const auto larger = open_database<Larger>(*open_rocks_storage(options));
    ASSERT_TRUE(larger.has_value()) << to_string(larger.error());
    EXPECT_EQ(larger->reader().snapshot().root(), root);
}

TEST(Database, OpeningADamagedTreeIsCorrupt) {
    // A stored root that the pages do not have, and a damaged record, are found when opening.
    for (const bool wrong_root : {true, false}) {
        const TemporaryDirectory directory;
        const RocksOptions options{.path = directory.path()};
        {
            auto writer = *open_database<Ledger>(*open_rocks_storage(options));
            ASSERT_TRUE(writer.commit([](auto& tx) { return set_balance(tx, 1, 1); }));
        }
        {
            const auto storage = *open_rocks_storage(options);
            const Bytes state_key{0xFF, 2};
            Bytes scratch;
            Bytes state = to_bytes(**(*storage->snapshot())->get(state_key, scratch));
            if (wrong_root)
                state.back() ^= 1;
            else
                state.pop_back();
            ASSERT_TRUE(storage->commit(std::vector<StorageWrite>{{state_key, state}}));
        }
        const auto opened = open_database<Ledger>(*open_rocks_storage(options));
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, Errc::Corrupt) << to_string(opened.error());
    }
}

TEST(Database, ReadersRunDuringCommits) {
    // Threads read, scan, prove and simulate while commits go on: each snapshot is consistent in
    // itself. (Under tsan: no data race.)
    auto writer = open_in_memory();
    const auto set_both = [&](std::uint64_t value) {
        return writer.commit([&](Transaction<Ledger>& tx) -> Result<> {
            DRACO_TRY_VOID(set_balance(tx, 1, value));
            return set_balance(tx, 2, value);
        });
    };
    ASSERT_TRUE(set_both(0));
    std::atomic<bool> done = false;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&, reader = writer.reader()] {
            while (!done) {
                const auto snapshot = reader.snapshot();
                const std::uint64_t seen = balance(snapshot, 1);
                EXPECT_EQ(balance(snapshot, 2), seen);
                EXPECT_EQ(keys(snapshot.scan(kAccounts)).size(), 2U);
                const auto proof = snapshot.prove(kAccounts, address(2));
                EXPECT_TRUE(verify_present(
                    {snapshot.root()}, kAccounts, address(2), {seen, 0, "n"}, *proof));
            }
        });
    for (std::uint64_t i = 1; i < 300; ++i) ASSERT_TRUE(set_both(i));
    done = true;
}

}  // namespace
}  // namespace draco::atomo
