#pragma once
// What a session knows, and what all its exchanges share: waiting for messages, acknowledging.

#include "draco/client/client.hpp"

#include "connection.hpp"
#include "patience.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace draco::client {

class Session::State {
public:
    State(const ClientOptions& options, Connection connection, const LaneCredentials* lane)
        : options_(options),
          connection_(std::move(connection)),
          credentials_(lane),
          patience_(options) {}

    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    // Hello to welcome.
    Result<> introduce(const types::NodeKey& node);

    const types::NodeKey& node() const { return node_; }

    const std::optional<types::session::Standing>& standing() const { return standing_; }

    const ClientOptions& options() const { return options_; }

    // Of a request that begins now.
    std::uint64_t next_id();

    Result<> send(const types::session::ClientMessage& message) const {
        return connection_.send(message);
    }

    // A message of a request, valid until the next call; what concerns the session alone is dealt
    // with here. The error ends the session.
    Result<types::session::NodeMessage> next();

    // What was awaited has come: the node has all its time again.
    void progressed() {
        patience_.progressed();
        idle_messages_ = 0;
    }

    // The last message was a part of what is verified later, as a whole.
    void unverified();
    // Verified bytes of blocks have arrived.
    void received(std::uint64_t bytes);
    // Acknowledges, if it is time to.
    Result<> acknowledge_if_due();
    // Ends the request, and waits until the node has all acknowledgements. `take_block` is given
    // what still arrives.
    Result<> finish(std::uint64_t id,
                    const std::function<Result<>(const types::session::Block&)>& take_block);
    // The same, when the node has ended the request.
    Result<> settle();

private:
    Result<types::session::NodeMessage> read();
    Result<> check_standing(const types::session::Standing& standing);
    Result<> acknowledge();
    // Whether the message was the session's.
    Result<bool> take(const types::session::NodeMessage& message);
    Result<> take_pause(const types::session::Paused& paused);

    const ClientOptions options_;
    const Connection connection_;
    const LaneCredentials* const credentials_;
    types::NodeKey node_{};
    std::optional<types::session::Standing> standing_;
    Bytes message_;
    std::uint64_t id_last_ = 0;
    Patience patience_;
    std::size_t idle_messages_ = 0;  // since there was progress

    // Cumulative units of the lane.
    std::uint64_t received_ = 0;
    std::uint64_t acknowledged_ = 0;  // sent
    std::uint64_t taken_ = 0;         // by the node, durably
    std::uint64_t window_ = 0;
    bool is_paused_ = false;
    std::chrono::steady_clock::time_point acknowledged_at_{};
};

}  // namespace draco::client
