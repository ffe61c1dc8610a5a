#include "draco/simulon/disk.hpp"

#include "draco/base/checked.hpp"

#include "disk_names.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace draco::simulon {
namespace {

constexpr std::size_t kPathBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 255;

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameBytesMax && name != "." && name != ".." &&
           name.find('\0') == std::string_view::npos;
}

Result<> check_path(std::string_view path) {
    bool good = path.size() <= kPathBytesMax;
    for (std::string_view rest = path; good && !rest.empty();) {
        const auto slash = rest.find('/');
        good = is_name(rest.substr(0, slash)) && slash + 1 != rest.size();
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    }
    if (good) return {};
    return fail(Errc::InvalidArgument,
                "not a relative path of plain names: \"" +
                    std::string(path.substr(0, kNameBytesMax)) + "\"");
}

std::array<std::uint8_t, 8> number_bytes(std::uint64_t number) {
    std::array<std::uint8_t, 8> bytes{};
    store_le(bytes.data(), number);
    return bytes;
}

}  // namespace

// Everything behind the mutex, which callers of its methods hold. Owned jointly by the disk and by
// the files and locks opened from it.
class SimulatedDisk::State {
public:
    State(std::uint64_t seed, const DiskOptions& chosen, DiskObserver* watcher)
        : options(chosen),
          observer(watcher),
          crash_rng(SeededRng(seed).fork("crash")),
          fault_rng(SeededRng(seed).fork("fault")),
          names(used_bytes) {}

    Result<> check_running() const {
        if (!crashed) return {};
        return fail(Errc::Io, "the simulated disk has crashed: restart() it, then open files anew");
    }

    // One change: `attempt` makes it. The disk may be due to crash inside it.
    template <class F>
    auto change(std::string_view operation, ByteView argument, ByteView data, F attempt)
        -> decltype(attempt()) {
        DRACO_TRY_VOID(check_running());
        if (observer != nullptr) observer->on_change(operation, argument, data);
        ++change_count;
        if (fault_rng.chance(options.write_error))
            return fail(Errc::Io, std::string(operation) + ": injected write error");
        auto result = attempt();
        if (!crashes_now()) return result;
        crash();
        return fail(Errc::Io, std::string(operation) + ": the simulated disk crashed inside it");
    }

    bool crashes_now() const { return change_count == crash_at; }

    Result<InodePtr> find_file(std::string_view path) const {
        InodePtr inode = names.find(path);
        if (!inode) return fail(Errc::NotFound, "no file \"" + std::string(path) + "\"");
        if (inode->is_directory)
            return fail(Errc::InvalidArgument, "\"" + std::string(path) + "\" is a directory");
        return inode;
    }

    Result<> make_room(const FileImage& image, std::uint64_t size) const {
        const std::uint64_t added = size > image.size() ? size - image.size() : 0;
        const auto needed = checked_add(used_bytes, added);
        if (needed && *needed <= options.capacity_bytes) return {};
        return fail(Errc::Exhausted,
                    "the simulated disk is full: " + std::to_string(used_bytes) + " of " +
                        std::to_string(options.capacity_bytes) + " bytes used, " +
                        std::to_string(added) + " more needed");
    }

    Result<> resize(FileImage& image, std::uint64_t size) const {
        if (size == image.size()) return {};
        DRACO_TRY_VOID(make_room(image, size));
        image.resize(size);
        return {};
    }

    Result<> sync(Inode& inode) {
        if (observer != nullptr) observer->on_busy(options.sync_latency);
        if (fault_rng.chance(options.sync_error)) {
            inode.in_doubt = true;
            return fail(Errc::Io, "sync: injected error; what was not synced before is in doubt");
        }
        if (!inode.in_doubt && !crashes_now()) inode.image.commit();
        return {};
    }

    // A file in doubt, opened anew, shows what the medium has.
    void settle(Inode& inode) {
        if (!std::exchange(inode.in_doubt, false)) return;
        inode.image.lose_uncommitted(Survival::Some, crash_rng);
    }

    void crash() {
        if (crashed) return;
        crashed = true;
        ++incarnation;
        crash_at = 0;
        const Survival survival = draw_survival();
        for (const InodePtr& file : names.files()) {
            file->image.lose_uncommitted(survival, crash_rng);
            file->in_doubt = false;
        }
        names.lose_unsynced(survival, crash_rng);
    }

    std::mutex mutex;
    DiskOptions options;
    DiskObserver* const observer;
    SeededRng crash_rng;
    SeededRng fault_rng;
    std::uint64_t used_bytes = 0;
    DiskNames names;
    std::uint64_t change_count = 0;
    std::uint64_t crash_at = 0;  // a value of change_count; 0 is never
    std::uint64_t incarnation = 1;
    std::atomic<bool> crashed = false;

private:
    Survival draw_survival() {
        switch (crash_rng.below(4)) {
            case 0:
                return Survival::All;
            case 1:
                return Survival::None;
            default:
                return Survival::Some;
        }
    }
};

namespace {

using Lock = std::lock_guard<std::mutex>;

class SimulatedFile final : public File {
public:
    SimulatedFile(std::shared_ptr<SimulatedDisk::State> state, InodePtr inode, bool writable)
        : state_(std::move(state)),
          inode_(std::move(inode)),
          incarnation_(state_->incarnation),
          writable_(writable) {}

    ~SimulatedFile() override {
        const Lock lock(state_->mutex);
        inode_.reset();
    }

    SimulatedFile(const SimulatedFile&) = delete;
    SimulatedFile& operator=(const SimulatedFile&) = delete;

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override {
        const Lock lock(state_->mutex);
        DRACO_TRY_VOID(check_alive());
        if (state_->fault_rng.chance(state_->options.read_error))
            return fail(Errc::Io, "read: injected error at offset " + std::to_string(offset));
        FileImage& image = inode_->image;
        if (offset < image.size() && !out.empty() &&
            state_->fault_rng.chance(state_->options.bit_flip)) {
            const std::uint64_t end =
                offset + std::min<std::uint64_t>(out.size(), image.size() - offset);
            image.flip_bit(state_->fault_rng.between(8 * offset, 8 * end - 1));
        }
        return image.read(offset, out);
    }

    Result<> write_at(std::uint64_t offset, ByteView data) override {
        return change("write", offset, data, [&]() -> Result<> {
            if (data.empty()) return {};
            const auto end = checked_add<std::uint64_t>(offset, data.size());
            if (!end) return fail(Errc::InvalidArgument, "write: the range ends past 2^64");
            DRACO_TRY_VOID(state_->make_room(inode_->image, *end));
            inode_->image.write(offset, data);
            return {};
        });
    }

    Result<> truncate(std::uint64_t size_bytes) override {
        return change(
            "truncate", size_bytes, {}, [&] { return state_->resize(inode_->image, size_bytes); });
    }

    Result<> preallocate(std::uint64_t size_bytes) override {
        return change("preallocate", size_bytes, {}, [&] {
            return state_->resize(inode_->image, std::max(size_bytes, inode_->image.size()));
        });
    }

    Result<> sync() override {
        return change("sync", inode_->id, {}, [&] { return state_->sync(*inode_); });
    }

    Result<std::uint64_t> size() const override {
        const Lock lock(state_->mutex);
        DRACO_TRY_VOID(check_alive());
        return inode_->image.size();
    }

private:
    Result<> check_alive() const {
        DRACO_TRY_VOID(state_->check_running());
        if (incarnation_ == state_->incarnation) return {};
        return fail(Errc::Io, "this file was opened before the simulated disk crashed: reopen it");
    }

    template <class F>
    Result<> change(std::string_view operation, std::uint64_t argument, ByteView data, F attempt) {
        const Lock lock(state_->mutex);
        DRACO_TRY_VOID(check_alive());
        if (!writable_)
            return fail(Errc::InvalidArgument, std::string(operation) + ": opened for reading");
        return state_->change(operation, number_bytes(argument), data, attempt);
    }

    const std::shared_ptr<SimulatedDisk::State> state_;
    InodePtr inode_;
    const std::uint64_t incarnation_;
    const bool writable_;
};

class SimulatedLock final : public DiskLock {
public:
    SimulatedLock(std::shared_ptr<SimulatedDisk::State> state, InodePtr inode)
        : state_(std::move(state)), inode_(std::move(inode)), incarnation_(state_->incarnation) {
        inode_->locked_in = incarnation_;
    }

    ~SimulatedLock() override {
        const Lock lock(state_->mutex);
        if (inode_->locked_in == incarnation_) inode_->locked_in = 0;
        inode_.reset();
    }

    SimulatedLock(const SimulatedLock&) = delete;
    SimulatedLock& operator=(const SimulatedLock&) = delete;

private:
    const std::shared_ptr<SimulatedDisk::State> state_;
    InodePtr inode_;
    const std::uint64_t incarnation_;
};

}  // namespace

SimulatedDisk::SimulatedDisk(std::uint64_t seed, DiskOptions options, DiskObserver* observer)
    : state_(std::make_shared<State>(seed, options, observer)) {}

SimulatedDisk::~SimulatedDisk() = default;

Result<std::unique_ptr<File>> SimulatedDisk::open(std::string_view path, OpenMode mode) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    DRACO_TRY_VOID(state_->check_running());
    InodePtr inode = state_->names.find(path);
    if (inode && inode->is_directory)
        return fail(Errc::InvalidArgument, "\"" + std::string(path) + "\" is a directory");
    if (inode && mode == OpenMode::CreateNew)
        return fail(Errc::AlreadyExists, "\"" + std::string(path) + "\" exists already");
    if (!inode) {
        if (mode == OpenMode::Read || mode == OpenMode::ReadWrite)
            return fail(Errc::NotFound, "no file \"" + std::string(path) + "\"");
        DRACO_TRY(created, state_->change("create", as_bytes(path), {}, [&] {
            return state_->names.create(path, false);
        }));
        inode = std::move(created);
    }
    state_->settle(*inode);
    if (mode == OpenMode::Truncate && inode->image.size() > 0)
        DRACO_TRY_VOID(state_->change(
            "empty", as_bytes(path), {}, [&] { return state_->resize(inode->image, 0); }));
    return std::make_unique<SimulatedFile>(state_, std::move(inode), mode != OpenMode::Read);
}

Result<> SimulatedDisk::rename(std::string_view from, std::string_view to) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(from));
    DRACO_TRY_VOID(check_path(to));
    return state_->change(
        "rename", as_bytes(from), as_bytes(to), [&] { return state_->names.rename(from, to); });
}

Result<> SimulatedDisk::remove(std::string_view path) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    return state_->change(
        "remove", as_bytes(path), {}, [&] { return state_->names.remove(path, false); });
}

Result<> SimulatedDisk::create_directory(std::string_view path) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    DRACO_TRY_VOID(state_->check_running());
    for (std::size_t end = 0; end < path.size();) {
        end = std::min(path.find('/', end + 1), path.size());
        const std::string_view part = path.substr(0, end);
        const InodePtr inode = state_->names.find(part);
        if (inode && inode->is_directory) continue;
        DRACO_TRY_VOID(state_->change("create directory", as_bytes(part), {}, [&] {
            return state_->names.create(part, true);
        }));
    }
    return {};
}

Result<> SimulatedDisk::remove_directory(std::string_view path) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    return state_->change(
        "remove directory", as_bytes(path), {}, [&] { return state_->names.remove(path, true); });
}

Result<> SimulatedDisk::sync_directory(std::string_view path) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    return state_->change("sync directory", as_bytes(path), {}, [&]() -> Result<> {
        if (state_->observer != nullptr) state_->observer->on_busy(state_->options.sync_latency);
        if (state_->fault_rng.chance(state_->options.sync_error))
            return fail(Errc::Io, "sync directory: injected error; its names are in doubt");
        if (state_->crashes_now()) return {};
        return state_->names.sync(path);
    });
}

Result<std::vector<DirectoryEntry>> SimulatedDisk::list(std::string_view path) const {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    DRACO_TRY_VOID(state_->check_running());
    return state_->names.list(path);
}

Result<bool> SimulatedDisk::exists(std::string_view path) const {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    DRACO_TRY_VOID(state_->check_running());
    return state_->names.find(path) != nullptr;
}

Result<std::unique_ptr<DiskLock>> SimulatedDisk::lock(std::string_view path) {
    if (auto file = open(path, OpenMode::Create); !file)
        return std::unexpected(std::move(file).error());
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(state_->check_running());
    DRACO_TRY(inode, state_->find_file(path));
    if (inode->locked_in == state_->incarnation)
        return fail(Errc::Unavailable, "somebody holds the lock \"" + std::string(path) + "\"");
    return std::make_unique<SimulatedLock>(state_, std::move(inode));
}

void SimulatedDisk::crash() {
    const Lock lock(state_->mutex);
    state_->crash();
}

void SimulatedDisk::restart() {
    const Lock lock(state_->mutex);
    state_->crashed = false;
}

bool SimulatedDisk::crashed() const {
    return state_->crashed;
}

void SimulatedDisk::crash_at_change(std::uint64_t n) {
    const Lock lock(state_->mutex);
    state_->crash_at = n == 0 ? 0 : state_->change_count + n;
}

std::uint64_t SimulatedDisk::change_count() const {
    const Lock lock(state_->mutex);
    return state_->change_count;
}

Result<> SimulatedDisk::flip_bit(std::string_view path, std::uint64_t bit_index) {
    const Lock lock(state_->mutex);
    DRACO_TRY_VOID(check_path(path));
    DRACO_TRY(inode, state_->find_file(path));
    if (bit_index / 8 >= inode->image.size())
        return fail(Errc::InvalidArgument,
                    "bit " + std::to_string(bit_index) + " is past the end of \"" +
                        std::string(path) + "\"");
    inode->image.flip_bit(bit_index);
    return {};
}

void SimulatedDisk::set_options(const DiskOptions& options) {
    const Lock lock(state_->mutex);
    state_->options = options;
}

std::uint64_t SimulatedDisk::used_bytes() const {
    const Lock lock(state_->mutex);
    return state_->used_bytes;
}

}  // namespace draco::simulon
