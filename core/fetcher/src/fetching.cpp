#include "fetching.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {
namespace {

using interfaces::Protocol;
using types::ContentHash;
using types::NodeKey;

// Bytes of one answer in memory, at most; processed ones are granted again.
constexpr std::size_t kCreditBytes = 2 * interfaces::kResponseChunkBytesMax;

class AskReceiver final : public interfaces::ResponseReceiver {
public:
    AskReceiver(std::shared_ptr<Shared> shared, std::uint64_t ticket)
        : shared_(std::move(shared)), ticket_(ticket) {}

    void on_chunk(Bytes chunk) override {
        shared_->board.note([ticket = ticket_, chunk = std::move(chunk)](Fetching* object) mutable {
            object->chunk_came(ticket, std::move(chunk));
        });
    }

    void on_end(Result<> outcome) override {
        shared_->board.note(
            [ticket = ticket_, outcome = std::move(outcome)](Fetching* object) mutable {
                object->answer_ended(ticket, std::move(outcome));
            });
    }

private:
    std::shared_ptr<Shared> shared_;
    std::uint64_t ticket_;
};

bool has_all_blocks(const interfaces::ArrivingFile& file) {
    for (std::uint64_t i = 0; i < file.info().leaves; ++i)
        if (!file.has_block(i)) return false;
    return true;
}

HeadVerdict take_file(interfaces::Blockstore& store,
                      const ContentHash& hash,
                      std::uint64_t download,
                      std::uint64_t bytes,
                      std::vector<blake3_tree::Hash> nodes,
                      ByteView last_block) {
    HeadVerdict verdict;
    auto kept = std::make_shared<const std::vector<blake3_tree::Hash>>(nodes);
    auto file = store.arrive(hash, std::move(nodes), bytes);
    if (!file) {
        verdict.error = std::move(file).error();
        return verdict;
    }
    const types::ContentInfo info = (*file)->info();
    if (auto put = (*file)->put_block(info.leaves - 1, last_block); !put) {
        verdict.error = std::move(put).error();
        return verdict;
    }
    verdict.is_whole = has_all_blocks(**file);
    verdict.arrival = std::make_shared<const Arrival>(Arrival{
        .info = info, .download = download, .file = *std::move(file), .nodes = std::move(kept)});
    return verdict;
}

HeadVerdict take_directory(interfaces::Blockstore& store,
                           const ContentHash& hash,
                           const std::vector<types::DirectoryEntry>& entries) {
    HeadVerdict verdict;
    verdict.is_whole = true;
    if (auto put = store.put_directory(entries); !put) {
        verdict.error = std::move(put).error();
        return verdict;
    }
    if (auto stored = store.open(hash); stored) {
        verdict.stored = *std::move(stored);
    } else {
        verdict.error = std::move(stored).error();
    }
    return verdict;
}

// An error that is told to several.
Error copy_of(const Result<>& outcome) {
    return outcome ? Error{Errc::Unavailable, "it is over"} : outcome.error();
}

}  // namespace

Fetching::Fetching(Parts& parts, std::shared_ptr<Shared> shared, affair::Self<Fetching> self)
    : parts_(parts), shared_(std::move(shared)), self_(std::move(self)) {}

Fetching::~Fetching() {
    disarm();
    for (const auto& [ticket, ask] : asks_)
        if (ask.request) parts_.links.cancel(*ask.request);
}

void Fetching::handle(Look /*look*/) {
    for (auto& note : shared_->board.take()) {
        note(this);
        sweep();
    }
    finish_turn();
}

// ---- Callers

void Fetching::open(const ContentHash& hash, Instant deadline, OpenAnswer answer) {
    if (Running* download = running(hash))
        return add_opener(*download, std::move(answer), deadline);
    shared_->run_on_disk([&store = parts_.store,
                          shared = shared_,
                          hash,
                          deadline,
                          answer = std::move(answer)]() mutable {
        auto stored = store.open(hash);
        if (stored) return answer(std::make_shared<Handle>(shared, *std::move(stored)));
        const Errc code = stored.error().code;
        if (code != Errc::NotFound && code != Errc::Corrupt)
            return answer(std::unexpected(std::move(stored).error()));
        shared->board.note(
            [hash, deadline, code, answer = std::move(answer)](Fetching* object) mutable {
                object->missed(hash, code == Errc::Corrupt, deadline, std::move(answer));
            });
    });
}

void Fetching::missed(const ContentHash& hash,
                      bool is_damaged,
                      Instant deadline,
                      OpenAnswer answer) {
    if (is_damaged) ++counts_.refetched;
    if (Running* download = running(hash))
        return add_opener(*download, std::move(answer), deadline);
    if (downloads_.size() >= shared_->options.downloads_max)
        return answer(fail(Errc::Exhausted,
                           std::to_string(downloads_.size()) +
                               " objects are on their way to this node, as many as may be; come "
                               "back"));
    start(hash, std::move(answer), deadline);
}

void Fetching::wait(const std::shared_ptr<Handle>& handle,
                    std::uint64_t index,
                    Errc code,
                    BlockAnswer answer,
                    unsigned attempts) {
    const ContentHash& hash = handle->info().hash;
    if (code == Errc::Corrupt) ++counts_.refetched;
    Running* download = running(hash);
    if (download == nullptr || !download->arrival || handle->arrival() != download->arrival.get()) {
        // Another object, or the same one again, has to come.
        OpenAnswer then([handle, index, answer = std::move(answer)](
                            Result<std::shared_ptr<interfaces::Content>> content) mutable {
            if (!content) return answer(std::unexpected(std::move(content).error()));
            handle->replace(*content);
            (*content)->read_block(index, [answer = std::move(answer)](auto block) mutable {
                answer(std::move(block));
            });
        });
        return open(hash, now() + shared_->options.refetch_deadline, std::move(then));
    }
    if (code == Errc::Corrupt) step(*download, BlockLost{index});
    if (download->core.is_here(index)) return handle->submit(index, std::move(answer), attempts);
    download->waiters[index].push_back(
        {.handle = handle, .answer = std::move(answer), .attempts = attempts});
    step(*download, Wanted{index});
}

void Fetching::handle_gone(const ContentHash& hash, std::uint64_t number) {
    Running* download = running(hash);
    if (download == nullptr || download->number != number) return;
    --download->handles;
    drop_if_unwanted(*download);
}

void Fetching::drop_if_unwanted(Running& download) {
    if (download.handles > 0 || !download.openers.empty() || !download.waiters.empty() ||
        2 * download.core.here_count() > download.core.leaves())
        return;
    end(download, fail(Errc::Abandoned, "nobody waits for it any more"));
    ++counts_.dropped;
}

// ---- Downloads

Fetching::Running* Fetching::running(const ContentHash& hash) {
    const auto found = downloads_.find(hash);
    return found == downloads_.end() || found->second.outcome ? nullptr : &found->second;
}

Fetching::Running* Fetching::running(std::uint64_t download) {
    const auto found = std::ranges::find_if(
        downloads_, [download](const auto& one) { return one.second.number == download; });
    return found == downloads_.end() || found->second.outcome ? nullptr : &found->second;
}

void Fetching::start(const ContentHash& hash, OpenAnswer answer, Instant deadline) {
    auto& download =
        downloads_.try_emplace(hash, hash, next_number_++, shared_->options.limits).first->second;
    add_opener(download, std::move(answer), deadline);
    step(download, Start{});
}

void Fetching::add_opener(Running& download, OpenAnswer answer, Instant deadline) {
    if (download.arrival) return answer(make_handle(download));
    download.openers.push_back({.deadline = deadline, .answer = std::move(answer)});
}

std::shared_ptr<Handle> Fetching::make_handle(Running& download) {
    ++download.handles;
    return std::make_shared<Handle>(shared_, download.arrival);
}

void Fetching::step(Running& download, const Event& event) {
    if (download.outcome) return;
    Effects effects;
    download.core.step(event, now(), effects);
    perform(download, effects);
}

void Fetching::perform(Running& download, Effects& effects) {
    for (const std::uint64_t ticket : effects.cancels) drop(ticket);
    for (const NodeKey& peer : effects.liars) note_liar(peer, download);
    if (effects.failure) return end(download, std::unexpected(*std::move(effects.failure)));
    if (effects.find)
        parts_.providers.find(
            download.hash,
            now() + shared_->options.find_deadline,
            [shared = shared_, number = download.number](Result<std::vector<NodeKey>> providers) {
                shared->board.note(
                    [number, providers = std::move(providers)](Fetching* object) mutable {
                        object->found(number, std::move(providers));
                    });
            });
    if (effects.ask) send(download, *effects.ask);
    if (effects.is_complete && download.arrival) finish(download);
}

void Fetching::found(std::uint64_t number, Result<std::vector<NodeKey>> providers) {
    Running* download = running(number);
    if (download == nullptr) return;
    if (providers && !providers->empty()) {
        std::erase_if(*providers, [&](const NodeKey& key) {
            const auto liar = liars_.find(key);
            return key == parts_.links.self() || (liar != liars_.end() && liar->second > now());
        });
        if (providers->empty())
            providers = fail(Errc::Unavailable,
                             "the only nodes that say they have it have sent false content lately");
    }
    step(*download, ProvidersFound{std::move(providers)});
}

void Fetching::note_liar(const NodeKey& peer, const Running& found_by) {
    ++counts_.liars;
    parts_.log.warn("a peer sent content that does not verify; it is asked for nothing for a while",
                    {{"peer", to_base58(peer.view())}, {"object", to_hex(found_by.hash.view())}});
    if (liars_.size() >= shared_->options.liars_max) {
        const auto first =
            std::ranges::min_element(liars_, {}, [](const auto& one) { return one.second; });
        liars_.erase(first);
    }
    liars_[peer] = now() + shared_->options.liar_pause;
    for (auto& [hash, other] : downloads_)
        if (&other != &found_by) step(other, PeerLied{peer});
}

// A download that is over stays until sweep(), so that who steps it may go on.
void Fetching::end(Running& download, Result<> outcome) {
    if (download.outcome) return;
    const Error error = copy_of(outcome);
    download.outcome.emplace(std::move(outcome));
    for (auto& [ticket, ask] : asks_)
        if (ask.download == download.number && !ask.is_dropped) {
            if (ask.request) parts_.links.cancel(*ask.request);
            ask.is_dropped = true;
        }
    for (Opener& opener : download.openers) opener.answer(std::unexpected(error));
    download.openers.clear();
    for (auto& [index, waiters] : download.waiters)
        for (Waiter& waiter : waiters) {
            if (*download.outcome) {
                waiter.handle->submit(index, std::move(waiter.answer), waiter.attempts);
            } else {
                waiter.answer(std::unexpected(error));
            }
        }
    download.waiters.clear();
}

void Fetching::finish(Running& download) {
    shared_->run_on_disk([arrival = download.arrival, shared = shared_, number = download.number] {
        auto outcome = arrival->file->finish();
        shared->board.note([number, outcome = std::move(outcome)](Fetching* object) mutable {
            object->finished(number, std::move(outcome));
        });
    });
}

void Fetching::finished(std::uint64_t number, Result<> outcome) {
    Running* download = running(number);
    if (download == nullptr) return;
    if (!outcome && outcome.error().code == Errc::NotFound) {
        // A block was damaged on the disk, and noticed.
        for (std::uint64_t i = 0; i < download->arrival->info.leaves; ++i)
            if (!download->arrival->file->has_block(i)) step(*download, BlockLost{i});
        return;
    }
    if (!outcome) return end(*download, std::move(outcome));
    ++counts_.completed;
    // Without a record nobody finds it here; it can be read all the same.
    if (parts_.providers.provide(download->hash)) provided_.insert(download->hash);
    end(*download, {});
}

// ---- Saying what is here

void Fetching::list_store() {
    is_listing_ = true;
    shared_->run_on_disk([&store = parts_.store, &providers = parts_.providers, shared = shared_] {
        constexpr std::size_t kPage = 256;
        std::set<ContentHash> objects;
        std::optional<ContentHash> last;
        // What the owner wants kept comes first, so that what strangers fetched cannot crowd it
        // out.
        for (const bool pinned : {true, false}) {
            last.reset();
            for (bool has_room = true; has_room;) {
                const auto page = store.list(last, kPage);
                if (page.empty()) break;
                last = page.back().info.hash;
                for (const interfaces::ListedContent& one : page) {
                    if (one.pinned != pinned) continue;
                    has_room = has_room && providers.provide(one.info.hash).has_value();
                    if (has_room) objects.insert(one.info.hash);
                }
            }
        }
        shared->board.note([objects = std::move(objects)](Fetching* object) mutable {
            object->listed(std::move(objects));
        });
    });
}

void Fetching::listed(std::set<ContentHash> objects) {
    is_listing_ = false;
    list_at_ = now() + shared_->options.list_pause;
    for (const ContentHash& hash : provided_) {
        if (objects.contains(hash)) continue;
        if (parts_.store.has(hash)) {
            objects.insert(hash);  // it came meanwhile
        } else {
            parts_.providers.withdraw(hash);
        }
    }
    provided_ = std::move(objects);
}

// ---- Asks

void Fetching::send(Running& download, const Ask& ask) {
    OpenAsk open{.download = download.number, .peer = ask.peer};
    Request request = HeadRequest{download.hash};
    if (ask.blocks) {
        open.blocks = *ask.blocks;
        request = BlocksRequest{download.hash,
                                ask.blocks->first,
                                static_cast<std::uint32_t>(ask.blocks->end - ask.blocks->first)};
    } else {
        open.head.emplace(download.hash, shared_->options.file_bytes_max);
        ++heads_;
    }
    auto id = parts_.links.request(
        ask.peer,
        Protocol::Content,
        bcs::encode(request),
        {.deadline = now() + shared_->options.ask_deadline, .credit_bytes = kCreditBytes},
        std::make_unique<AskReceiver>(shared_, ask.ticket));
    if (id) {
        open.request = *id;
    } else {
        // As if it had been sent and failed, in a turn of its own.
        shared_->board.note(
            [ticket = ask.ticket, error = std::move(id).error()](Fetching* object) mutable {
                object->answer_ended(ticket, fail(Errc::Unavailable, std::move(error.context)));
            });
    }
    asks_.emplace(ask.ticket, std::move(open));
}

void Fetching::drop(std::uint64_t ticket) {
    const auto found = asks_.find(ticket);
    if (found == asks_.end() || found->second.is_dropped) return;
    if (found->second.request) parts_.links.cancel(*found->second.request);
    found->second.is_dropped = true;
}

void Fetching::chunk_came(std::uint64_t ticket, Bytes chunk) {
    const auto found = asks_.find(ticket);
    if (found == asks_.end() || found->second.is_dropped) return;
    Running* download = running(found->second.download);
    if (download == nullptr) return;
    if (found->second.head) return take_head_chunk(ticket, found->second, *download, chunk);
    take_block_chunk(ticket, found->second, *download, std::move(chunk));
}

void Fetching::take_head_chunk(std::uint64_t ticket,
                               OpenAsk& ask,
                               Running& download,
                               ByteView chunk) {
    ask.head_bytes += chunk.size();
    const std::size_t bytes = chunk.size();
    auto added = ask.head->add(chunk);
    if (!added && added.error().code == Errc::Exhausted) {
        drop(ticket);
        return step(download, AskEnded{ticket, fail(Errc::InvalidArgument, added.error().context)});
    }
    if (!added) return step(download, HeadJudged{.ticket = ticket, .is_true = false});
    step(download, HeadGrew{ticket});
    if (ask.head->is_complete()) return judge_head(ticket, ask, download);
    if (ask.request) parts_.links.grant(*ask.request, bytes);
}

void Fetching::judge_head(std::uint64_t ticket, OpenAsk& ask, const Running& download) {
    ++ask.judging;
    HeadReader& head = *ask.head;
    const Head claim = *head.head();
    const bool is_file = claim.kind == types::ContentKind::File;
    shared_->run_on_disk([&store = parts_.store,
                          shared = shared_,
                          ticket,
                          claim,
                          is_file,
                          hash = download.hash,
                          number = download.number,
                          nodes = is_file ? head.take_nodes() : std::vector<blake3_tree::Hash>(),
                          last = is_file ? head.take_last_block() : Bytes(),
                          entries = is_file ? std::vector<types::DirectoryEntry>()
                                            : head.take_entries()]() mutable {
        auto verdict = is_file ? take_file(store, hash, number, claim.bytes, std::move(nodes), last)
                               : take_directory(store, hash, entries);
        shared->board.note([ticket, verdict = std::move(verdict)](Fetching* object) mutable {
            object->head_judged(ticket, std::move(verdict));
        });
    });
}

void Fetching::head_judged(std::uint64_t ticket, HeadVerdict verdict) {
    const auto found = asks_.find(ticket);
    OpenAsk& ask = found->second;
    --ask.judging;
    Running* download = running(ask.download);
    // The core does not know an ask that was dropped: another head will open the download.
    if (download == nullptr || ask.is_dropped || download->core.is_open()) return;
    if (verdict.error && verdict.error->code == Errc::Corrupt)
        return step(*download, HeadJudged{.ticket = ticket, .is_true = false});
    if (verdict.error) return end(*download, std::unexpected(*std::move(verdict.error)));
    count_bytes(ask.peer, ask.head_bytes);
    if (verdict.stored) {
        for (Opener& opener : download->openers)
            opener.answer(std::make_shared<Handle>(shared_, verdict.stored));
        download->openers.clear();
        return finished(download->number, {});
    }
    download->arrival = std::move(verdict.arrival);
    shared_->add_arrival(download->arrival);
    for (Opener& opener : download->openers) opener.answer(make_handle(*download));
    download->openers.clear();
    step(*download,
         HeadJudged{.ticket = ticket,
                    .is_true = true,
                    .leaves = download->arrival->info.leaves,
                    .is_whole = verdict.is_whole});
    drop(ticket);
}

void Fetching::take_block_chunk(std::uint64_t ticket,
                                OpenAsk& ask,
                                Running& download,
                                Bytes chunk) {
    if (ask.blocks.first == ask.blocks.end)  // more than was asked for
        return step(download,
                    BlockJudged{.ticket = ticket, .index = ask.blocks.end - 1, .is_true = false});
    const std::uint64_t index = ask.blocks.first++;
    ++ask.judging;
    shared_->run_on_disk([arrival = download.arrival,
                          shared = shared_,
                          ticket,
                          index,
                          chunk = std::move(chunk)]() mutable {
        const auto block = std::make_shared<const Bytes>(std::move(chunk));
        auto stored = arrival->file->put_block(index, *block);
        shared->board.note([ticket, index, block, stored = std::move(stored)](Fetching* object) {
            object->block_judged(ticket, index, block, stored);
        });
    });
}

void Fetching::block_judged(std::uint64_t ticket,
                            std::uint64_t index,
                            const std::shared_ptr<const Bytes>& block,
                            const Result<>& stored) {
    OpenAsk& ask = asks_.at(ticket);
    --ask.judging;
    Running* download = running(ask.download);
    if (download == nullptr) return;
    if (!stored && stored.error().code == Errc::Corrupt)
        return step(*download, BlockJudged{.ticket = ticket, .index = index, .is_true = false});
    if (!stored) return end(*download, stored);
    ++counts_.blocks_received;
    count_bytes(ask.peer, block->size());
    if (ask.request && !ask.is_dropped && !ask.ended)
        parts_.links.grant(*ask.request, block->size());
    if (const auto waiting = download->waiters.find(index); waiting != download->waiters.end()) {
        for (Waiter& waiter : waiting->second) waiter.answer(block);
        download->waiters.erase(waiting);
    }
    step(*download, BlockJudged{.ticket = ticket, .index = index, .is_true = true});
}

void Fetching::answer_ended(std::uint64_t ticket, Result<> outcome) {
    const auto found = asks_.find(ticket);
    if (found == asks_.end()) return;
    found->second.request.reset();
    found->second.ended.emplace(std::move(outcome));
}

void Fetching::count_bytes(const NodeKey& peer, std::uint64_t bytes) {
    counts_.bytes_received += bytes;
    if (shared_->options.on_bytes_received) shared_->options.on_bytes_received(peer, bytes);
}

// What has ended and was judged is told to its download, and gives its slot back.
void Fetching::settle_ask(std::uint64_t ticket) {
    const auto found = asks_.find(ticket);
    const OpenAsk done = std::move(found->second);
    if (done.head) --heads_;
    asks_.erase(found);
    if (done.is_dropped) return;
    if (Running* download = running(done.download)) step(*download, AskEnded{ticket, *done.ended});
}

// ---- The end of a turn

void Fetching::sweep() {
    const auto is_done = [](const auto& one) {
        return one.second.judging == 0 && (one.second.is_dropped || one.second.ended);
    };
    for (auto done = std::ranges::find_if(asks_, is_done); done != asks_.end();
         done = std::ranges::find_if(asks_, is_done))
        settle_ask(done->first);
    std::vector<ContentHash> over;
    for (auto& [hash, download] : downloads_)
        if (download.outcome) over.push_back(hash);
    for (const ContentHash& hash : over) {
        const auto found = downloads_.find(hash);
        const Result<>& outcome = *found->second.outcome;
        if (!outcome && outcome.error().code != Errc::Abandoned) {
            ++counts_.failed;
            parts_.log.info("an object could not be got", {{"error", to_string(outcome.error())}});
        }
        shared_->remove_arrival(hash);
        downloads_.erase(found);
    }
}

void Fetching::give_slots() {
    bool was_taken = true;
    while (was_taken && asks_.size() < shared_->options.asks_max) {
        was_taken = false;
        // Each in turn, from the one after who had the last slot.
        std::vector<ContentHash> order;
        for (auto one = downloads_.upper_bound(served_last_); one != downloads_.end(); ++one)
            order.push_back(one->first);
        for (auto one = downloads_.begin(); one != downloads_.upper_bound(served_last_); ++one)
            order.push_back(one->first);
        for (const ContentHash& hash : order) {
            Running& download = downloads_.at(hash);
            if (asks_.size() >= shared_->options.asks_max) return;
            if (download.outcome ||
                (!download.core.is_open() && heads_ >= shared_->options.heads_max))
                continue;
            const std::size_t before = asks_.size();
            step(download, SlotFree{next_number_++});
            if (asks_.size() == before) continue;
            was_taken = true;
            served_last_ = hash;
        }
    }
}

void Fetching::expire_openers() {
    const Instant time = now();
    for (auto& [hash, download] : downloads_) {
        for (Opener& opener : download.openers)
            if (opener.deadline <= time)
                opener.answer(fail(Errc::DeadlineExceeded,
                                   "the nodes that have " + to_hex(hash.view()) +
                                       " did not answer in time; try again"));
        const auto expired = std::erase_if(
            download.openers, [time](const Opener& opener) { return opener.deadline <= time; });
        if (expired > 0 && !download.outcome) drop_if_unwanted(download);
    }
}

void Fetching::finish_turn() {
    if (!is_listing_ && now() >= list_at_) list_store();
    expire_openers();
    sweep();
    give_slots();
    sweep();
    counts_.running = downloads_.size();
    counts_.asks_in_flight = asks_.size();
    shared_->set_counts(counts_);
    arm();
}

void Fetching::arm() {
    std::optional<Instant> wake;
    const auto sooner = [&wake](Instant when) {
        if (!wake || when < *wake) wake = when;
    };
    if (!is_listing_) sooner(list_at_);
    for (const auto& [hash, download] : downloads_) {
        if (const auto when = download.core.wake_at()) sooner(*when);
        for (const Opener& opener : download.openers) sooner(opener.deadline);
    }
    if (wake == armed_) return;
    disarm();
    if (!wake) return;
    auto turn = self_.in_turn([](Fetching& object) {
        object.armed_.reset();
        for (auto& [hash, download] : object.downloads_) object.step(download, TimePassed{});
        object.finish_turn();
    });
    if (!turn) return;
    armed_ = wake;
    timer_ = self_.executor().post_at(*wake, *std::move(turn));
}

void Fetching::disarm() {
    if (armed_) self_.executor().cancel(timer_);
    armed_.reset();
}

}  // namespace draco::fetcher
