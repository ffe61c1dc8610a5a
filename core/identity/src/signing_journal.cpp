#include "draco/identity/signing_journal.hpp"

#include "draco/bcs/bcs.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/types/dag.hpp"

#include "durable_file.hpp"

#include <algorithm>
#include <utility>

namespace draco::identity {
namespace {

constexpr std::string_view kMagic = "DRACOSJ1";
constexpr std::size_t kChecksumBytes = 32;

struct StoredEntry {
    types::Nonce nonce;
    types::TransactionHash hash;
    types::TransactionBytes bytes;
};

struct StoredJournal {
    types::ChainId chain;
    types::GenesisDigest genesis;
    types::Sender sender;
    types::Nonce signed_last;
    bcs::Bounded<std::vector<StoredEntry>, kJournalEntriesMax> entries;
};

std::unexpected<Error> damaged(std::string_view how) {
    return fail(Errc::Corrupt,
                "the signing journal is damaged (" + std::string(how) +
                    "), so nothing is signed: a nonce might be used twice. Restore the file from "
                    "this machine's disk snapshot, or wait until the chain has executed all "
                    "transactions of this key and then remove it");
}

Result<JournalContent> content_of(const StoredJournal& stored) {
    JournalContent content{stored.signed_last, {}};
    for (const StoredEntry& entry : *stored.entries) {
        const types::Nonce before =
            content.entries.empty() ? types::Nonce() : content.entries.back().nonce;
        if (entry.nonce <= before || entry.nonce > stored.signed_last)
            return damaged("its nonces are out of order");
        content.entries.push_back({entry.nonce, entry.hash, *entry.bytes});
    }
    return content;
}

}  // namespace

Bytes encode_journal(const JournalOwner& owner, const JournalContent& content) {
    StoredJournal stored{owner.chain, owner.genesis, owner.sender, content.signed_last, {}};
    for (const SignedBytes& entry : content.entries) {
        auto bytes = types::TransactionBytes::make(entry.bytes);
        DRACO_ASSERT(bytes, "a signed transaction is within its bound");
        const bool room =
            stored.entries.try_push_back(StoredEntry{entry.nonce, entry.hash, *std::move(bytes)});
        DRACO_ASSERT(room, "a journal is within its bound");
    }
    Bytes file = to_bytes(as_bytes(kMagic));
    append(file, bcs::encode(stored));
    append(file, crypto::sha256(file).view());
    return file;
}

Result<JournalContent> decode_journal(const JournalOwner& owner, ByteView file) {
    if (file.size() > kJournalBytesMax) return damaged("it is too long");
    if (file.size() < kMagic.size() + kChecksumBytes || !as_text(file).starts_with(kMagic))
        return damaged("it is incomplete, or of another format");
    const ByteView content = file.first(file.size() - kChecksumBytes);
    if (!equal(crypto::sha256(content).view(), file.last(kChecksumBytes)))
        return damaged("its checksum does not match");
    const auto stored = bcs::decode<StoredJournal>(content.subspan(kMagic.size()));
    if (!stored) return damaged(to_string(stored.error()));
    if (JournalOwner{stored->chain, stored->genesis, stored->sender} != owner)
        return fail(Errc::InvalidArgument,
                    "the signing journal is of another chain, genesis or key: move it away, or "
                    "use the home directory that it belongs to");
    return content_of(*stored);
}

SigningJournal::SigningJournal(Disk& disk,
                               std::string path,
                               JournalOwner owner,
                               std::unique_ptr<DiskLock> lock,
                               JournalContent content)
    : disk_(&disk),
      path_(std::move(path)),
      owner_(owner),
      lock_(std::move(lock)),
      content_(std::move(content)) {}

Result<SigningJournal> SigningJournal::open(Disk& disk,
                                            std::string path,
                                            JournalOwner owner,
                                            MissingJournal missing) {
    DRACO_TRY(lock, disk.lock(path + ".lock"));
    // Whoever replaced the file last may have crashed before its name was durable.
    DRACO_TRY_VOID(disk.sync_directory(directory_of(path)));
    const auto file = read_file(disk, path, kJournalBytesMax);
    if (file) {
        auto content = decode_journal(owner, *file);
        if (!content) return fail(content.error().code, path + ": " + content.error().context);
        return SigningJournal(disk, std::move(path), owner, std::move(lock), *std::move(content));
    }
    if (file.error().code != Errc::NotFound) return std::unexpected(file.error());
    if (missing == MissingJournal::Refuse)
        return fail(Errc::NotFound,
                    path +
                        ": the signing journal is missing, so nothing is signed: a nonce might be "
                        "used twice. Restore it, or wait until the chain has executed all "
                        "transactions of this key and then allow a new one");
    const JournalContent empty;
    DRACO_TRY_VOID(replace_file(disk, path, encode_journal(owner, empty)));
    return SigningJournal(disk, std::move(path), owner, std::move(lock), empty);
}

Result<> SigningJournal::record(std::span<const SignedBytes> entries) {
    if (broken_)
        return fail(Errc::Io, path_ + ": a write has failed; the journal must be opened anew");
    JournalContent next = content_;
    for (const SignedBytes& entry : entries) {
        if (entry.nonce <= next.signed_last)
            return fail(Errc::AlreadyExists,
                        "nonce " + std::to_string(entry.nonce.value()) +
                            " is signed already, or below one that is");
        next.signed_last = entry.nonce;
        next.entries.push_back(entry);
    }
    if (next.entries.size() > kJournalEntriesMax)
        return fail(Errc::Exhausted,
                    path_ + ": at most " + std::to_string(kJournalEntriesMax) +
                        " transactions may be under way; wait until some are executed");
    const auto written = replace_file(*disk_, path_, encode_journal(owner_, next));
    broken_ = !written;
    DRACO_TRY_VOID(written);
    content_ = std::move(next);
    return {};
}

void SigningJournal::forget(types::Nonce executed) {
    std::erase_if(content_.entries,
                  [executed](const SignedBytes& entry) { return entry.nonce <= executed; });
}

}  // namespace draco::identity
