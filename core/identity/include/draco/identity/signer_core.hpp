#pragma once
// The order in which a sender's transactions are signed, kept, sent and sent again: a deterministic
// core (docs/decisions/004). It signs the next nonce, asks to persist what it signed, and sends
// only what is durable; it sends again, byte for byte, until the chain has executed it.
//
// Owner: one driver, which performs the effects of a step in their order and reports what came of
// them as events, each once.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/identity/signing_journal.hpp"
#include "draco/identity/transaction_key.hpp"
#include "draco/types/receipt.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace draco::identity {

struct SignerOptions {
    std::size_t queue_max = 256;       // methods that wait for a nonce
    std::size_t nonces_ahead_max = 8;  // signed and not executed; <= kJournalEntriesMax
    Duration resend_after = std::chrono::seconds(10);  // since the last submission that was taken
    Duration submit_timeout = std::chrono::seconds(10);
    Duration backoff_first = std::chrono::milliseconds(100);  // doubles up to
    Duration backoff_max = std::chrono::seconds(10);
};

using RequestId = std::uint64_t;

// --- events

struct ExecuteRequested {
    RequestId request;  // unique
    types::Method method;
    types::FlkAmount fee_max;
};

// What the chain knows of the sender; nullopt: a node that is not registered.
struct ChainSeen {
    std::optional<types::Nonce> executed;
};

struct OutcomesSeen {
    std::vector<std::pair<types::TransactionHash, std::variant<types::Receipt, types::Refusal>>>
        outcomes;  // may name transactions that are not this sender's
};

// Everything of the last Persist effect.
struct Persisted {
    Result<> result;
};

struct Submitted {
    types::Nonce nonce;
    std::uint64_t attempt;
    Result<> result;
};

// nullopt: no block executed the transaction.
struct ReceiptRead {
    types::Nonce nonce;
    Result<std::optional<types::Receipt>> receipt;
};

struct TimePassed {};

using SignerEvent = std::variant<ExecuteRequested,
                                 ChainSeen,
                                 OutcomesSeen,
                                 Persisted,
                                 Submitted,
                                 ReceiptRead,
                                 TimePassed>;

// --- effects

// Make these durable in the journal, then say so.
struct Persist {
    std::vector<SignedBytes> entries;
};

// The chain executed everything up to here.
struct Forget {
    types::Nonce executed;
};

struct Submit {
    types::Nonce nonce;
    std::uint64_t attempt;
    Bytes bytes;
};

// From the state: what became of a transaction whose nonce is used.
struct ReadReceipt {
    types::Nonce nonce;
    types::TransactionHash hash;
};

// Read what the chain knows of the sender now, and report it as ChainSeen.
struct ReadChain {};

// For people: this nonce was used by a transaction that was not signed here.
struct ForeignTransaction {
    types::Nonce nonce;
};

// The outcome of a request; each gets one.
struct Finish {
    RequestId request;
    Result<types::Receipt> result;
};

using SignerEffect =
    std::variant<Persist, Forget, Submit, ReadReceipt, ReadChain, ForeignTransaction, Finish>;
using SignerEffects = std::vector<SignerEffect>;

struct SignerCounts {
    std::optional<types::Nonce> executed;
    types::Nonce signed_last{};
    std::uint64_t pending = 0;
    std::uint64_t waiting = 0;
    std::uint64_t sent_again = 0;
};

class SignerCore {
public:
    // `journal` is what is durable. `key` outlives the core. Until the first ChainSeen nothing is
    // signed or sent.
    SignerCore(const TransactionKey& key, JournalContent journal, SignerOptions options);

    void step(SignerEvent event, Instant now, SignerEffects& effects);

    // When TimePassed is due; nullopt: only another event can change anything.
    std::optional<Instant> wakes_at() const;
    SignerCounts counts() const;

    // The journal could not be written; nothing is signed any more.
    const std::optional<Error>& failure() const { return failure_; }

private:
    enum class Stage : std::uint8_t {
        Persisting,
        Waiting,   // to be submitted at `due`
        Sending,   // an answer is expected until `due`
        Taken,     // by a member; to be submitted again at `due`
        Executed,  // its nonce is used: the receipt is being read
    };

    struct Pending {
        SignedBytes transaction;
        std::optional<RequestId> request;  // none: of an earlier life, or told already
        Stage stage = Stage::Waiting;
        Instant due{};
        std::uint64_t attempt = 0;
        Duration backoff{};
        bool early = false;              // it came before its predecessor
        std::optional<Error> rejection;  // of the last submission; it counts if the nonce is unused
    };

    using PendingMap = std::map<types::Nonce, Pending>;

    void on(ExecuteRequested event, Instant now, SignerEffects& effects);
    void on(ChainSeen event, Instant now, SignerEffects& effects);
    void on(OutcomesSeen event, Instant now, SignerEffects& effects);
    void on(Persisted event, Instant now, SignerEffects& effects);
    void on(Submitted event, Instant now, SignerEffects& effects);
    void on(ReceiptRead event, Instant now, SignerEffects& effects);
    void on(TimePassed event, Instant now, SignerEffects& effects);

    PendingMap::iterator find(const types::TransactionHash& hash);
    void saw_executed(types::Nonce executed, SignerEffects& effects);
    void resolve_executed(SignerEffects& effects);
    void report_rejections(SignerEffects& effects);
    void sign_waiting(SignerEffects& effects);
    void submit_due(Instant now, SignerEffects& effects);
    void back_off(Pending& pending, Instant now) const;
    void hasten_next(Instant now);
    void out_of_order(Pending& pending, Instant now);
    void refused(Pending& pending, types::Refusal refusal, Instant now, SignerEffects& effects);
    static void finish(Pending& pending, Result<types::Receipt> result, SignerEffects& effects);
    void fail_all(const Error& error, SignerEffects& effects);
    types::Nonce next_nonce() const;

    const TransactionKey& key_;
    SignerOptions options_;
    PendingMap pending_;
    std::deque<ExecuteRequested> queue_;
    std::optional<types::Nonce> executed_;  // as the chain was seen
    bool registered_ = false;
    types::Nonce signed_last_;
    std::uint64_t sent_again_ = 0;
    bool persisting_ = false;
    std::optional<Error> failure_;
};

}  // namespace draco::identity
