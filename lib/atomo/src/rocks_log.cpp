#include "rocks_log.hpp"

#include "draco/base/bytes.hpp"

#include <rocksdb/write_batch.h>

namespace draco::atomo {

rocksdb::WalFilter::WalProcessingOption ContinuousReplay::LogRecordFound(
    unsigned long long /*log_number*/,
    const std::string& /*log_file_name*/,
    const rocksdb::WriteBatch& batch,
    rocksdb::WriteBatch* /*new_batch*/,
    bool* /*batch_changed*/) {
    // A batch starts with its sequence number, 8 bytes little-endian; each entry takes one.
    const std::string& bytes = batch.Data();
    if (bytes.size() < sizeof(std::uint64_t)) return WalProcessingOption::kCorruptedRecord;
    const auto sequence = load_le<std::uint64_t>(as_bytes(bytes).data());
    if (expected_ != 0 && sequence != expected_) return WalProcessingOption::kStopReplay;
    expected_ = sequence + static_cast<std::uint64_t>(batch.Count());
    return WalProcessingOption::kContinueProcessing;
}

}  // namespace draco::atomo
