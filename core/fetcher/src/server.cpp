#include "server.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {
namespace {

using blake3_tree::Hash;
using types::ContentKind;

const types::ContentHash& hash_of(const Request& request) {
    if (const auto* head = std::get_if<HeadRequest>(&request)) return head->hash;
    return std::get<BlocksRequest>(request).hash;
}

}  // namespace

bool ServeBudget::begin(const types::NodeKey& peer) {
    const std::lock_guard lock(mutex_);
    const auto found = serves_.find(peer);
    if (serve_count_ >= limits_.serves_max ||
        (found != serves_.end() && found->second >= limits_.serves_per_peer_max)) {
        ++refused_;
        return false;
    }
    ++serves_[peer];
    ++serve_count_;
    ++answers_;
    return true;
}

void ServeBudget::end(const types::NodeKey& peer) {
    const std::lock_guard lock(mutex_);
    const auto found = serves_.find(peer);
    if (--found->second == 0) serves_.erase(found);
    --serve_count_;
}

void ServeBudget::count(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
}

void ServeBudget::count_stalled() {
    const std::lock_guard lock(mutex_);
    ++stalled_;
}

void ServeBudget::add_to(Counts& counts) const {
    const std::lock_guard lock(mutex_);
    counts.answers = answers_;
    counts.answers_refused = refused_;
    counts.answers_stalled = stalled_;
    counts.bytes_served = bytes_;
}

Serve::Turn Serve::go_on(const ServeSource& from) {
    if (!has_begun_) {
        has_begun_ = true;
        if (auto begun = begin(from); !begun) {
            responder_->finish(std::move(begun));
            return Turn::Done;
        }
    }
    if (!unwritten_) {
        auto chunk = next_chunk();
        if (!chunk) {
            const bool is_damaged = chunk.error().code == Errc::Corrupt;
            if (is_damaged) from.providers.withdraw(hash_of(request_));
            // Its own damage is no fault that the asker has to find in its own store.
            responder_->finish(is_damaged ? fail(Errc::NotFound,
                                                 "the object was found to be damaged here; ask "
                                                 "another node")
                                          : std::unexpected(std::move(chunk).error()));
            return Turn::Done;
        }
        if (!*chunk) {
            responder_->finish({});
            return Turn::Done;
        }
        unwritten_ = *std::move(chunk);
    }
    const std::size_t bytes = unwritten_->size();
    const auto written = responder_->write(*std::move(unwritten_));
    if (!written) return written.error().code == Errc::Exhausted ? Turn::WaitForCredit : Turn::Done;
    unwritten_.reset();
    budget_->count(bytes);
    return Turn::GoOn;
}

// ---- Waiting for credit

Serve::~Serve() {
    if (wait_.timer) executor_->cancel(*wait_.timer);
    give_place_back();
}

void Serve::give_place_back() {
    if (std::exchange(has_place_, false)) budget_->end(peer_);
}

void Serve::wait(Executor& executor, std::move_only_function<void()> ready) {
    const Instant now = executor.clock().now();
    if (executor_ == nullptr) {
        executor_ = &executor;
        first_wait_ = now;
    }
    {
        const std::lock_guard lock(wait_.mutex);
        wait_.is_on = true;
        wait_.since = now;
        if (!wait_.timer) set_timer(over_at());
    }
    responder_->on_writable([self = shared_from_this(), ready = std::move(ready)]() mutable {
        if (self->end_wait()) ready();
    });
}

bool Serve::end_wait() {
    const std::lock_guard lock(wait_.mutex);
    return std::exchange(wait_.is_on, false);
}

// Credit is asked for what could not be written, so a wait that begins follows a chunk that left.
Instant Serve::over_at() const {
    const ServeLimits& limits = budget_->limits();
    return std::min(wait_.since + limits.stall_max, first_wait_ + limits.answer_max);
}

// With the lock.
void Serve::set_timer(Instant when) {
    wait_.timer = executor_->post_at(when, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->look_at_time();
    });
}

void Serve::look_at_time() {
    {
        const std::lock_guard lock(wait_.mutex);
        wait_.timer.reset();
        if (!wait_.is_on) return;
        if (executor_->clock().now() < over_at()) return set_timer(over_at());
        wait_.is_on = false;
    }
    give_up();
}

// What holds this for the responder may do so until the request ends: it keeps nothing else.
void Serve::give_up() {
    budget_->count_stalled();
    responder_->finish(
        fail(Errc::Unavailable, "what was asked for was not taken in time; ask again"));
    unwritten_.reset();
    stored_.reset();
    arrival_.reset();
    give_place_back();
}

// ---- What is written

Result<> Serve::begin(const ServeSource& from) {
    const types::ContentHash& hash = hash_of(request_);
    auto stored = from.store.open(hash);
    if (stored) {
        stored_ = *std::move(stored);
    } else if (arrival_ = from.shared->arrival(hash); !arrival_) {
        if (stored.error().code == Errc::Corrupt) from.providers.withdraw(hash);
        return fail(Errc::NotFound, "this node does not have " + to_hex(hash.view()));
    }
    const auto* blocks = std::get_if<BlocksRequest>(&request_);
    if (blocks == nullptr) return {};
    if (info().kind != ContentKind::File || blocks->first >= info().leaves ||
        blocks->count > info().leaves - blocks->first)
        return fail(Errc::InvalidArgument,
                    to_hex(hash.view()) + " has no blocks " + std::to_string(blocks->first) +
                        " and " + std::to_string(blocks->count - 1) + " more");
    next_ = blocks->first;
    return {};
}

Result<std::optional<Bytes>> Serve::next_chunk() {
    const auto* blocks = std::get_if<BlocksRequest>(&request_);
    if (blocks == nullptr) return next_of_head();
    if (next_ == blocks->first + blocks->count) return std::nullopt;
    DRACO_TRY(block, read_block(next_));
    ++next_;
    // Links carry no empty chunk; who asks knows the only block of an empty file.
    if (block.empty()) return std::nullopt;
    return std::move(block);
}

Result<std::optional<Bytes>> Serve::next_of_head() {
    if (!has_head_) {
        has_head_ = true;
        return bcs::encode(
            Head{.kind = info().kind, .bytes = info().bytes, .leaves = info().leaves});
    }
    if (info().kind == ContentKind::Directory) return next_entries();
    if (next_ < 2 * info().leaves - 1) return next_nodes();
    if (has_last_ || info().bytes == 0) return std::nullopt;
    has_last_ = true;
    DRACO_TRY(block, read_block(info().leaves - 1));
    return std::move(block);
}

Result<std::optional<Bytes>> Serve::next_nodes() {
    const auto all = nodes();
    const auto some = all.subspan(static_cast<std::size_t>(next_),
                                  std::min<std::size_t>(all.size() - next_, kChunkNodesMax));
    next_ += some.size();
    return encode_nodes(some);
}

Result<std::optional<Bytes>> Serve::next_entries() {
    if (next_ == info().leaves) return std::nullopt;
    DRACO_TRY(some, stored_->entries(next_, kChunkEntriesMax));
    if (some.empty()) return fail(Errc::Corrupt, "a directory ends too early");
    next_ += some.size();
    DRACO_TRY(chunk, EntriesChunk::make(std::move(some)));
    return bcs::encode(chunk);
}

Result<Bytes> Serve::read_block(std::uint64_t index) const {
    return stored_ ? stored_->read_block(index) : arrival_->file->read_block(index);
}

std::span<const Hash> Serve::nodes() const {
    return stored_ ? stored_->tree().value().nodes() : std::span<const Hash>(*arrival_->nodes);
}

void Server::handle(const ServeStep& step) const {
    const auto turn = step.serve->go_on(source_);
    if (turn == Serve::Turn::Done) return;
    // If the server has ended by then, the serve is dropped, which ends the answer.
    auto again = [address = self_.address(), serve = step.serve]() mutable {
        static_cast<void>(address.tell(ServeStep{std::move(serve)}));
    };
    if (turn == Serve::Turn::GoOn) {
        again();
    } else {
        step.serve->wait(self_.executor(), std::move(again));
    }
}

}  // namespace draco::fetcher
