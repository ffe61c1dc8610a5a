// SimulatedDisk against the contract of draco/base/disk.hpp. What may survive a crash is enumerated
// by naive models; the disk must always be inside that set and, over many seeds, reach all of it.

#include "draco/simulon/disk.hpp"

#include "draco/base/rng.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace draco::simulon {
namespace {

std::unique_ptr<File> open_file(Disk& disk, std::string_view path, OpenMode mode) {
    auto file = disk.open(path, mode);
    EXPECT_TRUE(file) << path << ": " << to_string(file.error());
    return file ? *std::move(file) : nullptr;
}

void write(Disk& disk, std::string_view path, std::uint64_t offset, std::string_view text) {
    ASSERT_TRUE(open_file(disk, path, OpenMode::Create)->write_at(offset, as_bytes(text)));
}

void sync(Disk& disk, std::string_view path) {
    ASSERT_TRUE(open_file(disk, path, OpenMode::ReadWrite)->sync());
}

std::string read_all(Disk& disk, std::string_view path) {
    const auto file = open_file(disk, path, OpenMode::Read);
    Bytes bytes(static_cast<std::size_t>(file->size().value()));
    EXPECT_EQ(file->read_at(0, bytes).value(), bytes.size());
    return std::string(as_text(bytes));
}

void crash_and_restart(SimulatedDisk& disk) {
    disk.crash();
    disk.restart();
}

// ---- What survives in a file -------------------------------------------------------------------

struct DataChange {
    bool is_resize;
    std::uint64_t offset;  // or the new size
    std::string text;
};

void apply(std::string& content, const DataChange& change) {
    if (change.is_resize) {
        content.resize(change.offset, '\0');
    } else if (!change.text.empty()) {
        content.resize(std::max(content.size(), change.offset + change.text.size()), '\0');
        content.replace(change.offset, change.text.size(), change.text);
    }
}

// Every content the file may have after a crash: each change whole, lost, or any set of its
// sectors.
std::set<std::string> allowed_contents(const std::string& durable,
                                       const std::vector<DataChange>& changes) {
    std::set<std::string> states{durable};
    for (const DataChange& change : changes) {
        std::vector<DataChange> pieces;
        for (std::size_t done = 0; done < change.text.size();) {
            const std::uint64_t at = change.offset + done;
            const std::size_t length =
                std::min<std::size_t>(512 - at % 512, change.text.size() - done);
            pieces.push_back({false, at, change.text.substr(done, length)});
            done += length;
        }
        if (change.is_resize) pieces.push_back(change);
        for (const DataChange& piece : pieces) {
            std::set<std::string> next = states;
            for (std::string content : states) {
                apply(content, piece);
                next.insert(std::move(content));
            }
            states = std::move(next);
        }
    }
    return states;
}

DataChange random_change(Rng& rng, char letter) {
    if (rng.below(4) == 0) return {true, rng.below(1500), ""};
    const std::uint64_t offset = rng.below(1500);
    return {false, offset, std::string(1 + rng.below(700), letter)};
}

// Proves that unsynced writes and truncations survive in exactly the ways the contract allows.
TEST(SimulatedDisk, FileContentAfterACrashIsWhatTheModelAllowsAndAllOfIt) {
    SeededRng rng(testing::test_seed(1));
    for (std::uint64_t round = 0; round < testing::scaled(40); ++round) {
        const std::string durable(rng.below(1200), 'd');
        std::vector<DataChange> changes;
        for (const char letter : {'a', 'b', 'c'}) changes.push_back(random_change(rng, letter));
        const std::set<std::string> allowed = allowed_contents(durable, changes);
        std::set<std::string> seen;
        for (std::uint64_t seed = 0; seed < 20000 && seen.size() < allowed.size(); ++seed) {
            SimulatedDisk disk(seed);
            write(disk, "f", 0, durable);
            sync(disk, "f");
            ASSERT_TRUE(disk.sync_directory(""));
            const auto file = open_file(disk, "f", OpenMode::ReadWrite);
            for (const DataChange& change : changes)
                ASSERT_TRUE(change.is_resize
                                ? file->truncate(change.offset)
                                : file->write_at(change.offset, as_bytes(change.text)));
            crash_and_restart(disk);
            const std::string content = read_all(disk, "f");
            ASSERT_TRUE(allowed.contains(content)) << "seed " << seed;
            seen.insert(content);
        }
        EXPECT_EQ(seen.size(), allowed.size()) << "round " << round;
    }
}

// ---- What survives of names --------------------------------------------------------------------

// A name change in the model: names are whole paths, contents stand for files.
struct NameChange {
    std::string from;  // freed, if not empty
    std::string to;    // taken, if not empty
    bool durable = false;
};

std::string directory_of(const std::string& path) {
    return path.contains('/') ? path.substr(0, path.find('/')) : "";
}

bool share_a_name(const NameChange& a, const NameChange& b) {
    const auto touches = [&](const std::string& name) {
        return !name.empty() && (name == b.from || name == b.to);
    };
    return touches(a.from) || touches(a.to);
}

using Names = std::map<std::string, std::string>;

// Changes in order, each with the content of a file it creates ("" if it moves one).
struct NameHistory {
    std::vector<NameChange> changes;
    std::vector<std::string> created;

    // Every state after a crash: any set of changes that holds the durable ones and, with a change,
    // all earlier changes of its names.
    std::set<Names> allowed() const {
        std::set<Names> states;
        for (std::uint32_t chosen = 0; chosen < (1U << changes.size()); ++chosen)
            if (is_closed(chosen)) states.insert(replay(chosen));
        return states;
    }

    void sync(const std::string& directory) {
        for (NameChange& change : changes) {
            const std::string& name = change.to.empty() ? change.from : change.to;
            if (directory_of(name) == directory) change.durable = true;
        }
        for (std::size_t later = changes.size(); later-- > 0;)
            for (std::size_t earlier = 0; earlier < later; ++earlier)
                if (changes[later].durable && share_a_name(changes[earlier], changes[later]))
                    changes[earlier].durable = true;
    }

private:
    bool is_closed(std::uint32_t chosen) const {
        const auto has = [&](std::size_t i) { return (chosen >> i & 1) != 0; };
        for (std::size_t later = 0; later < changes.size(); ++later) {
            if (changes[later].durable && !has(later)) return false;
            for (std::size_t earlier = 0; earlier < later; ++earlier)
                if (has(later) && !has(earlier) && share_a_name(changes[earlier], changes[later]))
                    return false;
        }
        return true;
    }

    Names replay(std::uint32_t chosen) const {
        Names names;
        for (std::size_t i = 0; i < changes.size(); ++i) {
            if ((chosen >> i & 1) == 0) continue;
            std::string content = created[i];
            if (!changes[i].from.empty()) {
                if (content.empty()) content = names[changes[i].from];
                names.erase(changes[i].from);
            }
            if (!changes[i].to.empty()) names[changes[i].to] = content;
        }
        return names;
    }
};

// One random, valid change of names among few, made on the disk and noted in the history.
void random_name_change(Rng& rng, SimulatedDisk& disk, Names& now, NameHistory& history) {
    const std::array<std::string, 4> all{"a", "b", "d/a", "d/b"};
    const std::string name = all[rng.below(all.size())];
    if (!now.contains(name)) {
        const std::string content = "file " + std::to_string(history.changes.size());
        write(disk, name, 0, content);
        sync(disk, name);
        now[name] = content;
        history.changes.push_back({"", name});
        history.created.push_back(content);
        return;
    }
    history.created.emplace_back();
    const std::string target = all[rng.below(all.size())];
    if (target == name) {
        ASSERT_TRUE(disk.remove(name));
        history.changes.push_back({name, ""});
    } else {
        ASSERT_TRUE(disk.rename(name, target));
        now[target] = now[name];
        history.changes.push_back({name, target});
    }
    now.erase(name);
}

Names names_on(SimulatedDisk& disk) {
    Names names;
    for (const std::string directory : {"", "d"}) {
        if (!disk.exists(directory).value()) continue;
        for (const DirectoryEntry& entry : disk.list(directory).value()) {
            const std::string path = directory.empty() ? entry.name : directory + "/" + entry.name;
            if (!entry.is_directory) names[path] = read_all(disk, path);
        }
    }
    return names;
}

// Proves that unsynced creations, renames and removals in two directories survive in exactly the
// ways the contract allows, with syncs of directories in between.
TEST(SimulatedDisk, NamesAfterACrashAreWhatTheModelAllowsAndAllOfIt) {
    const std::uint64_t first = testing::test_seed(1);
    for (std::uint64_t round = 0; round < testing::scaled(150); ++round) {
        std::set<Names> allowed;
        std::set<Names> seen;
        for (std::uint64_t seed = 0; seed < 4000; ++seed) {
            SimulatedDisk disk(seed);
            ASSERT_TRUE(disk.create_directory("d"));
            ASSERT_TRUE(disk.sync_directory(""));
            SeededRng rng = SeededRng(first).fork("names", round);
            Names now;
            NameHistory history;
            for (int step = 0; step < 6; ++step) {
                random_name_change(rng, disk, now, history);
                if (rng.below(5) != 0) continue;
                const std::string directory = rng.below(2) == 0 ? "" : "d";
                ASSERT_TRUE(disk.sync_directory(directory));
                history.sync(directory);
            }
            ASSERT_EQ(names_on(disk), now);
            if (allowed.empty()) allowed = history.allowed();
            crash_and_restart(disk);
            const Names after = names_on(disk);
            ASSERT_TRUE(allowed.contains(after)) << "round " << round << " seed " << seed;
            seen.insert(after);
            if (seen.size() == allowed.size()) break;
        }
        EXPECT_EQ(seen.size(), allowed.size()) << "round " << round;
    }
}

// Counts over many seeds in how many crashes `holds` is true of the disk that `prepare` left.
template <class Prepare, class Holds>
int crashes_where(Prepare prepare, Holds holds, int seeds = 200) {
    int count = 0;
    for (int seed = 0; seed < seeds; ++seed) {
        SimulatedDisk disk(static_cast<std::uint64_t>(seed));
        prepare(disk);
        crash_and_restart(disk);
        if (holds(disk)) ++count;
    }
    return count;
}

// Proves that syncing a file and its directory is not enough when the directory's own name was
// never synced, and that syncing its parent too is.
TEST(SimulatedDisk, ADirectoryIsNamedByItsParent) {
    const auto prepare = [](SimulatedDisk& disk) {
        ASSERT_TRUE(disk.create_directory("d"));
        write(disk, "d/f", 0, "x");
        sync(disk, "d/f");
        ASSERT_TRUE(disk.sync_directory("d"));
    };
    const auto prepare_all = [&](SimulatedDisk& disk) {
        prepare(disk);
        ASSERT_TRUE(disk.sync_directory(""));
    };
    const auto holds = [](SimulatedDisk& disk) { return disk.exists("d/f").value(); };
    EXPECT_LT(crashes_where(prepare, holds), 200);
    EXPECT_EQ(crashes_where(prepare_all, holds), 200);
}

// Proves that no crash loses a durable file that was moved into a new directory, whether or not the
// directory survives, nor one that was moved out of a directory that was then removed.
TEST(SimulatedDisk, AMovedFileIsNeverLost) {
    const auto prepare = [](SimulatedDisk& disk) {
        ASSERT_TRUE(disk.create_directory("old"));
        for (const std::string name : {"f", "old/g"}) write(disk, name, 0, "x"), sync(disk, name);
        ASSERT_TRUE(disk.sync_directory("old"));
        ASSERT_TRUE(disk.sync_directory(""));
        ASSERT_TRUE(disk.create_directory("new/deep"));
        ASSERT_TRUE(disk.rename("f", "new/deep/f"));
        ASSERT_TRUE(disk.rename("old/g", "g"));
        ASSERT_TRUE(disk.remove_directory("old"));
    };
    const auto exactly_one = [](SimulatedDisk& disk, const char* a, const char* b) {
        return disk.exists(a).value() != disk.exists(b).value();
    };
    EXPECT_EQ(crashes_where(prepare,
                            [&](SimulatedDisk& disk) {
                                return exactly_one(disk, "f", "new/deep/f") &&
                                       exactly_one(disk, "old/g", "g");
                            }),
              200);
    const auto sync_target = [&](SimulatedDisk& disk) {
        prepare(disk);
        ASSERT_TRUE(disk.sync_directory("new/deep"));
    };
    EXPECT_EQ(crashes_where(sync_target,
                            [](SimulatedDisk& disk) { return disk.exists("new/deep/f").value(); }),
              200);
}

// Proves that write-new, sync, rename, sync directory replaces a file atomically at every point
// where a crash can fall, and that leaving out the sync of the data is found.
TEST(SimulatedDisk, AtomicReplaceSurvivesACrashAtEveryChange) {
    const auto replace = [](Disk& disk, std::string_view text, bool sync_data) -> Result<> {
        DRACO_TRY(file, disk.open("new", OpenMode::Truncate));
        DRACO_TRY_VOID(file->write_at(0, as_bytes(text)));
        if (sync_data) DRACO_TRY_VOID(file->sync());
        DRACO_TRY_VOID(disk.rename("new", "current"));
        return disk.sync_directory("");
    };
    const auto broken_states = [&](bool sync_data) {
        int broken = 0;
        for (std::uint64_t seed = 0; seed < 60; ++seed)
            for (std::uint64_t n = 1; n <= 6; ++n) {
                SimulatedDisk disk(seed);
                EXPECT_TRUE(replace(disk, "old", true));
                disk.crash_at_change(n);
                const bool done = replace(disk, "new", sync_data).has_value();
                EXPECT_EQ(disk.crashed(), !done);
                crash_and_restart(disk);
                const std::string text = read_all(disk, "current");
                if (text != "new" && (done || text != "old")) ++broken;
            }
        return broken;
    };
    EXPECT_EQ(broken_states(true), 0);
    EXPECT_GT(broken_states(false), 0);
}

// ---- Behaviour while running -------------------------------------------------------------------

// Proves that random reads, writes, truncations and syncs read back like a byte string.
TEST(SimulatedDisk, RunningFileReadsLikeAByteString) {
    SeededRng rng(testing::test_seed(1));
    SimulatedDisk disk(1);
    const auto file = open_file(disk, "f", OpenMode::CreateNew);
    std::string model;
    for (std::uint64_t step = 0; step < testing::scaled(3000); ++step) {
        const std::uint64_t offset = rng.below(40000);
        const auto text = std::string(rng.below(9000), static_cast<char>('a' + rng.below(26)));
        switch (rng.below(8)) {
            case 0:
                apply(model, {true, offset, ""});
                ASSERT_TRUE(file->truncate(offset));
                break;
            case 1:
                apply(model, {true, std::max<std::uint64_t>(offset, model.size()), ""});
                ASSERT_TRUE(file->preallocate(offset));
                break;
            case 2:
                ASSERT_TRUE(file->sync());
                break;
            case 3:
                ASSERT_TRUE(file->sync());
                ASSERT_TRUE(disk.sync_directory(""));
                ASSERT_EQ(read_all(disk, "f"), model);
                break;
            default:
                apply(model, {false, offset, text});
                ASSERT_TRUE(file->write_at(offset, as_bytes(text)));
        }
        Bytes part(rng.below(9000));
        const std::size_t got = file->read_at(offset, part).value();
        ASSERT_EQ(as_text(ByteView(part).first(got)),
                  model.substr(std::min<std::size_t>(offset, model.size()), part.size()));
        ASSERT_EQ(disk.used_bytes(), model.size());
    }
}

// Proves that each wrong use is refused with the code the contract names.
TEST(SimulatedDisk, RefusesWrongUse) {
    SimulatedDisk disk(1);
    write(disk, "f", 0, "x");
    ASSERT_TRUE(disk.create_directory("d/e"));
    const auto code = [](const auto& result) {
        return result.has_value() ? std::nullopt : std::optional(result.error().code);
    };
    for (const std::string& path : std::vector<std::string>{
             "/f", "f/", "a//b", ".", "..", "d/../f", {"a\0b", 3}, std::string(256, 'x')})
        EXPECT_EQ(code(disk.open(path, OpenMode::Create)), Errc::InvalidArgument) << path;
    EXPECT_EQ(code(disk.open("none", OpenMode::Read)), Errc::NotFound);
    EXPECT_EQ(code(disk.open("none", OpenMode::ReadWrite)), Errc::NotFound);
    EXPECT_EQ(code(disk.open("none/f", OpenMode::Create)), Errc::NotFound);
    EXPECT_EQ(code(disk.open("f/g", OpenMode::Create)), Errc::NotFound);
    EXPECT_EQ(code(disk.open("f", OpenMode::CreateNew)), Errc::AlreadyExists);
    EXPECT_EQ(code(disk.open("d", OpenMode::Read)), Errc::InvalidArgument);
    EXPECT_EQ(code(disk.open("", OpenMode::Create)), Errc::InvalidArgument);
    EXPECT_EQ(code(open_file(disk, "f", OpenMode::Read)->write_at(0, as_bytes("y"))),
              Errc::InvalidArgument);
    EXPECT_EQ(code(open_file(disk, "f", OpenMode::ReadWrite)->write_at(~0ULL, as_bytes("yy"))),
              Errc::InvalidArgument);
    EXPECT_EQ(code(disk.rename("none", "f")), Errc::NotFound);
    EXPECT_EQ(code(disk.rename("f", "d")), Errc::AlreadyExists);
    EXPECT_EQ(code(disk.rename("d", "d/e/d")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk.remove("d")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk.remove("none")), Errc::NotFound);
    EXPECT_EQ(code(disk.remove_directory("d")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk.remove_directory("f")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk.create_directory("f")), Errc::AlreadyExists);
    EXPECT_EQ(code(disk.sync_directory("none")), Errc::NotFound);
    EXPECT_EQ(code(disk.list("f")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk.flip_bit("f", 8)), Errc::InvalidArgument);
    EXPECT_EQ(read_all(disk, "f"), "x");
}

// Proves that space is counted, bounded, and given back when the last name and handle are gone.
TEST(SimulatedDisk, CapacityIsABound) {
    SimulatedDisk disk(1, {.capacity_bytes = 1000});
    auto file = open_file(disk, "f", OpenMode::Create);
    ASSERT_TRUE(file->write_at(0, Bytes(900)));
    EXPECT_EQ(file->write_at(900, Bytes(101)).error().code, Errc::Exhausted);
    EXPECT_EQ(file->preallocate(1001).error().code, Errc::Exhausted);
    EXPECT_EQ(file->size().value(), 900U);
    ASSERT_TRUE(file->truncate(1000));
    ASSERT_TRUE(disk.remove("f"));
    ASSERT_TRUE(disk.sync_directory(""));
    EXPECT_EQ(disk.used_bytes(), 1000U);
    file.reset();
    EXPECT_EQ(disk.used_bytes(), 0U);
}

// Proves that a lock excludes while its holder lives, and that a crash frees it.
TEST(SimulatedDisk, LockIsExclusiveUntilReleasedOrCrashed) {
    SimulatedDisk disk(1);
    auto held = disk.lock("LOCK");
    ASSERT_TRUE(held);
    EXPECT_EQ(disk.lock("LOCK").error().code, Errc::Unavailable);
    held->reset();
    held = disk.lock("LOCK");
    ASSERT_TRUE(held);
    crash_and_restart(disk);
    auto next = disk.lock("LOCK");
    ASSERT_TRUE(next);
    held->reset();
    EXPECT_EQ(disk.lock("LOCK").error().code, Errc::Unavailable);
}

// Proves that a crashed disk refuses everything, and old files stay dead after the restart.
TEST(SimulatedDisk, NothingWorksWhileCrashed) {
    SimulatedDisk disk(1);
    const auto file = open_file(disk, "f", OpenMode::Create);
    disk.crash();
    EXPECT_TRUE(disk.crashed());
    Bytes out(1);
    EXPECT_EQ(file->read_at(0, out).error().code, Errc::Io);
    EXPECT_EQ(file->write_at(0, out).error().code, Errc::Io);
    EXPECT_EQ(disk.open("f", OpenMode::Create).error().code, Errc::Io);
    EXPECT_EQ(disk.exists("f").error().code, Errc::Io);
    EXPECT_EQ(disk.list("").error().code, Errc::Io);
    disk.restart();
    EXPECT_EQ(file->sync().error().code, Errc::Io);
    EXPECT_TRUE(disk.exists("f"));
}

// Proves that a failed sync is never made good by retrying, while reopening shows the truth.
TEST(SimulatedDisk, AFailedSyncLeavesDoubtThatOnlyReopeningEnds) {
    std::set<std::string> after_retry;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SimulatedDisk disk(seed);
        const auto file = open_file(disk, "f", OpenMode::Create);
        ASSERT_TRUE(disk.sync_directory(""));
        ASSERT_TRUE(file->write_at(0, as_bytes("x")));
        disk.set_options({.sync_error = 1});
        ASSERT_EQ(file->sync().error().code, Errc::Io);
        disk.set_options({});
        ASSERT_TRUE(file->sync());
        if (seed % 2 == 0) {
            crash_and_restart(disk);
            after_retry.insert(read_all(disk, "f"));
        } else {
            const std::string truth = read_all(disk, "f");
            crash_and_restart(disk);
            EXPECT_EQ(read_all(disk, "f"), truth);
        }
    }
    EXPECT_EQ(after_retry, (std::set<std::string>{"", "x"}));
}

// Proves that injected faults do what they say: errors change nothing, a flipped bit stays flipped.
TEST(SimulatedDisk, InjectedFaults) {
    SimulatedDisk disk(7);
    write(disk, "f", 0, "abcd");
    const auto file = open_file(disk, "f", OpenMode::ReadWrite);
    disk.set_options({.write_error = 1, .read_error = 1});
    Bytes out(4);
    EXPECT_EQ(file->write_at(0, out).error().code, Errc::Io);
    EXPECT_EQ(disk.rename("f", "g").error().code, Errc::Io);
    EXPECT_EQ(file->read_at(0, out).error().code, Errc::Io);
    disk.set_options({});
    EXPECT_EQ(read_all(disk, "f"), "abcd");
    disk.set_options({.bit_flip = 1});
    ASSERT_EQ(file->read_at(0, out).value(), 4U);
    disk.set_options({});
    EXPECT_EQ(read_all(disk, "f"), as_text(out));
    int flipped = 0;
    for (std::size_t i = 0; i < 4; ++i)
        flipped += std::popcount(unsigned{out[i]} ^ as_bytes("abcd")[i]);
    EXPECT_EQ(flipped, 1);
    ASSERT_TRUE(disk.flip_bit("f", 0));
    EXPECT_EQ(static_cast<std::uint8_t>(read_all(disk, "f")[0]), out[0] ^ 1U);
}

// Proves that the same seed and calls give the same bytes after a crash.
TEST(SimulatedDisk, SameSeedSameSurvivors) {
    const auto survivors = [](std::uint64_t seed) {
        SimulatedDisk disk(seed);
        for (const std::string name : {"a", "b", "c"}) write(disk, name, 0, std::string(5000, 'x'));
        crash_and_restart(disk);
        return names_on(disk);
    };
    std::set<Names> seen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        EXPECT_EQ(survivors(seed), survivors(seed));
        seen.insert(survivors(seed));
    }
    EXPECT_GT(seen.size(), 10U);
}

}  // namespace
}  // namespace draco::simulon
