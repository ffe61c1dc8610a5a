#include "fetching.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {
namespace {

using types::ContentHash;
using types::NodeKey;

// An error that is told to several.
Error copy_of(const Result<>& outcome) {
    return outcome ? Error{Errc::Unavailable, "it is over"} : outcome.error();
}

bool is_wanted(const Opener& opener, const Shared& shared) {
    return !opener.id || shared.openings.waits(*opener.id);
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

void Fetching::open(const ContentHash& hash, Opener opener) {
    if (Running* download = running(hash)) return add_opener(*download, std::move(opener));
    const interfaces::AskerClass kind = opener.asker.kind;
    const AskedQueue::AskerId asker = opener.id ? opener.id->value() : 0;
    shared_->ask_disk(
        kind,
        asker,
        [&store = parts_.store, shared = shared_, hash, opener = std::move(opener)](Go go) mutable {
            if (go == Go::Cancel || !is_wanted(opener, *shared))
                return opener.answer(std::unexpected(nobody_waits()));
            auto stored = store.open(hash);
            if (stored)
                return opener.answer(std::make_shared<Handle>(
                    std::make_shared<Reader>(shared, opener.asker, *std::move(stored))));
            const Errc code = stored.error().code;
            if (code != Errc::NotFound && code != Errc::Corrupt)
                return opener.answer(std::unexpected(std::move(stored).error()));
            shared->board.note([hash, code, opener = std::move(opener)](Fetching* object) mutable {
                object->missed(hash, code == Errc::Corrupt, std::move(opener));
            });
        });
}

void Fetching::missed(const ContentHash& hash, bool is_damaged, Opener opener) {
    // The note that it was taken back may have come before.
    if (!is_wanted(opener, *shared_)) return opener.answer(std::unexpected(nobody_waits()));
    if (is_damaged) ++counts_.refetched;
    if (Running* download = running(hash)) return add_opener(*download, std::move(opener));
    if (auto may = may_hold(opener.asker, nullptr); !may)
        return opener.answer(std::unexpected(std::move(may).error()));
    start(hash, std::move(opener));
}

void Fetching::cancelled(const ContentHash& hash, interfaces::OpenId id) {
    Running* download = running(hash);
    if (download == nullptr) return;
    const auto found = std::ranges::find(download->openers, id, &Opener::id);
    if (found == download->openers.end()) return;
    Opener opener = std::move(*found);
    download->openers.erase(found);
    opener.answer(std::unexpected(nobody_waits()));
    remove_holder(*download, opener.asker);
}

void Fetching::has_read(const Reader& reader, std::uint64_t index) {
    Running* download = running(reader);
    if (download != nullptr && !reader.is_closed()) step(*download, ReaderAt{reader.id(), index});
}

void Fetching::wait(const std::shared_ptr<Reader>& reader,
                    std::uint64_t index,
                    Errc code,
                    BlockAnswer answer,
                    unsigned attempts) {
    if (reader->is_closed()) return answer(std::unexpected(nobody_reads()));
    if (code == Errc::Corrupt) ++counts_.refetched;
    Running* download = running(*reader);
    if (download == nullptr) return refetch(reader, index, std::move(answer));
    if (code == Errc::Corrupt) step(*download, BlockLost{index});
    if (download->core.is_here(index)) return reader->submit(index, std::move(answer), attempts);
    download->waiters[index].push_back(
        {.reader = reader, .answer = std::move(answer), .attempts = attempts});
    step(*download, ReaderAt{reader->id(), index});
    step(*download, Wanted{index});
}

// Another object, or the same one again, has to come.
void Fetching::refetch(const std::shared_ptr<Reader>& reader,
                       std::uint64_t index,
                       BlockAnswer answer) {
    OpenAnswer then([reader, index, answer = std::move(answer)](
                        Result<std::shared_ptr<interfaces::Content>> content) mutable {
        if (!content) return answer(std::unexpected(std::move(content).error()));
        reader->replace(*content);
        (*content)->read_block(
            index, [answer = std::move(answer)](auto block) mutable { answer(std::move(block)); });
    });
    open(reader->info().hash,
         {.asker = reader->asker(),
          .deadline = now() + shared_->options.refetch_deadline,
          .answer = std::move(then)});
}

void Fetching::reader_closed(const Reader& reader) {
    Running* download = running(reader);
    if (download == nullptr) return;
    drop_waiters(*download, reader);
    step(*download, ReaderGone{reader.id()});
    remove_holder(*download, reader.asker());
}

void Fetching::drop_waiters(Running& download, const Reader& reader) {
    std::vector<std::uint64_t> unwanted;
    for (auto& [index, waiters] : download.waiters) {
        const auto gone = std::ranges::partition(
            waiters, [&](const Waiter& one) { return one.reader.get() != &reader; });
        for (Waiter& waiter : gone) waiter.answer(std::unexpected(nobody_reads()));
        waiters.erase(gone.begin(), gone.end());
        if (waiters.empty()) unwanted.push_back(index);
    }
    for (const std::uint64_t index : unwanted) {
        download.waiters.erase(index);
        step(download, Unwanted{index});
    }
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

Fetching::Running* Fetching::running(const Reader& reader) {
    Running* download = reader.arrival() == nullptr ? nullptr : running(reader.info().hash);
    return download != nullptr && download->arrival.get() == reader.arrival() ? download : nullptr;
}

void Fetching::start(const ContentHash& hash, Opener opener) {
    auto& download =
        downloads_.try_emplace(hash, hash, next_number_++, shared_->options.limits).first->second;
    download.kind = opener.asker.kind;
    ++downloads_of_[index_of(download.kind)];
    step(download, Start{});
    add_opener(download, std::move(opener));
}

void Fetching::add_opener(Running& download, Opener opener) {
    auto may = may_hold(opener.asker, &download);
    if (!may) return opener.answer(std::unexpected(std::move(may).error()));
    add_holder(download, opener.asker);
    if (download.outcome) return opener.answer(std::unexpected(copy_of(*download.outcome)));
    if (download.arrival) return opener.answer(make_handle(download, opener));
    download.openers.push_back(std::move(opener));
}

std::shared_ptr<Handle> Fetching::make_handle(Running& download, const Opener& opener) {
    return std::make_shared<Handle>(
        std::make_shared<Reader>(shared_,
                                 opener.asker,
                                 download.arrival,
                                 opener.id ? shared_->openings.take_place(*opener.id) : Place()));
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
    release_holders(download);
    if (!*download.outcome) shared_->origins.forget(download.hash);
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
                waiter.reader->submit(index, std::move(waiter.answer), waiter.attempts);
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

}  // namespace draco::fetcher
