#include "server_state.hpp"

#include <array>
#include <utility>

namespace draco::handshake {

namespace wire = types::session;

namespace {

// Messages of one session behind its transport. A session that is full is given no blocks and no
// trees, so these are small answers to what the client goes on asking.
constexpr std::size_t kWaitingMax = 1'024;

}  // namespace

SessionServer::State::State(const SessionServerParts& parts, const SessionServerOptions& options)
    : parts_(parts),
      options_(options),
      core_({.chain = options.chain,
             .node = types::NodeKey(parts.identity.public_key().view()),
             .limits = options.limits}) {}

// ---------------------------------------------------------------- connections

SessionId SessionServer::State::accepted(const io::Stream& stream) {
    const Lock lock(mutex_);
    const SessionId id(++session_last_);
    if (is_closed_) {
        stream.abort();
        return id;
    }
    connections_.emplace(id, Connection{.stream = stream});
    wire::Nonce nonce;
    parts_.rng.fill(nonce.view());
    step(Accepted{.session = id, .network = network_of(stream.peer_address()), .nonce = nonce});
    return id;
}

// What was said before the client showed which transport it speaks, leaves now.
void SessionServer::State::begun(SessionId id, Wire wire) {
    const Lock lock(mutex_);
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    connection.wire = wire;
    auto early = std::exchange(connection.waiting, {});
    for (Outgoing& message : early)
        connection.waiting.push_back(frame_of(wire, std::move(message.head), {}, 0));
    if (write_some(connection) && connection.is_closing) finish(connection);
}

void SessionServer::State::received(SessionId id, ByteView message) {
    const Lock lock(mutex_);
    step(Received{.session = id, .message = message});
}

void SessionServer::State::reply(SessionId id, Bytes frame) {
    const Lock lock(mutex_);
    const auto found = connections_.find(id);
    // A client that asks for more than it reads gets no answer to a ping.
    if (found == connections_.end() || !found->second.waiting.empty()) return;
    write_frame(found->second, std::move(frame));
}

void SessionServer::State::broken(SessionId id, CloseCode code) {
    const Lock lock(mutex_);
    if (const auto found = connections_.find(id); found != connections_.end())
        found->second.close_code = code;
    step(Broken{.session = id});
}

void SessionServer::State::writable(SessionId id) {
    const Lock lock(mutex_);
    const auto found = connections_.find(id);
    if (found == connections_.end() || !write_some(found->second)) return;
    if (found->second.is_closing) return finish(found->second);
    step(Backlog{.session = id, .is_full = false});
}

void SessionServer::State::closed(SessionId id) {
    const Lock lock(mutex_);
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const Connection& connection = found->second;
    // The stream is closed, so this is what it never passed on.
    std::uint64_t unsent_bytes =
        connection.queued.content_bytes(connection.stream.counters().bytes_queued);
    for (const Outgoing& message : connection.waiting) unsent_bytes += message.block_bytes;
    connections_.erase(found);
    step(Closed{.session = id, .unsent_bytes = unsent_bytes});
}

// ---------------------------------------------------------------- the owner

void SessionServer::State::close() {
    std::map<ContentKey, std::shared_ptr<interfaces::Content>> contents;
    Lock lock(mutex_);
    is_closed_ = true;
    if (timer_) parts_.executor.cancel(timer_->second);
    timer_.reset();
    for (auto& [id, connection] : connections_) connection.stream.abort();
    connections_.clear();
    contents.swap(contents_);
    for (const auto& [key, opening] : openings_)
        if (opening) parts_.source.cancel(*opening);
    openings_.clear();
    idle_.wait(lock, [this] { return calls_ == 0; });
}

SessionCounters SessionServer::State::counters() const {
    const Lock lock(mutex_);
    return core_.counters();
}

// ---------------------------------------------------------------- steps

// Effects may bring about events; they are stepped after the effects of the event before.
void SessionServer::State::step(Event event) {
    if (is_closed_) return;
    events_.push_back(std::move(event));
    if (is_stepping_) return;
    is_stepping_ = true;
    while (!events_.empty()) {
        Effects effects;
        Event next = std::move(events_.front());
        events_.pop_front();
        core_.step(std::move(next), parts_.executor.clock().now(), effects);
        for (Effect& effect : effects)
            std::visit([this](auto& demanded) { apply(demanded); }, effect);
    }
    is_stepping_ = false;
    arm();
}

void SessionServer::State::arm() {
    const auto due = core_.next_alarm();
    if (timer_ && due && timer_->first <= *due) return;  // it will look again
    if (timer_) parts_.executor.cancel(timer_->second);
    timer_.reset();
    if (!due || due->since_origin == Duration::max()) return;
    const TimerId timer = parts_.executor.post_at(*due, [weak = weak_from_this()] {
        const auto state = weak.lock();
        if (!state) return;
        const Lock lock(state->mutex_);
        state->timer_.reset();
        state->step(Alarm{});
    });
    timer_.emplace(*due, timer);
}

void SessionServer::State::happened(Event event) {
    const Lock lock(mutex_);
    step(std::move(event));
}

void SessionServer::State::post(std::move_only_function<void()> call) {
    parts_.executor.post([weak = weak_from_this(), call = std::move(call)]() mutable {
        const auto state = weak.lock();
        if (!state) return;
        {
            const Lock lock(state->mutex_);
            if (state->is_closed_) return;
            ++state->calls_;
        }
        call();
        const Lock lock(state->mutex_);
        if (--state->calls_ == 0) state->idle_.notify_all();
    });
}

// ---------------------------------------------------------------- what leaves

void SessionServer::State::apply(Send& effect) {
    enqueue(effect.session, {.head = bcs::encode(effect.message)});
}

void SessionServer::State::apply(SendBlock& effect) {
    const std::uint64_t bytes = effect.bytes.size();
    enqueue(effect.session,
            {.head = block_head(effect.id, effect.index, bytes),
             .body = std::move(effect.bytes),
             .block_bytes = bytes});
}

void SessionServer::State::enqueue(SessionId id, Outgoing outgoing) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    // Who asks on and on and takes no answer.
    if (connection.waiting.size() >= kWaitingMax) return connection.stream.abort();
    if (connection.wire == Wire::Unknown) {
        connection.waiting.push_back(std::move(outgoing));
        return;
    }
    const bool was_full = !connection.waiting.empty();
    connection.waiting.push_back(frame_of(
        connection.wire, std::move(outgoing.head), std::move(outgoing.body), outgoing.block_bytes));
    if (!was_full && !write_some(connection)) step(Backlog{.session = id, .is_full = true});
}

// Whether all of it was taken.
bool SessionServer::State::write_some(Connection& connection) {
    while (!connection.waiting.empty()) {
        Outgoing& next = connection.waiting.front();
        std::array<Bytes, 2> buffers{std::move(next.head), std::move(next.body)};
        const std::size_t count = buffers[1].empty() ? 1 : 2;
        const std::size_t bytes = buffers[0].size() + buffers[1].size();
        const auto written = connection.stream.write(std::span(buffers).first(count));
        if (!written) {
            next.head = std::move(buffers[0]);
            next.body = std::move(buffers[1]);
            return false;
        }
        connection.queued.accepted(bytes, next.block_bytes);
        if (next.block_bytes > 0)
            connection.queued.passed_on(connection.stream.counters().bytes_queued);
        connection.waiting.pop_front();
    }
    return true;
}

// Past what waits. A frame that the stream does not take now is dropped.
void SessionServer::State::write_frame(Connection& connection, Bytes frame) {
    const std::size_t bytes = frame.size();
    if (connection.stream.write(std::move(frame))) connection.queued.accepted(bytes, 0);
}

void SessionServer::State::finish(Connection& connection) {
    if (connection.wire == Wire::WebSocket)
        write_frame(connection, close_frame(static_cast<std::uint16_t>(connection.close_code)));
    connection.stream.close();
}

void SessionServer::State::apply(Close& effect) {
    const auto found = connections_.find(effect.session);
    if (found == connections_.end()) return;
    found->second.is_closing = true;
    if (found->second.waiting.empty()) finish(found->second);
}

void SessionServer::State::apply(Reset& effect) {
    const auto found = connections_.find(effect.session);
    if (found != connections_.end()) found->second.stream.abort();
}

// ---------------------------------------------------------------- what is asked of the parts

void SessionServer::State::apply(ReadStanding& effect) {
    parts_.acknowledgements.standing(
        effect.lane, [weak = weak_from_this(), id = effect.session](auto standing) {
            if (const auto state = weak.lock())
                state->happened(StandingRead{.session = id, .standing = std::move(standing)});
        });
}

void SessionServer::State::apply(JudgeAck& effect) {
    parts_.acknowledgements.acknowledge(
        effect.ack,
        [weak = weak_from_this(), id = effect.session, cumulative = effect.ack.ack.cumulative](
            auto standing) {
            if (const auto state = weak.lock())
                state->happened(AckJudged{
                    .session = id, .cumulative = cumulative, .standing = std::move(standing)});
        });
}

void SessionServer::State::apply(OpenContent& effect) {
    const ContentKey key(effect.session, effect.id);
    openings_.emplace(key, std::nullopt);
    post([this, key, effect] { open(key, effect); });
}

// The request may end while the source is told of it.
void SessionServer::State::open(const ContentKey& key, const OpenContent& effect) {
    const interfaces::OpenId id = parts_.source.open_for(
        effect.asker,
        effect.hash,
        parts_.executor.clock().now() + options_.limits.open_deadline,
        [weak = weak_from_this(), key](Result<std::shared_ptr<interfaces::Content>> content) {
            if (const auto state = weak.lock()) state->opened(key, std::move(content));
        });
    const Lock lock(mutex_);
    if (const auto found = openings_.find(key); found != openings_.end()) {
        found->second = id;
    } else {
        parts_.source.cancel(id);
    }
}

void SessionServer::State::opened(const ContentKey& key,
                                  Result<std::shared_ptr<interfaces::Content>> content) {
    const Lock lock(mutex_);
    if (is_closed_) return;
    openings_.erase(key);
    Result<types::ContentInfo> info = fail(Errc::NotFound, "");
    if (content) {
        info = (*content)->info();
        contents_.insert_or_assign(key, *std::move(content));
    } else {
        info = std::unexpected(std::move(content).error());
    }
    step(ContentOpened{.session = key.first, .id = key.second, .info = std::move(info)});
}

std::shared_ptr<interfaces::Content> SessionServer::State::content(SessionId session,
                                                                   std::uint64_t id) const {
    const auto found = contents_.find({session, id});
    return found == contents_.end() ? nullptr : found->second;
}

void SessionServer::State::apply(ReadTree& effect) {
    post([this, effect, content = content(effect.session, effect.id)] {
        happened(TreeRead{.session = effect.session,
                          .id = effect.id,
                          .nodes = content->tree_nodes(effect.first, wire::kTreePieceNodesMax)});
    });
}

void SessionServer::State::apply(ReadEntries& effect) {
    post([this, effect, content = content(effect.session, effect.id)] {
        happened(EntriesRead{.session = effect.session,
                             .id = effect.id,
                             .entries = content->entries(effect.first, wire::kEntriesPieceMax)});
    });
}

// The block is copied outside the mutex.
void SessionServer::State::apply(ReadBlock& effect) {
    auto read = [weak = weak_from_this(), effect](Result<std::shared_ptr<const Bytes>> block) {
        const auto state = weak.lock();
        if (!state) return;
        Result<Bytes> bytes = fail(Errc::NotFound, "");
        if (block)
            bytes = **block;
        else
            bytes = std::unexpected(std::move(block).error());
        state->happened(BlockRead{.session = effect.session,
                                  .id = effect.id,
                                  .index = effect.index,
                                  .bytes = std::move(bytes)});
    };
    post([index = effect.index,
          content = content(effect.session, effect.id),
          read = std::move(read)]() mutable { content->read_block(index, std::move(read)); });
}

void SessionServer::State::apply(DropContent& effect) {
    const ContentKey key(effect.session, effect.id);
    contents_.erase(key);
    const auto opening = openings_.extract(key);
    if (opening && opening.mapped()) parts_.source.cancel(*opening.mapped());
}

}  // namespace draco::handshake
