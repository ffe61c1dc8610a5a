#pragma once
// A content source in memory, with real addresses. Blocks can be held back, and fail.

#include "draco/blake3_tree/directory.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/io/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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
        std::vector<std::move_only_function<void()>> held;
        {
            const std::lock_guard lock(state_->mutex);
            state_->held_from.clear();
            held.swap(state_->held);
        }
        for (auto& give : held) give();
    }

    std::size_t held() const {
        const std::lock_guard lock(state_->mutex);
        return state_->held.size();
    }

    std::size_t reads() const {
        const std::lock_guard lock(state_->mutex);
        return state_->reads;
    }

    void open(const types::ContentHash& hash,
              Instant /*deadline*/,
              OpenCallback callback) override {
        Result<std::shared_ptr<interfaces::Content>> found = fail(Errc::NotFound, "nobody has it");
        {
            const std::lock_guard lock(state_->mutex);
            const auto object = state_->objects.find(hash);
            if (object != state_->objects.end())
                found = std::make_shared<MemoryContent>(state_, object->second);
            const auto failing = state_->failing_opens.find(hash);
            if (failing != state_->failing_opens.end()) found = fail(failing->second, "planted");
        }
        state_->run([callback = std::move(callback), found = std::move(found)]() mutable {
            callback(std::move(found));
        });
    }

private:
    struct Object {
        types::ContentInfo info;
        std::variant<Bytes, std::vector<types::DirectoryEntry>> data;
    };

    struct State {
        void run(std::move_only_function<void()> task) const {
            if (pool != nullptr) return pool->post(std::move(task));
            task();
        }

        io::ThreadPool* pool = nullptr;
        std::mutex mutex;
        std::map<types::ContentHash, std::shared_ptr<const Object>> objects;
        std::map<types::ContentHash, Errc> failing_opens;
        std::map<types::ContentHash, std::uint64_t> held_from;
        std::map<types::ContentHash, std::pair<std::uint64_t, Errc>> failing_from;
        std::vector<std::move_only_function<void()>> held;
        std::size_t reads = 0;
    };

    class MemoryContent final : public interfaces::Content {
    public:
        MemoryContent(std::shared_ptr<State> state, std::shared_ptr<const Object> object)
            : state_(std::move(state)), object_(std::move(object)) {}

        const types::ContentInfo& info() const override { return object_->info; }

        void read_block(std::uint64_t index, BlockCallback callback) override {
            Result<std::shared_ptr<const Bytes>> block = cut(index);
            std::unique_lock lock(state_->mutex);
            ++state_->reads;
            const auto failing = state_->failing_from.find(info().hash);
            if (failing != state_->failing_from.end() && index >= failing->second.first)
                block = fail(failing->second.second, "planted");
            auto give = [callback = std::move(callback), block = std::move(block)]() mutable {
                callback(std::move(block));
            };
            const auto held = state_->held_from.find(info().hash);
            if (held != state_->held_from.end() && index >= held->second) {
                state_->held.emplace_back(std::move(give));
                return;
            }
            lock.unlock();
            state_->run(std::move(give));
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
