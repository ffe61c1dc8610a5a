#include "draco/pod/journal.hpp"

#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/segment_log/segment_log.hpp"

#include <utility>

namespace draco::pod {
namespace {

using segment_log::SegmentLog;

constexpr std::size_t kRecordBytesMax = 256;
constexpr std::size_t kSegmentsMax = 1024;
// It is written anew when it has so many segments, and so many times the records of use.
constexpr std::size_t kSegmentsBeforeRewrite = 3;
constexpr std::uint64_t kRecordsPerLive = 4;

constexpr std::string_view kAdvice =
    "; nobody else has these records: restore the directory from a copy, or move it away, and what "
    "clients have acknowledged and the chain has not settled yet is not paid";

segment_log::LogId id_of(const JournalOwner& owner) {
    Bytes chain(8);
    store_le<std::uint64_t>(chain.data(), owner.chain.value());
    blake3_tree::Hasher hasher;
    hasher.update(as_bytes("draco.network 2026 delivery journal v1"));
    hasher.update(chain);
    hasher.update(owner.genesis.view());
    hasher.update(owner.node.view());
    return segment_log::LogId(hasher.finish().bytes);
}

}  // namespace

Bytes encode_record(const JournalRecord& record) {
    return bcs::encode(record);
}

Result<JournalRecord> decode_record(ByteView bytes) {
    auto record = bcs::decode<JournalRecord>(bytes);
    if (!record) return fail(Errc::Corrupt, "no record of a delivery journal");
    return *std::move(record);
}

void JournalContent::apply(const JournalRecord& record) {
    if (const auto* share = std::get_if<types::PeerShare>(&record)) {
        if (share->bytes == 0)
            peers.erase(share->peer);
        else
            peers[share->peer] = share->bytes;
        return;
    }
    const auto& word = std::get<types::SignedDeliveryAck>(record);
    const types::LaneKey key{word.ack.payer, word.ack.node, word.ack.lane};
    const auto [at, first] = acks.emplace(key, word);
    if (first) return;
    const types::DeliveryAck& known = at->second.ack;
    if (std::pair(known.instance, known.cumulative) <
        std::pair(word.ack.instance, word.ack.cumulative))
        at->second = word;
}

struct Journal::State {
    std::unique_ptr<SegmentLog> log;
    std::uint64_t records = 0;  // since the last rewrite
    bool failed = false;
};

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}

Journal::~Journal() {
    if (!state_->failed) static_cast<void>(state_->log->seal());
}

Result<Journal::Opened> Journal::open(Disk& disk,
                                      const JournalOptions& options,
                                      const JournalOwner& owner) {
    auto state = std::make_unique<State>();
    JournalContent content;
    const segment_log::Options log_options{.directory = options.directory,
                                           .id = id_of(owner),
                                           .segment_bytes = options.segment_bytes,
                                           .segments_max = kSegmentsMax,
                                           .record_bytes_max = kRecordBytesMax};
    auto log =
        SegmentLog::open(disk, log_options, [&](const segment_log::Record& found) -> Result<> {
            const auto record = decode_record(found.bytes);
            if (!record)
                return fail(Errc::Corrupt,
                            "record " + std::to_string(found.sequence) + " of " +
                                options.directory + ": " + record.error().context);
            content.apply(*record);
            ++state->records;
            return {};
        });
    if (!log && log.error().code == Errc::Corrupt)
        return fail(Errc::Corrupt,
                    "the journal of acknowledgements is damaged: " + log.error().context +
                        std::string(kAdvice));
    if (!log) return std::unexpected(std::move(log).error());
    state->log = *std::move(log);
    return Opened{std::unique_ptr<Journal>(new Journal(std::move(state))), std::move(content)};
}

Result<> Journal::note(Result<> outcome) {
    if (!outcome) state_->failed = true;
    return outcome;
}

Result<> Journal::append(const JournalRecord& record) {
    const auto added = state_->log->append(state_->log->next_sequence(), encode_record(record));
    if (!added) return note(std::unexpected(added.error()));
    ++state_->records;
    return {};
}

Result<> Journal::sync() {
    return note(state_->log->sync());
}

Result<> Journal::protect() {
    return note(state_->log->protect());
}

bool Journal::wants_rewrite(std::size_t live) const {
    return state_->records > kRecordsPerLive * live &&
           state_->log->segments().size() >= kSegmentsBeforeRewrite;
}

Result<> Journal::rewrite(std::span<const JournalRecord> live) {
    const std::uint64_t floor = state_->log->next_sequence();
    state_->records = 0;
    for (const JournalRecord& record : live) DRACO_TRY_VOID(append(record));
    DRACO_TRY_VOID(sync());
    state_->log->drop_below(floor);
    return sync();
}

std::uint64_t Journal::disk_bytes() const {
    return state_->log->disk_bytes();
}

}  // namespace draco::pod
