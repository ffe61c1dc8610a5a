// Requests of a session: what is opened, read and sent when.

#include "draco/base/assert.hpp"

#include "core.hpp"

#include <algorithm>

namespace draco::handshake {

namespace wire = types::session;

namespace {

// What opening a content costs of the unpaid bytes: it may set off a search among peers.
constexpr std::uint64_t kOpenBytes = 4096;
constexpr std::size_t kEntryBytes = 64;  // of a directory entry, about

bool is_block_range(const types::ContentInfo& info, std::uint64_t end) {
    return info.kind == types::ContentKind::File && end <= info.leaves;
}

// However many sessions and lanes a payer has, it is one. Addresses are hashes: to be taken for
// somebody else costs 2^64 keys.
std::uint64_t payer_number(const types::Address& payer) {
    return load_be<std::uint64_t>(payer.bytes.data());
}

std::uint64_t size_of(const std::vector<blake3_tree::Hash>& nodes) {
    return nodes.size() * blake3_tree::Hash::kSize;
}

std::uint64_t size_of(const std::vector<types::DirectoryEntry>& entries) {
    return entries.size() * kEntryBytes;
}

std::string advice(wire::PauseReason reason) {
    switch (reason) {
        case wire::PauseReason::Unacknowledged:
            return "more is delivered than acknowledged: acknowledge what has arrived";
        case wire::PauseReason::ReserveUsedUp:
            return "the lane's reserve is used up: top it up with `draco lane topup`, then ask "
                   "again";
        case wire::PauseReason::LaneClosing:
            return "the lane is closing, so nothing more is delivered on it: acknowledge what has "
                   "arrived, and go on over another lane, or when this one has ended (`draco lane "
                   "show` says when) over a new one";
    }
    return "";
}

// What was read is within what was asked for.
template <class Items>
Result<> check_piece(std::uint64_t left, std::size_t count_max, const Result<Items>& items) {
    if (!items) return std::unexpected(items.error());
    if (items->empty() || items->size() > left || items->size() > count_max)
        return fail(Errc::Io, "the content is not as long as it says");
    return {};
}

}  // namespace

std::uint64_t block_bytes(const types::ContentInfo& info, std::uint64_t index) {
    const std::uint64_t before = index * blake3_tree::kBlockBytes;
    return std::min<std::uint64_t>(blake3_tree::kBlockBytes,
                                   info.bytes - std::min(before, info.bytes));
}

// ---------------------------------------------------------------- requests

void Core::take(Session& session, const wire::Open& open) {
    if (open.id <= session.id_last) return violation(session, "a request id that was used before");
    if (session.requests.size() >= wire::kRequestsMax)
        return violation(session,
                         "more than " + std::to_string(wire::kRequestsMax) + " open requests");
    session.id_last = open.id;
    Request& request = session.requests[open.id];
    request.hash = open.hash;
    request.with_tree = open.with_tree;
    pump(session);
}

void Core::take(Session& session, const wire::Blocks& blocks) {
    if (blocks.id > session.id_last || blocks.id == 0)
        return violation(session, "blocks of a request that was never opened");
    if (blocks.count == 0 || blocks.first + blocks.count < blocks.first)
        return violation(session, "a range of no blocks");
    Request* const request = find(session, blocks.id);
    if (request == nullptr) return;  // its end is on the way
    if (request->ranges.size() >= wire::kRangesMax)
        return violation(
            session, "more than " + std::to_string(wire::kRangesMax) + " ranges of one request");
    const Range range{.next = blocks.first, .end = blocks.first + blocks.count};
    if (request->info && !is_block_range(*request->info, range.end))
        return end_request(session, blocks.id, fail(Errc::InvalidArgument, "no such blocks"));
    request->ranges.push_back(range);
    pump(session);
}

void Core::take(Session& session, const wire::Cancel& cancel) {
    if (cancel.id > session.id_last || cancel.id == 0)
        return violation(session, "an end to a request that was never opened");
    if (find(session, cancel.id) == nullptr) return;
    end_request(session, cancel.id, {});
    pump(session);
}

void Core::on(ContentOpened& event) {
    Session* const session = find(event.session);
    Request* const request = session == nullptr ? nullptr : find(*session, event.id);
    if (request == nullptr) {
        effects_->emplace_back(DropContent{.session = event.session, .id = event.id});
        return;
    }
    if (!event.info) {
        end_request(*session, event.id, std::unexpected(event.info.error()));
        return pump(*session);
    }
    const types::ContentInfo& info = *event.info;
    request->info = info;
    send(*session, wire::Head{.id = event.id, .info = info});
    session->active_at = now_;
    const bool is_sound = std::ranges::all_of(
        request->ranges, [&](const Range& range) { return is_block_range(info, range.end); });
    if (!is_sound)
        return end_request(*session, event.id, fail(Errc::InvalidArgument, "no such blocks"));
    if (request->with_tree)
        request->pieces_end =
            info.kind == types::ContentKind::File ? 2 * info.leaves - 1 : info.leaves;
    pump(*session);
}

void Core::on(TreeRead& event) {
    if (Session* const session = find(event.session))
        send_piece<wire::TreePiece>(*session, event.id, event.nodes);
}

void Core::on(EntriesRead& event) {
    if (Session* const session = find(event.session))
        send_piece<wire::EntriesPiece>(*session, event.id, event.entries);
}

template <class Piece, class Items>
void Core::send_piece(Session& session, std::uint64_t id, Result<Items>& items) {
    Request* const request = find(session, id);
    if (request == nullptr) return;
    request->is_reading_piece = false;
    const Result<> outcome = check_piece(
        request->pieces_end - request->pieces_next, decltype(Piece::items)::kSizeMax, items);
    if (!outcome) {
        end_request(session, id, outcome);
        return pump(session);
    }
    charge_unpaid(session, size_of(*items));
    Piece piece{.id = id, .first = request->pieces_next, .items = {}};
    request->pieces_next += items->size();
    piece.items = decltype(piece.items)::make(*std::move(items)).value();
    session.active_at = now_;
    send(session, std::move(piece));
    pump(session);
}

void Core::on(BlockRead& event) {
    Session* const session = find(event.session);
    if (session == nullptr) return;
    const auto read = session->reads.extract({event.id, event.index});
    if (!read) return;
    const std::uint64_t reserved = read.mapped();
    const bool is_wanted = find(*session, event.id) != nullptr;
    const bool is_sent = is_wanted && event.bytes && event.bytes->size() <= reserved;
    const std::uint64_t sent_bytes = is_sent ? event.bytes->size() : 0;
    if (session->lane) lanes_.release(*session->lane, reserved, sent_bytes);
    if (is_sent) {
        (session->lane ? counters_.paid_bytes : counters_.free_bytes) += sent_bytes;
        session->active_at = now_;
        effects_->emplace_back(SendBlock{.session = session->id,
                                         .id = event.id,
                                         .index = event.index,
                                         .bytes = *std::move(event.bytes)});
    } else if (is_wanted) {
        end_request(*session,
                    event.id,
                    event.bytes ? fail(Errc::Io, "a block is longer than the file says")
                                : std::unexpected(event.bytes.error()));
    }
    pump(*session);
}

void Core::on(Backlog& event) {
    Session* const session = find(event.session);
    if (session == nullptr) return;
    session->is_full = event.is_full;
    (event.is_full ? session->full_since : session->heard_at) = now_;
    if (!event.is_full) pump(*session);
    arm(*session);
}

void Core::end_request(Session& session, std::uint64_t id, const Result<>& outcome) {
    session.requests.erase(id);
    effects_->emplace_back(DropContent{.session = session.id, .id = id});
    send(session, wire::make_end(id, outcome));
}

Core::Request* Core::find(Session& session, std::uint64_t id) {
    const auto found = session.requests.find(id);
    return found == session.requests.end() ? nullptr : &found->second;
}

// ---------------------------------------------------------------- turns

void Core::pump_lane(const LaneId& lane) {
    const auto found = lane_sessions_.find(lane);
    if (found == lane_sessions_.end()) return;
    for (const SessionId id : found->second)
        if (Session* const session = find(id)) pump(*session);
}

// Requests take turns.
void Core::pump(Session& session) {
    bool is_served = session.phase == Phase::Ready && !session.is_full;
    while (is_served) {
        is_served = false;
        auto at = session.requests.upper_bound(session.id_served);
        for (std::size_t i = 0; i < session.requests.size() && !is_served; ++i, ++at) {
            if (at == session.requests.end()) at = session.requests.begin();
            is_served = serve(session, at->first, at->second);
            if (is_served) session.id_served = at->first;
        }
    }
    arm(session);
}

bool Core::serve(Session& session, std::uint64_t id, Request& request) {
    if (!request.is_opening) {
        if (!take_unpaid(session, kOpenBytes)) return false;
        request.is_opening = true;
        effects_->emplace_back(OpenContent{
            .session = session.id,
            .id = id,
            .hash = request.hash,
            .asker = session.lane
                         ? interfaces::Asker{interfaces::AskerClass::Payer,
                                             payer_number(session.lane->first.payer)}
                         : interfaces::Asker{interfaces::AskerClass::Stranger, session.network}});
        return true;
    }
    if (!request.info) return false;
    if (request.pieces_next < request.pieces_end && !request.is_reading_piece &&
        take_unpaid(session, 0)) {
        request.is_reading_piece = true;
        if (request.info->kind == types::ContentKind::File)
            effects_->emplace_back(
                ReadTree{.session = session.id, .id = id, .first = request.pieces_next});
        else
            effects_->emplace_back(
                ReadEntries{.session = session.id, .id = id, .first = request.pieces_next});
        return true;
    }
    return serve_block(session, id, request);
}

bool Core::serve_block(Session& session, std::uint64_t id, Request& request) {
    if (request.ranges.empty() || session.reads.size() >= options_.limits.reads_max) return false;
    Range& range = request.ranges.front();
    const std::uint64_t index = range.next;
    if (session.reads.contains({id, index})) return false;  // asked for twice at once
    const std::uint64_t bytes = block_bytes(*request.info, index);
    if (!may_read_block(session, bytes)) return false;
    session.reads.emplace(std::pair(id, index), bytes);
    effects_->emplace_back(ReadBlock{.session = session.id, .id = id, .index = index});
    if (++range.next == range.end) request.ranges.pop_front();
    return true;
}

bool Core::may_read_block(Session& session, std::uint64_t bytes) {
    if (!session.lane) return take_unpaid(session, bytes);
    switch (lanes_.reserve(*session.lane, bytes, now_)) {
        case LaneBook::Grant::Granted:
            session.paused.reset();
            return true;
        case LaneBook::Grant::Unacknowledged:
            reset_stuck(session);
            pause(session, wire::PauseReason::Unacknowledged);
            return false;
        case LaneBook::Grant::ReserveUsedUp:
            pause(session, wire::PauseReason::ReserveUsedUp);
            return false;
        case LaneBook::Grant::Closing:
            pause(session, wire::PauseReason::LaneClosing);
            return false;
    }
    return false;
}

// What waits in the transport for a client that is gone would be taken back when its session ends:
// another session of the lane need not wait for that as long as strangers would.
void Core::reset_stuck(const Session& waiting) {
    for (const SessionId id : lane_sessions_.at(*waiting.lane)) {
        Session* const other = find(id);
        if (other == nullptr || other->id == waiting.id || !other->is_full) continue;
        if (is_silent(*other) && other->full_since + options_.limits.silent_after <= now_)
            reset(*other);
    }
}

// A session with a bucket that is not full has a retry, so it is served without being asked. A
// lane has its own bucket: free sessions of the same network cannot starve it.
bool Core::take_unpaid(Session& session, std::uint64_t bytes) {
    const Duration wait = session.lane ? lane_buckets_.wait(*session.lane, now_)
                                       : network_buckets_.wait(session.network, now_);
    if (wait > Duration{0}) {
        retry_after(session, std::max<Duration>(wait, std::chrono::milliseconds(1)));
        return false;
    }
    if (bytes > 0) charge_unpaid(session, bytes);
    return true;
}

void Core::charge_unpaid(const Session& session, std::uint64_t bytes) {
    if (session.lane) return lane_buckets_.charge(*session.lane, bytes, now_);
    network_buckets_.charge(session.network, bytes, now_);
}

void Core::retry_after(Session& session, Duration delay) {
    const Instant when = now_ + delay;
    session.retry_at = session.retry_at ? std::min(*session.retry_at, when) : when;
}

void Core::pause(Session& session, wire::PauseReason reason) {
    retry_after(session, options_.limits.stall_interval);
    // Told behind the last block of this session: the client then has all that it will get.
    if (session.paused == reason || !session.reads.empty()) return;
    session.paused = reason;
    const LaneBook::Account& account = lanes_.account(*session.lane);
    send(session,
         wire::Paused{.reason = reason,
                      .delivered = account.delivered,
                      .acknowledged = account.acknowledged,
                      .units_max = account.units_max,
                      .text = wire::make_text(advice(reason))});
}

}  // namespace draco::handshake
