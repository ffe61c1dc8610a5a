#pragma once
// The object that owns the downloads. All calls but the constructor's are notes of the Board, so
// they come in its turns.

#include "draco/fetcher/messages.hpp"

#include "handle.hpp"

#include <array>
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

// Who waits for an object to be open.
struct Opener {
    interfaces::Asker asker{};
    Instant deadline{};
    OpenAnswer answer;
    std::optional<interfaces::OpenId> id{};  // none: it cannot be taken back, and has no place
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

    void open(const types::ContentHash& hash, Opener opener);
    // The store does not have it, or had it damaged.
    void missed(const types::ContentHash& hash, bool is_damaged, Opener opener);
    // It waits no more.
    void cancelled(const types::ContentHash& hash, interfaces::OpenId id);
    // Of what is on its way, a block was there.
    void has_read(const Reader& reader, std::uint64_t index);
    // A read did not find the block, or found it damaged.
    void wait(const std::shared_ptr<Reader>& reader,
              std::uint64_t index,
              Errc code,
              BlockAnswer answer,
              unsigned attempts);
    void reader_closed(const Reader& reader);

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
    struct Waiter {
        std::shared_ptr<Reader> reader;
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
        // Openers that wait, and readers that are open.
        std::map<interfaces::Asker, std::size_t> holders;
        // Whose place it has: that of the highest of its holders; of nobody, as before.
        interfaces::AskerClass kind = interfaces::AskerClass::Stranger;
        bool is_whole_wanted = false;
        std::optional<Instant> dropped_at;  // unless somebody comes
        std::optional<Result<>> outcome;    // it is over
    };

    struct OpenAsk {
        std::uint64_t download = 0;
        types::NodeKey peer;
        std::optional<interfaces::RequestId> request{};
        std::optional<HeadReader> head{};
        std::uint64_t head_bytes = 0;
        BlockRange blocks{};  // that have not come yet
        std::size_t judging = 0;
        bool is_for_strangers = false;
        std::optional<Result<>> ended{};
        bool is_dropped = false;
    };

    Running* running(const types::ContentHash& hash);
    Running* running(std::uint64_t download);
    // That of an open reader, if it is what it reads.
    Running* running(const Reader& reader);
    void start(const types::ContentHash& hash, Opener opener);
    void add_opener(Running& download, Opener opener);
    std::shared_ptr<Handle> make_handle(Running& download, const Opener& opener);
    void refetch(const std::shared_ptr<Reader>& reader, std::uint64_t index, BlockAnswer answer);
    void drop_waiters(Running& download, const Reader& reader);

    // ---- fetching_places.cpp: who holds what

    Result<> may_hold(const interfaces::Asker& asker, const Running* download);
    bool has_place(interfaces::AskerClass kind);
    void add_holder(Running& download, const interfaces::Asker& asker);
    void remove_holder(Running& download, const interfaces::Asker& asker);
    void release_holders(Running& download);
    void stop_holding(const interfaces::Asker& asker);
    void settle_place(Running& download);
    void move_to(Running& download, interfaces::AskerClass kind);
    void want_as_held(Running& download);
    void drop_unheld();

    void step(Running& download, const Event& event);
    void perform(Running& download, Effects& effects);
    void send(Running& download, const Ask& ask);
    void drop(std::uint64_t ticket);
    void take_head_chunk(std::uint64_t ticket, OpenAsk& ask, Running& download, ByteView chunk);
    void take_block_chunk(std::uint64_t ticket, OpenAsk& ask, Running& download, Bytes chunk);
    void judge_head(std::uint64_t ticket, OpenAsk& ask, const Running& download);
    void settle_ask(std::uint64_t ticket);
    void note_liar(const types::NodeKey& peer, const Running& found_by);
    void finish(Running& download);
    void end(Running& download, Result<> outcome);

    void list_store();
    void give_slots();
    bool may_ask(const Running& download) const;
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
    std::size_t asks_for_strangers_ = 0;
    std::size_t heads_for_strangers_ = 0;
    std::array<std::size_t, kAskerClasses> downloads_of_{};       // that are not over
    std::map<interfaces::Asker, std::size_t> downloads_held_by_;  // by who is told apart
    std::set<types::ContentHash> provided_;
    Instant list_at_{};
    bool is_listing_ = false;
    Counts counts_;
    std::optional<Instant> armed_;
    TimerId timer_{};
};

}  // namespace draco::fetcher
