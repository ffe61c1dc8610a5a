#pragma once
// The bytes of one simulated file: what a running program sees, and what it takes to say what would
// survive a crash. Not thread-safe.
//
// Representation: pages_ hold the visible bytes (null is a page of zeros; bytes past size_ are
// zero). saved_ holds the durable content of pages below durable_pages_ that have changed since the
// last commit. changes_ lists the changes since then, their data back to back in data_.

#include "draco/base/bytes.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace draco::simulon {

// How much of what was not synced outlives one crash.
enum class Survival { All, None, Some };

class FileImage {
public:
    // Keeps `used_bytes`, which outlives the image, up to date with size() as long as it lives.
    explicit FileImage(std::uint64_t& used_bytes) : used_bytes_(used_bytes) {}

    ~FileImage() { used_bytes_ -= size_; }

    FileImage(const FileImage&) = delete;
    FileImage& operator=(const FileImage&) = delete;

    std::uint64_t size() const { return size_; }

    std::size_t read(std::uint64_t offset, MutByteView out) const;
    void write(std::uint64_t offset, ByteView data);
    void resize(std::uint64_t size);
    // All changes so far are durable.
    void commit();
    // Goes back to the durable content and lets a random part of the changes survive. What is then
    // visible is durable.
    void lose_uncommitted(Survival survival, SeededRng& rng);
    // In what is visible and in what is durable. Precondition: bit_index < 8 * size().
    void flip_bit(std::uint64_t bit_index);

private:
    static constexpr std::size_t kPageBytes = 4096;
    using Page = std::array<std::uint8_t, kPageBytes>;

    struct Change {
        bool is_resize;
        std::uint64_t offset;  // of a write; the new size of a resize
        std::size_t length;    // of a write, in data_
    };

    void apply_write(std::uint64_t offset, ByteView data);
    void apply_resize(std::uint64_t size);
    void apply_torn(std::uint64_t offset, ByteView data, SeededRng& rng);
    void set_size(std::uint64_t size);
    void save(std::uint64_t page);
    void note(const Change& change);

    std::uint64_t& used_bytes_;
    std::vector<std::unique_ptr<Page>> pages_;
    std::uint64_t size_ = 0;
    std::uint64_t durable_size_ = 0;
    std::uint64_t durable_pages_ = 0;
    std::map<std::uint64_t, std::unique_ptr<Page>> saved_;
    std::vector<Change> changes_;
    Bytes data_;
};

}  // namespace draco::simulon
