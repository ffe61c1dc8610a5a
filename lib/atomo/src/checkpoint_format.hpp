#pragma once
// The checkpoint's bytes, one field at a time (README has the grammar).

#include "draco/atomo/checkpoint.hpp"
#include "draco/atomo/table.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco::atomo {

inline constexpr std::string_view kCheckpointMagic = "DRACOCKP";
inline constexpr std::uint32_t kCheckpointFormat = 1;
inline constexpr std::uint8_t kEntryTag = 1;
inline constexpr std::uint8_t kTableEndTag = 0;
inline constexpr std::size_t kStreamBufferBytes = std::size_t{1} << 18;

struct CheckpointHeader {
    StateHash hash = StateHash::Sha256;
    StateRoot root;
    std::vector<TableInfo> tables;  // ascending by id
};

// Appends to a file through a buffer and a hash.
class CheckpointWriter {
public:
    CheckpointWriter(File& file, StreamHash& hash) : file_(file), hash_(hash) {}

    Result<> header(const CheckpointHeader& header);
    Result<> entry(ByteView key, ByteView value);
    Result<> table_end(std::uint64_t entries);
    Result<> flush();

    std::uint64_t bytes() const { return written_ + buffer_.size(); }

private:
    template <std::unsigned_integral T>
    void number(T value);
    Result<> flush_if_full();

    File& file_;
    StreamHash& hash_;
    Bytes buffer_;
    std::uint64_t written_ = 0;
};

// Reads a file front to back through a buffer and a hash. Foreign bytes: no length is believed
// before it is within its bound and within the file. Corrupt errors name the offset.
class CheckpointReader {
public:
    CheckpointReader(const File& file, std::uint64_t size_bytes, StreamHash& hash)
        : file_(file), size_(size_bytes), hash_(hash) {}

    Result<CheckpointHeader> header();
    // True and an entry (valid until the next call), or false at the end of the table.
    Result<bool> entry(Bytes& key, Bytes& value);
    // Corrupt if bytes are left.
    Result<> finish();

    std::uint64_t offset() const { return offset_; }

    std::unexpected<Error> corrupt(std::string_view what) const;

private:
    template <std::unsigned_integral T>
    Result<T> number();
    Result<> bytes(std::size_t count, Bytes& out);
    Result<> fill(MutByteView out);

    const File& file_;
    const std::uint64_t size_;
    StreamHash& hash_;
    Bytes buffer_;
    std::size_t buffer_next_ = 0;
    std::uint64_t offset_ = 0;  // of the next byte to be read
    std::uint64_t table_entries_ = 0;
};

}  // namespace draco::atomo
