#pragma once
// The object that owns the downloads. All calls but the constructor's are notes of the Board, so
// they come in its turns.

#include "draco/fetcher/messages.hpp"

#include "handle.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace draco::fetcher {

struct Parts {
    interfaces::Links& links;
    interfaces::Blockstore& store;
    interfaces::Providers& providers;
    log::Logger log;
};

// What the store said of a head.
struct HeadVerdict {
    std::shared_ptr<const Arrival> arrival;                   // of a file
    std::shared_ptr<const interfaces::StoredContent> stored;  // of a directory
    bool is_whole = false;                                    // no block is missing
    std::optional<Error> error;                               // Corrupt: a lie
};

class Fetching {
public:
    using Messages = affair::Messages<Look>;

    Fetching(Parts& parts, std::shared_ptr<Shared> shared, affair::Self<Fetching> self);
    ~Fetching();
    Fetching(const Fetching&) = delete;
    Fetching& operator=(const Fetching&) = delete;

    void handle(Look look);

    // ---- Notes of callers

    void open(const types::ContentHash& hash, Instant deadline, OpenAnswer answer);
    // The store does not have it, or had it damaged.
    void missed(const types::ContentHash& hash,
                bool is_damaged,
                Instant deadline,
                OpenAnswer answer);
    // A read did not find the block, or found it damaged.
    void wait(const std::shared_ptr<Handle>& handle,
              std::uint64_t index,
              Errc code,
              BlockAnswer answer,
              unsigned attempts);
    void handle_gone(const types::ContentHash& hash, std::uint64_t download);

    // ---- Notes of links, providers and disk tasks

    void found(std::uint64_t download, Result<std::vector<types::NodeKey>> providers);
    void chunk_came(std::uint64_t ticket, Bytes chunk);
    void answer_ended(std::uint64_t ticket, Result<> outcome);
    void head_judged(std::uint64_t ticket, HeadVerdict verdict);
    void block_judged(std::uint64_t ticket,
                      std::uint64_t index,
                      const std::shared_ptr<const Bytes>& block,
                      const Result<>& stored);
    void finished(std::uint64_t download, Result<> outcome);
    // All objects of the store, as far as they can be provided.
    void listed(std::set<types::ContentHash> objects);

private:
    struct Opener {
        Instant deadline;
        OpenAnswer answer;
    };

    struct Waiter {
        std::shared_ptr<Handle> handle;
        BlockAnswer answer;
        unsigned attempts;
    };

    struct Running {
        Running(const types::ContentHash& hash_of_object,
                std::uint64_t number_of_download,
                const DownloadLimits& limits)
            : hash(hash_of_object), number(number_of_download), core(hash_of_object, limits) {}

        types::ContentHash hash;
        std::uint64_t number;
        Download core;
        std::vector<Opener> openers;
        std::map<std::uint64_t, std::vector<Waiter>> waiters;  // by block
        std::shared_ptr<const Arrival> arrival;
        std::size_t handles = 0;
        std::optional<Result<>> outcome;  // it is over
    };

    struct OpenAsk {
        std::uint64_t download = 0;
        types::NodeKey peer;
        std::optional<interfaces::RequestId> request{};
        std::optional<HeadReader> head{};
        std::uint64_t head_bytes = 0;
        BlockRange blocks{};  // that have not come yet
        std::size_t judging = 0;
        std::optional<Result<>> ended{};
        bool is_dropped = false;
    };

    Running* running(const types::ContentHash& hash);
    Running* running(std::uint64_t download);
    void start(const types::ContentHash& hash, OpenAnswer answer, Instant deadline);
    void add_opener(Running& download, OpenAnswer answer, Instant deadline);
    std::shared_ptr<Handle> make_handle(Running& download);

    void step(Running& download, const Event& event);
    void perform(Running& download, Effects& effects);
    void send(Running& download, const Ask& ask);
    void drop(std::uint64_t ticket);
    void take_head_chunk(std::uint64_t ticket, OpenAsk& ask, Running& download, ByteView chunk);
    void take_block_chunk(std::uint64_t ticket, OpenAsk& ask, Running& download, Bytes chunk);
    void judge_head(std::uint64_t ticket, OpenAsk& ask, const Running& download);
    void settle_ask(std::uint64_t ticket);
    void count_bytes(const types::NodeKey& peer, std::uint64_t bytes);
    void note_liar(const types::NodeKey& peer, const Running& found_by);
    void finish(Running& download);
    void end(Running& download, Result<> outcome);
    void drop_if_unwanted(Running& download);

    void list_store();
    void give_slots();
    void expire_openers();
    void sweep();
    void finish_turn();
    void arm();
    void disarm();

    Instant now() const { return self_.executor().clock().now(); }

    Parts& parts_;
    std::shared_ptr<Shared> shared_;
    affair::Self<Fetching> self_;
    std::map<types::ContentHash, Running> downloads_;
    std::map<std::uint64_t, OpenAsk> asks_;  // by ticket
    std::map<types::NodeKey, Instant> liars_;
    types::ContentHash served_last_{};  // slots go round
    std::uint64_t next_number_ = 1;
    std::size_t heads_ = 0;  // asks for heads
    std::set<types::ContentHash> provided_;
    Instant list_at_{};
    bool is_listing_ = false;
    Counts counts_;
    std::optional<Instant> armed_;
    TimerId timer_{};
};

}  // namespace draco::fetcher
