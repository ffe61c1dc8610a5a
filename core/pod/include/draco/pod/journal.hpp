#pragma once
// What clients have acknowledged and the chain has not counted yet, on disk, and what peers have
// contributed (docs/formats/delivery-journal.md). Append-only, on lib/segment-log: what was synced
// is there after a crash, a torn tail that was not is cut off, other damage is Corrupt.
//
// Records replace each other: of each lane the highest word of the latest instance counts, of each
// peer the last total. So the journal can write anew what is still of use and drop the rest.
//
// Owner: one caller at a time. Errors: Io and Exhausted of the Disk; after one of them the journal
// takes nothing more and must be opened again.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/types/genesis.hpp"
#include "draco/types/lane.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>

namespace draco::pod {

// A PeerShare: the bytes of this peer that no settlement has named yet. Numbered by position in
// the encoding: only ever append.
using JournalRecord = std::variant<types::SignedDeliveryAck, types::PeerShare>;

Bytes encode_record(const JournalRecord& record);
// Corrupt: it is none.
Result<JournalRecord> decode_record(ByteView bytes);

struct JournalContent {
    std::map<types::LaneKey, types::SignedDeliveryAck> acks;
    std::map<types::NodeKey, std::uint64_t> peers;  // none of them 0

    void apply(const JournalRecord& record);
    bool operator==(const JournalContent&) const = default;
};

// Whose acknowledgements these are: another's journal is refused.
struct JournalOwner {
    types::ChainId chain;
    types::GenesisDigest genesis;
    types::NodeKey node;
};

struct JournalOptions {
    std::string directory = "delivery";  // created if absent; nobody else's
    std::uint64_t segment_bytes = std::uint64_t{4} << 20;
};

class Journal {
public:
    struct Opened;

    // `disk` outlives the journal. InvalidArgument: the options. Corrupt: which file, what to do.
    static Result<Opened> open(Disk& disk,
                               const JournalOptions& options,
                               const JournalOwner& owner);
    // Marks a clean end, after which any damage is recognised.
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Durable after the next sync().
    Result<> append(const JournalRecord& record);
    Result<> sync();
    // Makes damage to what was synced last recognisable. For times without news.
    Result<> protect();

    // Whether most of what it holds is of no use any more, if `live` records are.
    bool wants_rewrite(std::size_t live) const;
    // `live` in the place of all there is; durable when it returns. Precondition: everything
    // appended is synced.
    Result<> rewrite(std::span<const JournalRecord> live);

    std::uint64_t disk_bytes() const;

private:
    struct State;

    explicit Journal(std::unique_ptr<State> state);
    Result<> note(Result<> outcome);

    std::unique_ptr<State> state_;
};

struct Journal::Opened {
    std::unique_ptr<Journal> journal;
    JournalContent content;
};

}  // namespace draco::pod
