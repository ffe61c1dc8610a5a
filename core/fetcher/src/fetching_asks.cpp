// What is asked of peers, and what becomes of it.
#include "fetching.hpp"

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

}  // namespace

void Fetching::send(Running& download, const Ask& ask) {
    OpenAsk open{.download = download.number,
                 .peer = ask.peer,
                 .is_for_strangers = download.kind == interfaces::AskerClass::Stranger};
    if (open.is_for_strangers) ++asks_for_strangers_;
    Request request = HeadRequest{download.hash};
    if (ask.blocks) {
        open.blocks = *ask.blocks;
        request = BlocksRequest{download.hash,
                                ask.blocks->first,
                                static_cast<std::uint32_t>(ask.blocks->end - ask.blocks->first)};
    } else {
        open.head.emplace(download.hash, shared_->options.file_bytes_max);
        ++heads_;
        if (open.is_for_strangers) ++heads_for_strangers_;
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
    counts_.bytes_received += ask.head_bytes;
    if (verdict.stored) {
        for (Opener& opener : download->openers)
            opener.answer(std::make_shared<Handle>(
                std::make_shared<Reader>(shared_, opener.asker, verdict.stored)));
        download->openers.clear();
        return finished(download->number, {});
    }
    download->arrival = std::move(verdict.arrival);
    shared_->add_arrival(download->arrival);
    const types::ContentInfo& info = download->arrival->info;
    shared_->origins.came(info, info.leaves - 1, ask.peer);
    for (Opener& opener : download->openers) opener.answer(make_handle(*download, opener));
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
    counts_.bytes_received += block->size();
    // Before anybody reads it.
    shared_->origins.came(download->arrival->info, index, ask.peer);
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

// What has ended and was judged is told to its download, and gives its slot back.
void Fetching::settle_ask(std::uint64_t ticket) {
    const auto found = asks_.find(ticket);
    const OpenAsk done = std::move(found->second);
    if (done.head) --heads_;
    if (done.is_for_strangers) --asks_for_strangers_;
    if (done.is_for_strangers && done.head) --heads_for_strangers_;
    asks_.erase(found);
    if (done.is_dropped) return;
    if (Running* download = running(done.download)) step(*download, AskEnded{ticket, *done.ended});
}

}  // namespace draco::fetcher
