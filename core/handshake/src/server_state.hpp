#pragma once
// The driver of the core: one mutex around its steps and what they demand, so that what is said in
// a session leaves in the order of the core.

#include "draco/handshake/session_server.hpp"

#include "core.hpp"
#include "queued_blocks.hpp"
#include "session_connection.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace draco::handshake {

class SessionServer::State : public std::enable_shared_from_this<State> {
public:
    State(const SessionServerParts& parts, const SessionServerOptions& options);

    // ---- of connections

    SessionId accepted(const io::Stream& stream);
    // The transport of the session is known now.
    void begun(SessionId id, Wire wire);
    void received(SessionId id, ByteView message);
    // A frame of the transport itself, between two messages.
    void reply(SessionId id, Bytes frame);
    // What came is no frame: the session ends; a WebSocket says `code` with its last frame.
    void broken(SessionId id, CloseCode code);
    void writable(SessionId id);
    void closed(SessionId id);

    // ---- of the owner

    void close();
    SessionCounters counters() const;

private:
    struct Connection {
        io::Stream stream;
        Wire wire = Wire::Unknown;
        bool is_closing = false;
        CloseCode close_code = CloseCode::Normal;
        std::deque<Outgoing> waiting{};  // what the stream does not take now
        QueuedBlocks queued{};           // what it took
    };

    using ContentKey = std::pair<SessionId, std::uint64_t>;
    using Lock = std::unique_lock<std::mutex>;

    void step(Event event);
    void apply(Send& effect);
    void apply(SendBlock& effect);
    void apply(Close& effect);
    void apply(Reset& effect);
    void apply(ReadStanding& effect);
    void apply(JudgeAck& effect);
    void apply(OpenContent& effect);
    void apply(ReadTree& effect);
    void apply(ReadEntries& effect);
    void apply(ReadBlock& effect);
    void apply(DropContent& effect);

    void enqueue(SessionId id, Outgoing outgoing);
    static bool write_some(Connection& connection);
    static void write_frame(Connection& connection, Bytes frame);
    static void finish(Connection& connection);
    void arm();
    void open(const ContentKey& key, const OpenContent& effect);
    void opened(const ContentKey& key, Result<std::shared_ptr<interfaces::Content>> content);
    std::shared_ptr<interfaces::Content> content(SessionId session, std::uint64_t id) const;

    // Runs `call` as a task, without the mutex; the server waits for it before it is gone. Nothing
    // runs after close().
    void post(std::move_only_function<void()> call);
    // Steps with an event that was waited for.
    void happened(Event event);

    const SessionServerParts parts_;
    const SessionServerOptions options_;
    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable idle_;
    std::size_t calls_ = 0;  // of parts, under way
    bool is_closed_ = false;
    Core core_;
    std::deque<Event> events_;
    bool is_stepping_ = false;
    std::map<SessionId, Connection> connections_;
    // Being opened, and how the source knows it, once it has said so.
    std::map<ContentKey, std::optional<interfaces::OpenId>> openings_;
    std::map<ContentKey, std::shared_ptr<interfaces::Content>> contents_;
    std::uint64_t session_last_ = 0;
    std::optional<std::pair<Instant, TimerId>> timer_;
};

}  // namespace draco::handshake
