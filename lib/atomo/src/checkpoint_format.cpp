#include "checkpoint_format.hpp"

#include "layout.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace draco::atomo {

template <std::unsigned_integral T>
void CheckpointWriter::number(T value) {
    std::array<std::uint8_t, sizeof(T)> raw;
    store_le(raw.data(), value);
    append(buffer_, raw);
}

Result<> CheckpointWriter::header(const CheckpointHeader& header) {
    append(buffer_, as_bytes(kCheckpointMagic));
    number(kCheckpointFormat);
    number(static_cast<std::uint8_t>(header.hash));
    append(buffer_, header.root.view());
    number(static_cast<std::uint8_t>(header.tables.size()));
    for (const TableInfo& table : header.tables) {
        number(table.id);
        number(static_cast<std::uint8_t>(table.authenticated));
        number(static_cast<std::uint8_t>(table.name.size()));
        append(buffer_, as_bytes(table.name));
    }
    return flush_if_full();
}

Result<> CheckpointWriter::entry(ByteView key, ByteView value) {
    number(kEntryTag);
    number(static_cast<std::uint16_t>(key.size()));
    append(buffer_, key);
    number(static_cast<std::uint32_t>(value.size()));
    append(buffer_, value);
    return flush_if_full();
}

Result<> CheckpointWriter::table_end(std::uint64_t entries) {
    number(kTableEndTag);
    number(entries);
    return flush_if_full();
}

Result<> CheckpointWriter::flush_if_full() {
    return buffer_.size() < kStreamBufferBytes ? Result<>{} : flush();
}

Result<> CheckpointWriter::flush() {
    hash_.update(buffer_);
    DRACO_TRY_VOID(file_.write_at(written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    return {};
}

std::unexpected<Error> CheckpointReader::corrupt(std::string_view what) const {
    return fail(Errc::Corrupt,
                "checkpoint, before offset " + std::to_string(offset_) + ": " + std::string(what));
}

Result<> CheckpointReader::fill(MutByteView out) {
    if (size_ - offset_ < out.size()) return corrupt("the file ends within a field");
    while (!out.empty()) {
        if (buffer_next_ == buffer_.size()) {
            buffer_.resize(std::min<std::uint64_t>(size_ - offset_, kStreamBufferBytes));
            buffer_next_ = 0;
            DRACO_TRY(read, file_.read_at(offset_, buffer_));
            if (read != buffer_.size()) return corrupt("the file shrank while it was read");
            hash_.update(buffer_);
        }
        const std::size_t count = std::min(out.size(), buffer_.size() - buffer_next_);
        std::copy_n(
            buffer_.begin() + static_cast<std::ptrdiff_t>(buffer_next_), count, out.begin());
        buffer_next_ += count;
        offset_ += count;
        out = out.subspan(count);
    }
    return {};
}

template <std::unsigned_integral T>
Result<T> CheckpointReader::number() {
    std::array<std::uint8_t, sizeof(T)> raw;
    DRACO_TRY_VOID(fill(raw));
    return load_le<T>(raw.data());
}

Result<> CheckpointReader::bytes(std::size_t count, Bytes& out) {
    if (size_ - offset_ < count) return corrupt("a length reaches past the end of the file");
    out.resize(count);
    return fill(out);
}

Result<CheckpointHeader> CheckpointReader::header() {
    Bytes text;
    DRACO_TRY_VOID(bytes(kCheckpointMagic.size(), text));
    if (as_text(text) != kCheckpointMagic) return corrupt("this is not a checkpoint");
    DRACO_TRY(format, number<std::uint32_t>());
    if (format != kCheckpointFormat)
        return corrupt("format " + std::to_string(format) + "; this build reads " +
                       std::to_string(kCheckpointFormat));
    CheckpointHeader header;
    DRACO_TRY(hash, number<std::uint8_t>());
    if (hash > static_cast<std::uint8_t>(kStateHashLast)) return corrupt("unknown state hash");
    header.hash = static_cast<StateHash>(hash);
    DRACO_TRY_VOID(fill(header.root.view()));
    DRACO_TRY(tables, number<std::uint8_t>());
    for (std::size_t i = 0; i < tables; ++i) {
        TableInfo& table = header.tables.emplace_back();
        DRACO_TRY(id, number<std::uint8_t>());
        DRACO_TRY(authenticated, number<std::uint8_t>());
        if (authenticated > 1) return corrupt("a flag is neither 0 nor 1");
        DRACO_TRY(name_bytes, number<std::uint8_t>());
        DRACO_TRY_VOID(bytes(name_bytes, text));
        table = {id, std::string(as_text(text)), static_cast<Authenticated>(authenticated)};
    }
    if (const auto checked = check_tables(header.tables); !checked)
        return corrupt(checked.error().context);
    return header;
}

Result<bool> CheckpointReader::entry(Bytes& key, Bytes& value) {
    DRACO_TRY(tag, number<std::uint8_t>());
    if (tag == kTableEndTag) {
        DRACO_TRY(entries, number<std::uint64_t>());
        if (entries != std::exchange(table_entries_, 0))
            return corrupt("a table has another number of entries than its end says");
        return false;
    }
    if (tag != kEntryTag) return corrupt("neither an entry nor the end of a table");
    DRACO_TRY(key_bytes, number<std::uint16_t>());
    if (key_bytes > kKeyBytesMax) return corrupt("a key is over its bound");
    DRACO_TRY_VOID(bytes(key_bytes, key));
    DRACO_TRY(value_bytes, number<std::uint32_t>());
    if (value_bytes > kValueBytesMax) return corrupt("a value is over its bound");
    DRACO_TRY_VOID(bytes(value_bytes, value));
    ++table_entries_;
    return true;
}

Result<> CheckpointReader::finish() {
    if (offset_ != size_) return corrupt("bytes follow the last table");
    return {};
}

}  // namespace draco::atomo
