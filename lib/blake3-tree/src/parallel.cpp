#include "draco/blake3_tree/parallel.hpp"

#include "node.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace draco::blake3_tree {
namespace {

constexpr unsigned kThreadCountLimit = 256;

// Where blocks come from. Used by one thread.
class BlockSource {
public:
    virtual ~BlockSource() = default;
    // The view lives until the next call.
    virtual Result<ByteView> block(std::uint64_t index) = 0;
};

class MemorySource final : public BlockSource {
public:
    explicit MemorySource(ByteView content) : content_(content) {}

    Result<ByteView> block(std::uint64_t index) override {
        const std::size_t offset = index * kBlockBytes;
        return content_.subspan(offset, std::min(kBlockBytes, content_.size() - offset));
    }

private:
    ByteView content_;
};

// Aligned for the copy out of the page cache.
struct alignas(4096) PageAlignedBlock {
    std::array<std::uint8_t, kBlockBytes> bytes;
};

class FileSource final : public BlockSource {
public:
    FileSource(const File& file, std::uint64_t size_bytes)
        : file_(file),
          size_bytes_(size_bytes),
          buffer_(std::make_unique_for_overwrite<PageAlignedBlock>()) {}

    Result<ByteView> block(std::uint64_t index) override {
        const std::uint64_t offset = index * kBlockBytes;
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, size_bytes_ - offset));
        DRACO_TRY(read, file_.read_at(offset, MutByteView(buffer_->bytes).first(wanted)));
        if (read != wanted)
            return fail(Errc::Io,
                        "the file became shorter than " + std::to_string(size_bytes_) +
                            " bytes while it was read; hash it again");
        return ByteView(buffer_->bytes).first(wanted);
    }

private:
    const File& file_;
    std::uint64_t size_bytes_;
    std::unique_ptr<PageAlignedBlock> buffer_;
};

// Hands out segments 0..count-1 to threads until all are done or one failed.
class SegmentQueue {
public:
    explicit SegmentQueue(std::uint64_t count) : count_(count) {}

    std::optional<std::uint64_t> take() {
        if (is_failed_.load(std::memory_order_relaxed)) return std::nullopt;
        const std::uint64_t segment = next_.fetch_add(1, std::memory_order_relaxed);
        if (segment >= count_) return std::nullopt;
        return segment;
    }

    void fail_with(Error error) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::move(error);
        is_failed_.store(true, std::memory_order_relaxed);
    }

    // After all threads have ended.
    std::optional<Error> take_error() { return std::move(error_); }

private:
    std::uint64_t count_;
    std::atomic<std::uint64_t> next_{0};
    std::atomic<bool> is_failed_{false};
    std::mutex mutex_;
    std::optional<Error> error_;
};

// Runs `work` on up to `thread_count` threads, this one among them, and waits for all.
template <class Work>
void run_on_threads(std::uint64_t thread_count, const Work& work) {
    std::vector<std::jthread> threads;
    try {
        for (std::uint64_t i = 1; i < std::min<std::uint64_t>(thread_count, kThreadCountLimit); ++i)
            threads.emplace_back(work);
    } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): see below
        // No more threads to be had: those there are do the work.
    }
    work();
}

// The hashes of `segment_blocks` blocks each (a power of two), as nodes of the tree.
struct Segments {
    std::vector<Hash> hashes;
    Node first;  // its node: the whole content if there is one segment
};

Result<Node> hash_segment(BlockSource& source,
                          std::uint64_t first_block,
                          std::uint64_t end_block,
                          const Mode& mode) {
    Hasher hasher(mode, first_block * kBlockChunks);
    for (std::uint64_t block = first_block; block < end_block; ++block) {
        DRACO_TRY(bytes, source.block(block));
        hasher.update(bytes);
    }
    return hasher.node();
}

template <class MakeSource>
Result<Segments> hash_segments(std::uint64_t content_bytes,
                               std::uint64_t segment_blocks,
                               unsigned thread_count_max,
                               const Mode& mode,
                               const MakeSource& make_source) {
    const std::uint64_t blocks = block_count(content_bytes);
    const std::uint64_t count = (blocks - 1) / segment_blocks + 1;
    Segments segments;
    segments.hashes.resize(count);
    SegmentQueue queue(count);
    const auto work = [&] {
        auto source = make_source();
        while (const auto segment = queue.take()) {
            const std::uint64_t first_block = *segment * segment_blocks;
            auto node = hash_segment(
                source, first_block, std::min(first_block + segment_blocks, blocks), mode);
            if (!node) return queue.fail_with(std::move(node).error());
            if (*segment == 0) segments.first = *node;
            segments.hashes[*segment] = node->chaining_value();
        }
    };
    run_on_threads(std::min<std::uint64_t>(count, std::max(1U, thread_count_max)), work);
    if (auto error = queue.take_error()) return std::unexpected(*std::move(error));
    return segments;
}

// Small enough to share out fairly, large enough that no content needs more
// than 64 Ki hashes in memory.
std::uint64_t segment_blocks_for(std::uint64_t content_bytes) {
    return std::max<std::uint64_t>(4, std::bit_ceil(block_count(content_bytes) >> 16));
}

template <class MakeSource>
Result<Hash> hash_content(std::uint64_t content_bytes,
                          unsigned thread_count_max,
                          const Mode& mode,
                          const MakeSource& make_source) {
    DRACO_TRY(
        segments,
        hash_segments(
            content_bytes, segment_blocks_for(content_bytes), thread_count_max, mode, make_source));
    if (segments.hashes.size() == 1) return segments.first.root_hash();
    return HashTree::from_leaves(segments.hashes, mode).root();
}

template <class MakeSource>
Result<HashTree> build_tree(std::uint64_t content_bytes,
                            unsigned thread_count_max,
                            const Mode& mode,
                            const MakeSource& make_source) {
    DRACO_TRY(segments, hash_segments(content_bytes, 1, thread_count_max, mode, make_source));
    if (segments.hashes.size() == 1) segments.hashes[0] = segments.first.root_hash();
    return HashTree::from_leaves(segments.hashes, mode);
}

}  // namespace

Hash hash_parallel(ByteView content, unsigned thread_count_max, const Mode& mode) {
    return *hash_content(
        content.size(), thread_count_max, mode, [&] { return MemorySource(content); });
}

HashTree build_tree_parallel(ByteView content, unsigned thread_count_max, const Mode& mode) {
    return *build_tree(
        content.size(), thread_count_max, mode, [&] { return MemorySource(content); });
}

Result<Hash> hash_file(const File& file, unsigned thread_count_max, const Mode& mode) {
    DRACO_TRY(size_bytes, file.size());
    return hash_content(
        size_bytes, thread_count_max, mode, [&] { return FileSource(file, size_bytes); });
}

Result<HashTree> build_tree_of_file(const File& file, unsigned thread_count_max, const Mode& mode) {
    DRACO_TRY(size_bytes, file.size());
    return build_tree(
        size_bytes, thread_count_max, mode, [&] { return FileSource(file, size_bytes); });
}

}  // namespace draco::blake3_tree
