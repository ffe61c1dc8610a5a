#include "draco/simulon/fault_plan.hpp"
#include "draco/testing/seed.hpp"

#include "driver_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace draco::consensus::test {
namespace {

using simulon::Latency;
using simulon::World;

const simulon::LinkOptions kLan{.latency = Latency::uniform(milliseconds(1), milliseconds(5))};

// Of one unit, to itself.
Bytes transfer(const Cluster& cluster, std::size_t person, std::uint64_t nonce) {
    const auto& secret = cluster.people[person];
    const types::Address address = cluster.addresses[person];
    return bcs::encode(types::sign(
        cluster.genesis.chain,
        {address, types::Nonce(nonce), {1'000}, types::TransferFlk{address, types::FlkAmount{1}}},
        secret));
}

Result<> expect_executed(World& world, const Cluster& cluster, Duration limit) {
    auto done = world.run_until_true([&] { return all_executed(world, cluster); }, limit);
    if (!done) return fail(done.error().code, "not executed:\n" + describe(world, cluster));
    return no_violations(cluster);
}

void expect_sound(const simulon::ScenarioReport& report) {
    EXPECT_TRUE(report.verdict) << to_string(report) << "\n"
                                << (report.verdict ? "" : to_string(report.verdict.error()));
}

TEST(Driver, OrdersAndExecutesOnFourNodes) {
    // In calm weather every accepted transaction is executed on all nodes, submitted once; then the
    // nodes fall silent.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(expect_executed(world, *cluster, seconds(30)));
            if (cluster->resubmitted != 0) return fail(Errc::Corrupt, "a transaction got lost");
            DRACO_TRY_VOID(world.run_for(seconds(5)));
            std::uint64_t before = 0;
            for (std::size_t i = 0; i < 4; ++i) before += machine(world, i).messages_sent();
            DRACO_TRY_VOID(world.run_for(seconds(10)));
            std::uint64_t after = 0;
            for (std::size_t i = 0; i < 4; ++i) after += machine(world, i).messages_sent();
            if (before != after) return fail(Errc::Corrupt, "messages without payload");
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

PeerId peer(std::size_t index) {
    return PeerId(static_cast<std::uint32_t>(index));
}

std::uint64_t signed_by(const Cluster& cluster, std::size_t index, std::uint64_t epoch) {
    const auto found = cluster.audit.signatures.find({cluster.keys[index].public_key(), epoch});
    return found == cluster.audit.signatures.end() ? 0 : found->second;
}

interfaces::ConsensusRole role_of(World& world, std::size_t index) {
    return machine(world, index).driver().status().role;
}

// Faults of every kind, then health: everything is executed everywhere, and nobody broke a rule.
Result<> survive(World& world, const std::shared_ptr<Cluster>& cluster, Duration duration) {
    simulon::LinkOptions links = kLan;
    links.loss = 0.02;
    build(world, cluster, links, {.disk = {.sync_latency = milliseconds(2)}});
    simulon::FaultPlanOptions plan;
    plan.duration = duration;
    simulon::schedule_faults(world, simulon::draw_faults(world, plan), duration);
    DRACO_TRY_VOID(world.run_for(duration + seconds(1)));
    return expect_executed(world, *cluster, seconds(120));
}

void expect_survival(std::uint64_t seed) {
    expect_sound(simulon::run_seeds(
        [](World& world) -> Result<> {
            return survive(world, make_cluster({.transactions_each = 40}), seconds(5));
        },
        testing::test_seed(seed),
        testing::scaled(1)));
}

TEST(Driver, SurvivesCrashesLossAndPartitions) {
    // One node at a time crashes, stalls or is cut off, messages vanish, disks are slow: agreement,
    // no second vote or header in any life, and in the end every transaction is executed. Twice, to
    // the same byte.
    expect_survival(1);
}

TEST(Driver, SurvivesOtherCrashesLossAndPartitions) {
    // The same from another seed, beside it.
    expect_survival(3);
}

TEST(Driver, ChangesEpochsAndCommittees) {
    // Five nodes, four seats: epochs end by the members' own signals, the drawn committee takes
    // over, whoever is not in it follows, and transactions that were void with an epoch are
    // executed in a later one.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster(
                {.machines = 5, .people = 5, .epoch_ms = 2'000, .transactions_each = 30});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 0) >= 4; }, seconds(60)));
            DRACO_TRY_VOID(expect_executed(world, *cluster, seconds(60)));
            const auto view = machine(world, 0).ledger().view();
            std::set<std::vector<types::NodeKey>> committees;
            for (std::uint64_t epoch = 0; epoch <= 4; ++epoch) {
                const auto committee = view->committee(types::Epoch(epoch)).value().value();
                committees.emplace(committee.members().begin(), committee.members().end());
                for (std::size_t i = 0; i < 5; ++i) {
                    const bool is_member =
                        committee.index_of(cluster->keys[i].public_key()).has_value();
                    if (epoch < 4 && is_member != (signed_by(*cluster, i, epoch) > 0))
                        return fail(Errc::Corrupt,
                                    "who signs in epoch " + std::to_string(epoch) + ": " +
                                        describe(world, *cluster));
                }
            }
            if (committees.size() < 2) return fail(Errc::Corrupt, "one committee all the time");
            for (std::size_t i = 0; i < 5; ++i)
                if (world.disk(peer(i)).exists("consensus/epoch-0").value_or(true) &&
                    epoch_of(world, i) >= 2)
                    return fail(Errc::Corrupt, "the log of an old epoch is still there");
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

void expect_epochs_through_faults(std::uint64_t seed) {
    expect_sound(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster(
                {.machines = 5, .people = 5, .epoch_ms = 2'000, .transactions_each = 30});
            DRACO_TRY_VOID(survive(world, cluster, seconds(5)));
            const std::uint64_t epoch = epoch_of(world, 0);
            auto goes_on =
                world.run_until_true([&] { return epoch_of(world, 0) >= epoch + 2; }, seconds(60));
            if (!goes_on)
                return fail(Errc::Corrupt, "epochs stopped:\n" + describe(world, *cluster));
            return no_violations(*cluster);
        },
        testing::test_seed(seed),
        testing::scaled(1)));
}

TEST(Driver, ChangesEpochsThroughFaults) {
    // Epochs go on ending while nodes crash and links break.
    expect_epochs_through_faults(20);
}

TEST(Driver, ChangesEpochsThroughOtherFaults) {
    // The same from another seed, beside it.
    expect_epochs_through_faults(22);
}

TEST(Driver, ARestartInEveryPhaseOfAnEpochsChangeEndsInTheRightEpoch) {
    // A member loses its power at each change that it makes on its disk around the ends of two
    // epochs. In its next life it gets to the epoch of the others, and signs there: no crash makes
    // it an observer, and nothing is signed twice.
    std::uint64_t changes = 0;
    bool all_phases = false;
    for (std::uint64_t change = 1; !all_phases; ++change) {
        expect_sound(simulon::run(
            [&](World& world) -> Result<> {
                const auto cluster = make_cluster({.epoch_ms = 1'000, .transactions_each = 2});
                build(world, cluster, kLan);
                DRACO_TRY_VOID(world.run_for(milliseconds(950)));
                const std::uint64_t before = world.disk(peer(2)).change_count();
                world.disk(peer(2)).crash_at_change(change);
                const auto crashed_or_beyond = [&] {
                    return !world.running(peer(2)) || epoch_of(world, 0) >= 2;
                };
                DRACO_TRY_VOID(world.run_until_true(crashed_or_beyond, seconds(20)));
                all_phases = world.running(peer(2));
                if (all_phases) changes = world.disk(peer(2)).change_count() - before;
                if (all_phases) return no_violations(*cluster);
                DRACO_TRY_VOID(world.run_for(milliseconds(change % 3 * 100)));
                world.start(peer(2));
                const std::uint64_t next = epoch_of(world, 0) + 2;
                const auto all_there = [&] {
                    for (std::size_t i = 0; i < 4; ++i)
                        if (epoch_of(world, i) < next) return false;
                    return true;
                };
                const auto there = world.run_until_true(all_there, seconds(30));
                if (!there) return fail(Errc::Corrupt, describe(world, *cluster));
                for (std::uint64_t epoch = 0; epoch < next; ++epoch)
                    if (signed_by(*cluster, 2, epoch) == 0)
                        return fail(Errc::Corrupt,
                                    "it signed nothing in epoch " + std::to_string(epoch) + ":\n" +
                                        describe(world, *cluster));
                return no_violations(*cluster);
            },
            change));
        if (HasFailure()) FAIL() << "after a crash at change " << change;
    }
    RecordProperty("changes", static_cast<int>(changes));
    EXPECT_GT(changes, 10U);
}

TEST(Driver, AMemberThatComesLateSigns) {
    // Away while an epoch began, it finds the epoch under way, without a log of it: it knows that
    // it has signed nothing there, and takes part.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.epoch_ms = 2'000, .transactions_each = 40});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            world.crash(peer(2));
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 0) == 1; }, seconds(20)));
            DRACO_TRY_VOID(world.run_for(milliseconds(500)));
            world.start(peer(2));
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 0) == 2; }, seconds(20)));
            if (signed_by(*cluster, 2, 1) == 0)
                return fail(Errc::Corrupt, "it did not sign:\n" + describe(world, *cluster));
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

TEST(Driver, SurvivesThePowerCutOfAll) {
    // All nodes stop at once, again and again, with logs half written, also while epochs change:
    // all are members again at once, and go on.
    expect_sound(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.epoch_ms = 1'500, .transactions_each = 60});
            build(world, cluster, kLan, {.disk = {.sync_latency = milliseconds(1)}});
            simulon::SeededRng rng = world.rng("power cuts");
            for (int cut = 0; cut < 6; ++cut) {
                DRACO_TRY_VOID(world.run_for(
                    milliseconds(static_cast<std::int64_t>(rng.between(300, 1'200)))));
                for (std::size_t i = 0; i < 4; ++i) world.crash(peer(i));
                DRACO_TRY_VOID(world.run_for(milliseconds(100)));
                for (std::size_t i = 0; i < 4; ++i) world.start(peer(i));
            }
            return expect_executed(world, *cluster, seconds(120));
        },
        testing::test_seed(40),
        testing::scaled(2)));
}

TEST(Driver, TheLastBlockIsCertifiedAfterThePowerCutOfAll) {
    // All stop when they have executed the last block of an epoch and, links being slow, none has a
    // certificate of it: in the next life it gets one of its own.
    expect_sound(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.epoch_ms = 1'500, .transactions_each = 30});
            build(
                world, cluster, {.latency = Latency::uniform(milliseconds(20), milliseconds(22))});
            const auto all_ended = [&] {
                for (std::size_t i = 0; i < 4; ++i)
                    if (epoch_of(world, i) == 0) return false;
                return true;
            };
            DRACO_TRY_VOID(world.run_until_true(all_ended, seconds(20)));
            for (std::size_t i = 0; i < 4; ++i) world.crash(peer(i));
            DRACO_TRY_VOID(world.run_for(milliseconds(100)));
            for (std::size_t i = 0; i < 4; ++i) world.start(peer(i));
            DRACO_TRY_VOID(world.run_for(seconds(2)));
            DRACO_TRY_VOID(expect_executed(world, *cluster, seconds(60)));
            std::size_t certified = 0;
            std::string text;
            for (const Home& home : cluster->homes) {
                std::optional<interfaces::ArchivedBlock> last;
                for (const Bytes& bytes : home.archive) {
                    auto archived = bcs::decode<interfaces::ArchivedBlock>(bytes).value();
                    if (archived.block.epoch.value() > 0) break;
                    last = std::move(archived);
                }
                const std::uint64_t height = last->block.height.value();
                const auto found = home.certified.find(height);
                const bool has_it =
                    found != home.certified.end() &&
                    found->second == types::digest_of(cluster->genesis.chain, last->block);
                certified += has_it ? 1 : 0;
                text += " " + std::to_string(height) + (has_it ? "+" : "-");
            }
            // Who got the block itself from a peer needs no certificate of it.
            if (certified == 0)
                return fail(
                    Errc::Corrupt,
                    "no certificate of the last block:" + text + "\n" + describe(world, *cluster));
            return no_violations(*cluster);
        },
        testing::test_seed(60),
        testing::scaled(2)));
}

// A member that comes back unfit to sign executes everything, signs nothing in this epoch, and is a
// member again in the next one.
Result<> expect_observer(World& world, Cluster& cluster, std::size_t index) {
    const std::uint64_t before = signed_by(cluster, index, 0);
    world.start(peer(index));
    DRACO_TRY_VOID(world.run_for(seconds(1)));
    if (role_of(world, index) != interfaces::ConsensusRole::Observer)
        return fail(Errc::Corrupt, "it signs:\n" + describe(world, cluster));
    if (machine(world, index).driver().submit(types::TransactionBytes::make(Bytes(200)).value()))
        return fail(Errc::Corrupt, "an observer takes transactions");
    DRACO_TRY_VOID(expect_executed(world, cluster, seconds(60)));
    if (signed_by(cluster, index, 0) != before) return fail(Errc::Corrupt, "it signed");
    DRACO_TRY_VOID(world.run_until_true(
        [&] {
            return epoch_of(world, index) >= 1 &&
                   role_of(world, index) == interfaces::ConsensusRole::Member;
        },
        seconds(60)));
    return no_violations(cluster);
}

Result<std::shared_ptr<Cluster>> started(World& world) {
    const auto cluster = make_cluster({.epoch_ms = 5'000, .transactions_each = 80});
    build(world, cluster, kLan);
    DRACO_TRY_VOID(world.run_for(seconds(1)));
    return cluster;
}

TEST(Driver, ADamagedLogMakesAnObserver) {
    // A flipped bit amid the log: it is set aside, not trusted.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            DRACO_TRY(cluster, started(world));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            auto& disk = world.disk(peer(2));
            disk.restart();
            DRACO_TRY(files, disk.list("consensus/epoch-0"));
            DRACO_TRY_VOID(disk.flip_bit("consensus/epoch-0/" + files.back().name, 9'000 * 8));
            disk.crash();
            DRACO_TRY_VOID(expect_observer(world, *cluster, 2));
            DRACO_TRY(aside, disk.exists("consensus/epoch-0.aside-1"));
            return aside ? Result<>{} : fail(Errc::NotFound, "the damaged log is gone");
        },
        testing::test_seed(1)));
}

TEST(Driver, AMissingLogMakesAnObserver) {
    // A home without its log may be a wiped one: it does not sign in the epoch that runs.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            DRACO_TRY(cluster, started(world));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            auto& disk = world.disk(peer(2));
            disk.restart();
            DRACO_TRY_VOID(disk.rename("consensus", "elsewhere"));
            DRACO_TRY_VOID(disk.sync_directory(""));
            disk.crash();
            return expect_observer(world, *cluster, 2);
        },
        testing::test_seed(1)));
}

TEST(Driver, ALostLogMakesAnObserver) {
    // The home knows that it has signed in the epoch, and what it signed is gone.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            DRACO_TRY(cluster, started(world));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            auto& disk = world.disk(peer(2));
            disk.restart();
            DRACO_TRY_VOID(disk.rename("consensus/epoch-0", "elsewhere"));
            DRACO_TRY_VOID(disk.sync_directory("consensus"));
            DRACO_TRY_VOID(disk.sync_directory(""));
            disk.crash();
            return expect_observer(world, *cluster, 2);
        },
        testing::test_seed(1)));
}

TEST(Driver, AKeyThatSignedElsewhereMakesAnObserver) {
    // The operator says that the home was restored: its log is not trusted, sound as it is.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            DRACO_TRY(cluster, started(world));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            cluster->homes[2].signed_elsewhere = true;
            return expect_observer(world, *cluster, 2);
        },
        testing::test_seed(1)));
}

TEST(Driver, AWipedHomeSignsOnlyInEpochsThatBeginAfterItsStart) {
    // Only the key is left. On its way through the chain the member executes the block before the
    // epoch in which it has signed, when it cannot know yet that there are blocks of that epoch.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.epoch_ms = 5'000, .transactions_each = 400});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 2) == 1; }, seconds(20)));
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            auto& disk = world.disk(peer(2));
            disk.restart();
            DRACO_TRY_VOID(disk.rename("consensus", "elsewhere"));
            DRACO_TRY_VOID(disk.sync_directory(""));
            disk.crash();
            Home& home = cluster->homes[2];
            home.archive.clear();
            home.certificate.reset();
            home.certified.clear();
            const std::uint64_t before = signed_by(*cluster, 2, 1);
            if (before == 0) return fail(Errc::Corrupt, "it has not signed yet");
            world.start(peer(2));
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 2) == 1; }, seconds(2)));
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            if (epoch_of(world, 2) != 1 ||
                role_of(world, 2) != interfaces::ConsensusRole::Observer ||
                signed_by(*cluster, 2, 1) != before)
                return fail(Errc::Corrupt, "it signs:\n" + describe(world, *cluster));
            DRACO_TRY_VOID(world.run_until_true(
                [&] { return role_of(world, 2) == interfaces::ConsensusRole::Member; },
                seconds(30)));
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

TEST(Driver, AnOldLogIsFoundOut) {
    // A sound log from a backup lacks own headers that were certified since: the first of their
    // certificates makes the member an observer.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            DRACO_TRY(cluster, started(world));
            auto& disk = world.disk(peer(2));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            disk.restart();
            std::map<std::string, Bytes> backup;
            DRACO_TRY(files, disk.list("consensus/epoch-0"));
            for (const DirectoryEntry& entry : files) {
                DRACO_TRY(file, disk.open("consensus/epoch-0/" + entry.name, OpenMode::Read));
                Bytes bytes(std::min<std::uint64_t>(file->size().value(), 8 << 20));
                DRACO_TRY(read, file->read_at(0, bytes));
                bytes.resize(read);
                backup[entry.name] = std::move(bytes);
            }
            disk.crash();
            world.start(peer(2));
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            world.crash(peer(2));
            DRACO_TRY_VOID(world.run_for(milliseconds(10)));
            disk.restart();
            for (const auto& [name, bytes] : backup) {
                DRACO_TRY(file, disk.open("consensus/epoch-0/" + name, OpenMode::Create));
                DRACO_TRY_VOID(file->write_at(0, bytes));
                DRACO_TRY_VOID(file->sync());
            }
            disk.crash();
            world.start(peer(2));
            DRACO_TRY_VOID(world.run_until_true(
                [&] { return role_of(world, 2) == interfaces::ConsensusRole::Observer; },
                seconds(5)));
            const std::uint64_t before = signed_by(*cluster, 2, 0);
            DRACO_TRY_VOID(world.run_for(seconds(3)));
            if (signed_by(*cluster, 2, 0) != before) return fail(Errc::Corrupt, "it signed");
            return {};
        },
        testing::test_seed(1)));
}

TEST(Driver, AMemberWhoseClockIsAheadLeavesTransactionsToOthers) {
    // The others hold its headers back, so it says Unavailable, what its own clients submit is
    // executed all the same, and once the clock is right it takes transactions again.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.transactions_each = 400});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            const auto outcome = [&] {
                return machine(world, 2).driver().submit(
                    types::TransactionBytes::make(Bytes(200)).value());
            };
            if (!outcome()) return fail(Errc::Corrupt, "it is a member like others");
            world.step_wall_clock(peer(2), seconds(3));
            const auto nonce = [&] {
                return machine(world, 0)
                    .ledger()
                    .view()
                    ->account(cluster->addresses[2])
                    .value()
                    .nonce.value();
            };
            DRACO_TRY_VOID(world.run_for(seconds(2)));
            const auto refused = outcome();
            if (refused || refused.error().code != Errc::Unavailable ||
                refused.error().context.find("clock") == std::string::npos)
                return fail(Errc::Corrupt, "it takes what will wait");
            if (role_of(world, 2) != interfaces::ConsensusRole::Member)
                return fail(Errc::Corrupt, "it is a member still");
            const std::uint64_t before = nonce();
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            if (nonce() < before + 5) return fail(Errc::Corrupt, "its clients wait");
            world.step_wall_clock(peer(2), -seconds(3));
            DRACO_TRY_VOID(world.run_until_true([&] { return outcome().has_value(); }, seconds(2)));
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

TEST(Driver, ADiskThatFailsStopsTheMember) {
    // An error of the log is escalated; from then on nothing is sent, and the others go on.
    for (const bool is_full : {false, true})
        expect_sound(simulon::run_twice(
            [is_full](World& world) -> Result<> {
                DRACO_TRY(cluster, started(world));
                world.disk(peer(1)).set_options(is_full ? simulon::DiskOptions{.write_error = 1}
                                                        : simulon::DiskOptions{.sync_error = 1});
                DRACO_TRY_VOID(world.run_until_true(
                    [&] { return !machine(world, 1).escalations().empty(); }, seconds(10)));
                const std::uint64_t before = signed_by(*cluster, 1, 0);
                const std::uint64_t height = height_of(world, 0);
                DRACO_TRY_VOID(world.run_for(seconds(3)));
                if (signed_by(*cluster, 1, 0) != before) return fail(Errc::Corrupt, "it signed");
                if (role_of(world, 1) == interfaces::ConsensusRole::Member)
                    return fail(Errc::Corrupt, "it says that it signs");
                if (height_of(world, 0) <= height) return fail(Errc::Corrupt, "the others stopped");
                return no_violations(*cluster);
            },
            testing::test_seed(1)));
}

TEST(Forwarder, RefusesWhatAStandingCommitteeCannotExecute) {
    // Alone, a member executes nothing: it takes what fits, tells everybody else that it is busy,
    // and holds no more than its bound. What it has taken is executed when the others are back.
    constexpr std::size_t kPeople = 130;
    constexpr std::uint64_t kNonces = 60;
    expect_sound(simulon::run(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.people = kPeople, .transactions_each = 0});
            cluster->parameters.own_bytes_max = std::size_t{1} << 20;
            build(world, cluster, kLan);
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            for (std::size_t i = 1; i < 4; ++i) world.crash(peer(i));
            std::map<Errc, std::size_t> refused;
            std::map<std::size_t, std::uint64_t> taken;  // highest nonce by person
            for (std::uint64_t nonce = 1; nonce <= kNonces; ++nonce)
                for (std::size_t person = 0; person < kPeople; ++person) {
                    machine(world, 0).forwarder().submit(transfer(*cluster, person, nonce),
                                                         [&, person, nonce](auto answer) {
                                                             if (answer)
                                                                 taken[person] = nonce;
                                                             else
                                                                 ++refused[answer.error().code];
                                                         });
                    if (person % 10 == 0) DRACO_TRY_VOID(world.run_for(milliseconds(1)));
                    const auto status = machine(world, 0).driver().status();
                    // A batch takes a little more than its transactions.
                    if (status.transactions_waiting_bytes >
                        cluster->parameters.own_bytes_max + cluster->parameters.batch_bytes)
                        return fail(Errc::Corrupt, "it holds more than it may");
                }
            DRACO_TRY_VOID(world.run_for(seconds(20)));
            if (refused[Errc::Exhausted] < 100 || refused.size() != 1)
                return fail(Errc::Corrupt, "who is busy says so, and nothing else");
            for (std::size_t i = 1; i < 4; ++i) world.start(peer(i));
            const auto executed = [&] {
                const auto view = machine(world, 0).ledger().view();
                return std::ranges::all_of(taken, [&](const auto& each) {
                    const auto account = view->account(cluster->addresses[each.first]);
                    return account->nonce.value() >= each.second;
                });
            };
            for (std::size_t i = 0; i < 60 && !executed(); ++i)
                DRACO_TRY_VOID(world.run_for(seconds(1)));
            if (!executed())
                return fail(Errc::Corrupt, "not executed:\n" + describe(world, *cluster));
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

TEST(Forwarder, AnswersOnceAndSaysWhy) {
    // A node that is cut off says Unavailable within the deadline, a bad transaction gets admit's
    // error, a good one its hash, and a node outside the committee gets it to a member.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.machines = 5, .people = 5, .transactions_each = 0});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            std::size_t outside = 0;
            while (role_of(world, outside) == interfaces::ConsensusRole::Member) ++outside;
            std::vector<Result<types::TransactionHash>> answers;
            const auto submit = [&](Bytes bytes) {
                machine(world, outside).forwarder().submit(std::move(bytes), [&](auto answer) {
                    answers.push_back(std::move(answer));
                });
            };
            submit(transfer(*cluster, 0, 1));
            submit({1, 2, 3});
            DRACO_TRY_VOID(world.run_for(seconds(2)));
            if (answers.size() != 2) return fail(Errc::Corrupt, "two answers were due");
            const auto receipts = [&](std::size_t index) {
                const auto address = crypto::ethereum_address(cluster->people[0].public_key());
                return machine(world, index).ledger().view()->account(address)->nonce.value();
            };
            if (receipts(outside) != 1) return fail(Errc::Corrupt, "it was not executed");
            if (answers[0].has_value() == answers[1].has_value())
                return fail(Errc::Corrupt, "one is good and one is bad");
            const std::vector<std::vector<PeerId>> alone = {{peer(outside)}};
            for (const auto kind : {World::Partition::Noticed, World::Partition::Silent}) {
                answers.clear();
                world.partition(alone, kind);
                submit(transfer(*cluster, 1, 1));
                DRACO_TRY_VOID(world.run_for(seconds(20)));
                if (answers.size() != 1 || answers[0] ||
                    answers[0].error().code != Errc::Unavailable)
                    return fail(Errc::Corrupt, "cut off, it must say Unavailable");
                world.heal();
                DRACO_TRY_VOID(world.run_for(seconds(1)));
            }
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

}  // namespace
}  // namespace draco::consensus::test
