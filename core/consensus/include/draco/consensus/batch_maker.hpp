#pragma once
// The own worker: gathers transactions into batches and follows each from the client to the
// executed block, so that none is lost on the way. Bounded by bytes that are not executed yet.
//
// Where worker processes do the gathering there are two of them: one in the worker, which gathers
// and lets go of batches as they become ready (drain), and one in the node's core, which adopts
// them, without their transactions, and proposes them.

#include "draco/consensus/parameters.hpp"
#include "draco/consensus/verify.hpp"

#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace draco::consensus {

class BatchMaker {
public:
    BatchMaker(const Parameters& parameters,
               types::ChainId chain,
               Epoch epoch,
               AuthorityIndex self,
               types::WorkerIndex worker,
               std::size_t quorum);

    // Headers of `round` and later may name what is sealed from here on.
    void enter(Round round);

    // False if the transaction is shorter than kTransactionBytesMin, or the bytes are used up.
    // Appends the batch that it filled.
    [[nodiscard]] bool submit(const types::TransactionBytes& transaction,
                              Instant now,
                              std::vector<CheckedBatch>& sealed);

    // When the open batch must be sealed at the latest, unless it may wait for a header.
    std::optional<Instant> seal_deadline() const;
    // nullopt if there are no open transactions.
    std::optional<CheckedBatch> seal(Instant now);

    // An own batch from the log: proposed again unless a block orders it.
    void restore(const CheckedBatch& batch);
    // One that a worker process has sealed: ready, unless a header that may still be certified
    // names it.
    void adopt(const CheckedBatch& batch);

    // Another member holds the batch.
    void stored(const types::BatchDigest& digest, AuthorityIndex by);
    // Lets large batches whose grace is over into headers.
    void end_grace(Instant now);
    std::optional<Instant> grace_deadline() const;

    bool has_ready();

    bool has_open() const { return !open_.empty(); }

    // For the header of `round`: what is ready and may be named by it (batch_age.hpp), oldest
    // first, within a header's bounds.
    std::vector<types::BatchReference> take(Round round);
    // What is ready, oldest first, for somebody else to propose.
    std::vector<CheckedBatch> drain();
    // Precondition (asserted): take() returned it, and it is not executed.
    const CheckedBatch& own(const types::BatchDigest& digest) const;
    // Null: not an own batch, or executed.
    const CheckedBatch* find(const types::BatchDigest& digest) const;
    // All that are not executed.
    std::vector<CheckedBatch> all() const;
    // A header of `round` in the log named these own batches.
    void taken(Round round, const types::Header& header);

    // The header of `round` will never be certified: what it carried is ready again.
    void abandon(Round round);
    // So is what headers below the floor carried and no block ordered.
    void raise_floor(Round floor);
    // What is ready and so old that only headers below the floor may name it, sealed anew.
    std::vector<CheckedBatch> renew(Round floor);
    // The same, given up instead: nothing is known of them any more.
    std::vector<CheckedBatch> give_up(Round floor);
    // Nothing is known of it any more. The batch, if it was one.
    std::optional<CheckedBatch> remove(const types::BatchDigest& digest);

    void ordered(const types::BatchDigest& digest, types::Height height);
    // Those that the blocks up to `height` order. Nothing is known of them any more.
    std::vector<CheckedBatch> executed(types::Height height);

    // Whether some own transaction is not ordered yet.
    bool outstanding() const { return unordered_ > 0 || !open_.empty(); }

    // Oldest first: own transactions that no block up to `height` orders.
    std::vector<types::TransactionBytes> unordered_after(types::Height height) const;

    std::size_t bytes() const { return bytes_; }

private:
    struct Own {
        CheckedBatch batch;
        std::optional<types::Height> height;  // of the block that orders it
    };

    struct Waiting {
        types::BatchReference reference;
        AuthoritySet holders;
        Instant deadline;
    };

    CheckedBatch close();
    // Small ones whose receipt nobody confirms, once all before them are held by others.
    void let_small_pass();
    void make_ready_again(const std::vector<types::BatchReference>& batches);
    bool is_unordered(const types::BatchDigest& digest) const;
    bool is_too_old(const types::BatchReference& ready, Round floor) const;

    const Parameters& parameters_;
    types::ChainId chain_;
    Epoch epoch_;
    AuthorityIndex self_;
    types::WorkerIndex worker_;
    std::size_t quorum_;

    decltype(types::Batch::transactions) open_;
    std::size_t open_bytes_ = 0;
    Instant opened_at_;
    std::uint64_t next_sequence_ = 0;

    std::map<types::BatchDigest, Own> own_;
    std::size_t bytes_ = 0;      // of own_ and open_
    std::size_t unordered_ = 0;  // entries of own_ without a height
    std::deque<Waiting> waiting_;
    std::deque<types::BatchReference> ready_;
    std::map<Round, std::vector<types::BatchReference>> proposed_;
};

}  // namespace draco::consensus
