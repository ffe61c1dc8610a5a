#pragma once
// A disk in memory that breaks the way real ones do, from a seed. It implements draco::Disk and
// gives exactly what that contract promises, no more. A crash does what the contract allows:
//
// - A file keeps what was synced. Each later write, truncation and preallocation survives whole,
// not
//   at all, or (writes) torn: each 512-byte sector of it by itself.
// - Name changes (create, rename, remove; of files and directories) since the last sync_directory()
//   survive one by one. Changes that touch the same name survive in order (a name that was freed
//   and taken again was freed); all others in any combination. A rename between directories is made
//   durable by a sync of the directory it moves to. A directory's own name belongs to its parent.
// - A file whose data was synced but whose name was not may be gone; a file whose name was synced
//   and whose data was not may be empty, short, or have holes of zeros.
//
// One crash in four keeps every change, one in four loses all, the rest decide change by change.
// What is never synced reaches the medium by itself at last: all of a file when it has
// kWritebackBytes of unsynced changes, the oldest name changes when there are more than
// kUnsyncedNamesMax.
//
// Threads: every call takes one mutex, so programs with threads of their own (RocksDB) may run on
// it. Used from one thread, the same seed and the same calls give the same bytes and the same
// faults; with several, the order of their calls decides.
//
// Memory: what the files hold, in 4 KiB pages (holes cost nothing), plus unsynced changes once
// more.

#include "draco/base/clock.hpp"
#include "draco/base/disk.hpp"

#include <cstdint>
#include <memory>

namespace draco::simulon {

inline constexpr std::size_t kSectorBytes = 512;
inline constexpr std::size_t kWritebackBytes = std::size_t{64} << 20;
inline constexpr std::size_t kUnsyncedNamesMax = 4096;

// Probabilities are per call, 0 to 1.
struct DiskOptions {
    std::uint64_t capacity_bytes = std::uint64_t{16} << 30;  // sum of file sizes; then Exhausted
    double write_error = 0;  // a write, truncation or name change has no effect and returns Io
    double read_error = 0;   // a read returns Io; the data is unharmed
    double bit_flip = 0;     // a read finds one bit of its range flipped on the medium, for good
    // A sync returns Io. The file's unsynced changes are then in doubt: later syncs succeed without
    // making anything durable, until the file is opened anew and shows what the medium really has.
    double sync_error = 0;
    Duration sync_latency{0};  // told to the observer for each sync
};

// Sees what happens on a disk, in order. Called with the disk's mutex held: must not call back.
class DiskObserver {
public:
    virtual ~DiskObserver() = default;
    // `argument` is the path, or the offset or size as eight little-endian bytes.
    virtual void on_change(std::string_view operation, ByteView argument, ByteView data) = 0;
    virtual void on_busy(Duration duration) = 0;
};

// Two states: running and crashed. While crashed every call returns Io. Files and locks opened
// before a crash are dead for good. They may outlive the disk.
class SimulatedDisk final : public Disk {
public:
    explicit SimulatedDisk(std::uint64_t seed,
                           DiskOptions options = {},
                           DiskObserver* observer = nullptr);
    ~SimulatedDisk() override;
    SimulatedDisk(const SimulatedDisk&) = delete;
    SimulatedDisk& operator=(const SimulatedDisk&) = delete;

    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Result<> rename(std::string_view from, std::string_view to) override;
    Result<> remove(std::string_view path) override;
    Result<> create_directory(std::string_view path) override;
    Result<> remove_directory(std::string_view path) override;
    Result<> sync_directory(std::string_view path) override;
    Result<std::vector<DirectoryEntry>> list(std::string_view path) const override;
    Result<bool> exists(std::string_view path) const override;
    Result<std::unique_ptr<DiskLock>> lock(std::string_view path) override;

    // Power fails: decides what survives and refuses everything until restart(). No effect on a
    // disk that has crashed already.
    void crash();
    void restart();
    bool crashed() const;

    // Crashes inside the n-th change from now (1 is the next one): that call takes effect like any
    // unsynced change, the crash follows, the call returns Io. 0 cancels. To test every persistence
    // point, run once to read change_count(), then once for each n up to it.
    void crash_at_change(std::uint64_t n);
    // Changes attempted so far while running: writes, truncations, preallocations, syncs of files
    // and directories, and calls that change a name.
    std::uint64_t change_count() const;

    // Latent corruption: flips one stored bit, durably. NotFound, or InvalidArgument past the end.
    Result<> flip_bit(std::string_view path, std::uint64_t bit_index);

    void set_options(const DiskOptions& options);
    std::uint64_t used_bytes() const;

    class State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace draco::simulon
