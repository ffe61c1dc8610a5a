#pragma once
// A content source in memory, with real addresses. Objects and blocks can be held back, and fail;
// who waits for an object takes one of its places.

#include "draco/blake3_tree/directory.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/io/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco::gateway {

inline types::ContentHash to_address(const blake3_tree::Hash& hash) {
    return types::ContentHash(hash.bytes);
}

inline types::DirectoryEntry link_to(std::string name, const types::ContentHash& hash) {
    return {
        .name = bcs::Bounded<std::string, blake3_tree::kEntryNameBytesMax>::make(std::move(name))
                    .value(),
        .target = hash};
}

inline types::DirectoryEntry symlink_to(std::string name, std::string target) {
    return {
        .name = bcs::Bounded<std::string, blake3_tree::kEntryNameBytesMax>::make(std::move(name))
                    .value(),
        .target = types::LinkTarget::make(std::move(target)).value()};
}

class MemorySource final : public interfaces::ContentSource {
public:
    // Callbacks come from `pool`'s threads, or without one from the caller's.
    explicit MemorySource(io::ThreadPool* pool = nullptr) : state_(std::make_shared<State>()) {
        state_->pool = pool;
    }

    types::ContentHash add_file(Bytes bytes) {
        blake3_tree::TreeBuilder builder;
        builder.update(bytes);
        const types::ContentHash hash = to_address(std::move(builder).finish().root());
        const types::ContentInfo info{.hash = hash,
                                      .kind = types::ContentKind::File,
                                      .bytes = bytes.size(),
                                      .leaves = blake3_tree::block_count(bytes.size())};
        const std::lock_guard lock(state_->mutex);
        state_->objects[hash] = std::make_shared<Object>(info, std::move(bytes));
        return hash;
    }

    types::ContentHash add_directory(std::vector<types::DirectoryEntry> entries) {
        std::ranges::sort(
            entries, {}, [](const types::DirectoryEntry& entry) { return *entry.name; });
        blake3_tree::DirectoryHasher hasher;
        for (const types::DirectoryEntry& entry : entries) {
            if (const auto* hash = std::get_if<types::ContentHash>(&entry.target)) {
                EXPECT_TRUE(hasher.add_link(*entry.name, blake3_tree::Hash(hash->bytes)));
            } else {
                EXPECT_TRUE(
                    hasher.add_symlink(*entry.name, *std::get<types::LinkTarget>(entry.target)));
            }
        }
        const auto tree = std::move(hasher).finish();
        const types::ContentHash hash =
            to_address(tree ? tree->root() : blake3_tree::empty_directory_hash());
        const types::ContentInfo info{.hash = hash,
                                      .kind = types::ContentKind::Directory,
                                      .bytes = 0,
                                      .leaves = entries.size()};
        const std::lock_guard lock(state_->mutex);
        state_->objects[hash] = std::make_shared<Object>(info, std::move(entries));
        return hash;
    }

    // open() of it waits until release().
    void hold_opens(const types::ContentHash& hash) {
        const std::lock_guard lock(state_->mutex);
        state_->held_objects.insert(hash);
    }

    // Of those that wait for objects; the next ones are Exhausted.
    void set_places(std::size_t places) {
        const std::lock_guard lock(state_->mutex);
        state_->places = places;
    }

    // For objects.
    std::size_t waiting() const {
        const std::lock_guard lock(state_->mutex);
        return state_->waiting.size();
    }

    // Objects that somebody holds.
    std::size_t open_contents() const { return state_->open_contents; }

    // open() of it answers so.
    void fail_open(const types::ContentHash& hash, Errc code) {
        const std::lock_guard lock(state_->mutex);
        state_->failing_opens[hash] = code;
    }

    // Its blocks from `block` on are held back until release().
    void hold_blocks(const types::ContentHash& hash, std::uint64_t block) {
        const std::lock_guard lock(state_->mutex);
        state_->held_from[hash] = block;
    }

    void fail_blocks(const types::ContentHash& hash, std::uint64_t block, Errc code) {
        const std::lock_guard lock(state_->mutex);
        state_->failing_from[hash] = {block, code};
    }

    void release() {
        std::vector<HeldBlock> blocks;
        std::map<std::uint64_t, std::move_only_function<void(Go)>> waiting;
        std::vector<std::move_only_function<void()>> abandoned;
        {
            const std::lock_guard lock(state_->mutex);
            state_->held_from.clear();
            state_->held_objects.clear();
            blocks.swap(state_->held);
            waiting.swap(state_->waiting);
            abandoned.swap(state_->abandoned);
        }
        for (auto& give : abandoned) give();
        for (auto& [id, end] : waiting) end(Go::Look);
        for (HeldBlock& held : blocks) held.callback(std::move(held.block));
    }

    std::size_t held() const {
        const std::lock_guard lock(state_->mutex);
        return state_->held.size();
    }

    std::size_t reads() const {
        const std::lock_guard lock(state_->mutex);
        return state_->reads;
    }

    void open(const types::ContentHash& hash, Instant deadline, OpenCallback callback) override {
        open_for({}, hash, deadline, std::move(callback));
    }

    interfaces::OpenId open_for(const interfaces::Asker& /*asker*/,
                                const types::ContentHash& hash,
                                Instant /*deadline*/,
                                OpenCallback callback) override {
        const interfaces::OpenId id(++state_->opens);
        std::unique_lock lock(state_->mutex);
        if (!state_->held_objects.contains(hash)) {
            lock.unlock();
            look(hash, std::move(callback));
        } else if (state_->waiting.size() < state_->places) {
            state_->waiting.emplace(id.value(),
                                    [this, hash, callback = std::move(callback)](Go go) mutable {
                                        if (go == Go::Look) return look(hash, std::move(callback));
                                        callback(fail(Errc::Abandoned, "nobody waits"));
                                    });
        } else {
            lock.unlock();
            state_->run([callback = std::move(callback)]() mutable {
                callback(fail(Errc::Exhausted, "no place"));
            });
        }
        return id;
    }

    void cancel(interfaces::OpenId call) override {
        std::unique_lock lock(state_->mutex);
        auto node = state_->waiting.extract(call.value());
        lock.unlock();
        if (node)
            state_->run_later([end = std::move(node.mapped())]() mutable { end(Go::Abandon); });
    }

private:
    enum class Go : std::uint8_t { Look, Abandon };

    class MemoryContent;

    struct HeldBlock {
        const MemoryContent* of = nullptr;
        interfaces::Content::BlockCallback callback;
        Result<std::shared_ptr<const Bytes>> block;
    };

    struct Object {
        types::ContentInfo info;
        std::variant<Bytes, std::vector<types::DirectoryEntry>> data;
    };

    struct State {
        void run(std::move_only_function<void()> task) const {
            if (pool != nullptr) return pool->post(std::move(task));
            task();
        }

        // The same for what must not be called by who has it run.
        void run_later(std::move_only_function<void()> task) {
            if (pool != nullptr) return pool->post(std::move(task));
            const std::lock_guard lock(mutex);
            abandoned.push_back(std::move(task));
        }

        io::ThreadPool* pool = nullptr;
        std::atomic<std::uint64_t> opens = 0;
        std::atomic<std::size_t> open_contents = 0;
        std::mutex mutex;
        std::map<types::ContentHash, std::shared_ptr<const Object>> objects;
        std::map<types::ContentHash, Errc> failing_opens;
        std::map<types::ContentHash, std::uint64_t> held_from;
        std::map<types::ContentHash, std::pair<std::uint64_t, Errc>> failing_from;
        std::set<types::ContentHash> held_objects;
        std::size_t places = 1'000;
        std::map<std::uint64_t, std::move_only_function<void(Go)>> waiting;
        std::vector<HeldBlock> held;
        std::vector<std::move_only_function<void()>> abandoned;
        std::size_t reads = 0;
    };

    void look(const types::ContentHash& hash, OpenCallback callback) {
        Result<std::shared_ptr<interfaces::Content>> found = fail(Errc::NotFound, "nobody has it");
        {
            const std::lock_guard lock(state_->mutex);
            const auto object = state_->objects.find(hash);
            const auto failing = state_->failing_opens.find(hash);
            if (failing != state_->failing_opens.end())
                found = fail(failing->second, "planted");
            else if (object != state_->objects.end())
                found = std::make_shared<MemoryContent>(state_, object->second);
        }
        state_->run([callback = std::move(callback), found = std::move(found)]() mutable {
            callback(std::move(found));
        });
    }

    class MemoryContent final : public interfaces::Content {
    public:
        MemoryContent(std::shared_ptr<State> state, std::shared_ptr<const Object> object)
            : state_(std::move(state)), object_(std::move(object)) {
            ++state_->open_contents;
        }

        MemoryContent(const MemoryContent&) = delete;
        MemoryContent& operator=(const MemoryContent&) = delete;

        // Whoever waits for a block is Abandoned.
        ~MemoryContent() override {
            std::vector<BlockCallback> abandoned;
            {
                const std::lock_guard lock(state_->mutex);
                std::erase_if(state_->held, [&](HeldBlock& held) {
                    if (held.of != this) return false;
                    abandoned.push_back(std::move(held.callback));
                    return true;
                });
            }
            for (BlockCallback& callback : abandoned)
                state_->run_later([callback = std::move(callback)]() mutable {
                    callback(fail(Errc::Abandoned, "nobody reads"));
                });
            --state_->open_contents;
        }

        const types::ContentInfo& info() const override { return object_->info; }

        void read_block(std::uint64_t index, BlockCallback callback) override {
            Result<std::shared_ptr<const Bytes>> block = cut(index);
            std::unique_lock lock(state_->mutex);
            ++state_->reads;
            const auto failing = state_->failing_from.find(info().hash);
            if (failing != state_->failing_from.end() && index >= failing->second.first)
                block = fail(failing->second.second, "planted");
            const auto held = state_->held_from.find(info().hash);
            if (held != state_->held_from.end() && index >= held->second) {
                state_->held.push_back(
                    {.of = this, .callback = std::move(callback), .block = std::move(block)});
                return;
            }
            lock.unlock();
            state_->run([callback = std::move(callback), block = std::move(block)]() mutable {
                callback(std::move(block));
            });
        }

        Result<std::vector<blake3_tree::Hash>> tree_nodes(std::uint64_t first,
                                                          std::size_t count_max) const override {
            const auto* const bytes = std::get_if<Bytes>(&object_->data);
            if (bytes == nullptr) return fail(Errc::InvalidArgument, "a directory");
            blake3_tree::TreeBuilder builder;
            builder.update(*bytes);
            const auto nodes = std::move(builder).finish().take_nodes();
            const std::size_t begin = std::min<std::size_t>(first, nodes.size());
            const std::size_t count = std::min(count_max, nodes.size() - begin);
            return std::vector(nodes.begin() + static_cast<std::ptrdiff_t>(begin),
                               nodes.begin() + static_cast<std::ptrdiff_t>(begin + count));
        }

        Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                           std::size_t count_max) const override {
            const auto& all = std::get<std::vector<types::DirectoryEntry>>(object_->data);
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(
                                                 std::min<std::uint64_t>(first, all.size()));
            const auto count =
                std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(count_max), all.end() - begin);
            return std::vector(begin, begin + count);
        }

        Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const override {
            for (const auto& entry : std::get<std::vector<types::DirectoryEntry>>(object_->data))
                if (*entry.name == name) return std::optional(entry);
            return std::optional<types::DirectoryEntry>();
        }

    private:
        std::shared_ptr<const Bytes> cut(std::uint64_t index) const {
            const Bytes& all = std::get<Bytes>(object_->data);
            const std::uint64_t begin = index * blake3_tree::kBlockBytes;
            EXPECT_LT(index, info().leaves);
            const auto size = std::min<std::uint64_t>(blake3_tree::kBlockBytes, all.size() - begin);
            return std::make_shared<const Bytes>(to_bytes(ByteView(all).subspan(begin, size)));
        }

        std::shared_ptr<State> state_;
        std::shared_ptr<const Object> object_;
    };

    std::shared_ptr<State> state_;
};

}  // namespace draco::gateway
