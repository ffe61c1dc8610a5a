#pragma once
// What makes RocksDB's write-ahead log lose a tail only. RocksDB reads lost pages (zeros) of a log
// as padding and goes on behind them; and of two logs the first can lose what the second kept.

#include <rocksdb/listener.h>
#include <rocksdb/wal_filter.h>

#include <atomic>
#include <cstdint>

namespace draco::atomo {

// Ends a replay at the first batch whose sequence number does not follow the batch before it. The
// first batch of a replay has none before it: LogStarts has to make it durable before a second one
// is written. Used for one replay.
class ContinuousReplay final : public rocksdb::WalFilter {
public:
    WalProcessingOption LogRecordFound(unsigned long long log_number,
                                       const std::string& log_file_name,
                                       const rocksdb::WriteBatch& batch,
                                       rocksdb::WriteBatch* new_batch,
                                       bool* batch_changed) override;

    const char* Name() const override { return "draco.atomo.ContinuousReplay"; }

private:
    std::uint64_t expected_ = 0;  // 0: no batch yet; RocksDB's numbers start at 1
};

// Says when a batch was the first of its log: with each memtable begins a log.
class LogStarts final : public rocksdb::EventListener {
public:
    void OnMemTableSealed(const rocksdb::MemTableInfo& /*info*/) override { started_ = true; }

    // True once for each log, the first being that of the open.
    bool take() { return started_.exchange(false); }

private:
    std::atomic<bool> started_ = true;
};

}  // namespace draco::atomo
