#pragma once
// What one sender has signed and the chain has not executed yet, on disk. The reason why no nonce
// is ever signed twice: a transaction leaves only after record() has returned, and the next nonce
// is above all that were recorded.
//
// Owner: the signer, or a command. Not thread-safe; a lock on the disk keeps other processes out.
// Every record() replaces the file (docs/formats/keystore.md) as a whole, so a crash leaves the old
// or the new one; damage of any kind is refused, never repaired. After an error of record() the
// journal must be opened anew: whether the entry is on the disk is unknown.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/identity/transaction_key.hpp"
#include "draco/types/genesis.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace draco::identity {

// Entries not executed; record() is Exhausted beyond.
inline constexpr std::size_t kJournalEntriesMax = 64;
inline constexpr std::size_t kJournalBytesMax = std::size_t{5} << 20;

struct JournalOwner {
    types::ChainId chain;
    types::GenesisDigest genesis;
    types::Sender sender;

    bool operator==(const JournalOwner&) const = default;
};

struct JournalContent {
    types::Nonce signed_last{};
    std::vector<SignedBytes> entries;  // ascending by nonce, all <= signed_last

    bool operator==(const JournalContent&) const = default;
};

Bytes encode_journal(const JournalOwner& owner, const JournalContent& content);
// Corrupt: damaged. InvalidArgument: it is another owner's.
Result<JournalContent> decode_journal(const JournalOwner& owner, ByteView file);

enum class MissingJournal : std::uint8_t {
    Create,  // a new sender, on this disk
    Refuse,  // NotFound: it has signed before, so the journal was lost
};

class SigningJournal {
public:
    // `disk` outlives the journal; the directory of `path` exists. Unavailable: another process has
    // it. Corrupt, InvalidArgument: with what to do.
    static Result<SigningJournal> open(Disk& disk,
                                       std::string path,
                                       JournalOwner owner,
                                       MissingJournal missing = MissingJournal::Create);

    // The highest nonce that was ever recorded; 0 before.
    types::Nonce signed_last() const { return content_.signed_last; }

    const std::vector<SignedBytes>& entries() const { return content_.entries; }

    // Durable when it returns. AlreadyExists, and nothing changes: a nonce at or below
    // signed_last(). Exhausted: too many entries.
    Result<> record(std::span<const SignedBytes> entries);
    // The chain has executed all nonces up to this one: their entries go with the next record().
    void forget(types::Nonce executed);

private:
    SigningJournal(Disk& disk,
                   std::string path,
                   JournalOwner owner,
                   std::unique_ptr<DiskLock> lock,
                   JournalContent content);

    Disk* disk_;
    std::string path_;
    JournalOwner owner_;
    std::unique_ptr<DiskLock> lock_;
    JournalContent content_;
    bool broken_ = false;
};

}  // namespace draco::identity
