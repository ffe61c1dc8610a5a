#pragma once
// Sends the transactions of many accounts to the nodes of a devnet, each account's in the order of
// its nonces, and sees all of them executed, whatever becomes of single nodes meanwhile.
//
// Account i is at node i mod n. It has one transaction in an unanswered request at a time, because
// a node may take those of one request in any order, and at most kPendingMax that a node took and
// no block has executed. A node that does not answer is left, and its accounts begin again after
// what the chain has executed, with the same bytes; they come back when it does. So does an account
// of which nothing is executed for longer than what was sent before took: its transactions may be
// lost with a node's memory. That time is the chain's (chain_time.hpp): while no block is executed,
// nothing is taken for lost, but one account's transactions in each ChainTime::kStandstill.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/identity/transaction_key.hpp"

#include "chain_time.hpp"
#include "devnet_record.hpp"
#include "resend_timeout.hpp"
#include "rpc_client.hpp"

#include <boost/json/value.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace draco {

struct StreamLimits {
    std::size_t in_flight_max = 2000;  // taken by a node, not executed
    std::uint64_t rate_tps = 0;        // 0: as fast as they are taken
    Duration sending_max = Duration::max();
    Duration patience = std::chrono::seconds(120);  // without any transaction executed
};

// One account's transactions: steps 0 .. count-1 with the nonces after `executed`.
struct StreamSource {
    std::string address;
    types::Nonce executed;
    std::uint64_t count = 0;
    // The same bytes whenever it is asked.
    std::function<Bytes(std::uint64_t step)> bytes;
};

struct StreamOutcome {
    std::vector<std::uint64_t> executed;  // of each account
    std::uint64_t total = 0;
    std::uint64_t refused_and_resent = 0;
    std::uint64_t lost_and_resent = 0;
    double seconds = 0;  // until all were executed
};

class TransactionStream {
public:
    // `clock` outlives it.
    TransactionStream(const Clock& clock,
                      const DevnetRecord& devnet,
                      std::vector<StreamSource> sources,
                      const StreamLimits& limits);

    // `progress` is called with what has been executed since the last call. DeadlineExceeded when
    // patience ends, with what the nodes said last. Corrupt: somebody else uses the accounts.
    Result<StreamOutcome> run(const std::function<void(std::uint64_t)>& progress);

private:
    enum class Asked : std::uint8_t { Transactions, Nonces, Status };

    struct Account {
        StreamSource source;
        std::uint64_t next = 0;      // step
        std::uint64_t executed = 0;  // steps
        std::uint64_t sent = 0;      // steps that were sent at least once
        std::size_t node = 0;
        bool asked = false;
        bool probing = false;  // after a loss, one at a time until the chain moves
        Instant not_before;
        Instant stalled_at;  // the chain's time
        Duration patience{};
        // One step at a time that was sent once, and when by the chain's time.
        std::optional<std::uint64_t> timed;
        Instant timed_at;
    };

    struct Node {
        HttpUrl url;
        bool alive = true;
        bool member = true;
        bool asked_transactions = false;
        bool asked_status = false;
        Instant status_at;
        Instant not_before;
    };

    struct Arrival {
        std::size_t node = 0;
        Asked asked = Asked::Status;
        std::vector<std::size_t> accounts;
        Result<HttpAnswer> answer;
    };

    // Shared with requests under way, which may outlive the stream.
    struct Inbox {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<Arrival> arrivals;
    };

    void ask(std::size_t node,
             Asked what,
             std::vector<std::size_t> accounts,
             const std::vector<RpcCall>& calls);
    void ask_all();
    void ask_status(std::size_t node);
    void ask_nonces();
    void send_from(std::size_t node);
    bool may_send(const Account& account) const;
    std::uint64_t new_allowed() const;

    void wait();
    Result<> take(Arrival arrival);
    Result<> take_nonces(const Arrival& arrival, const std::vector<RpcOutcome>& outcomes);
    void take_transactions(const Arrival& arrival, const std::vector<RpcOutcome>& outcomes);
    void take_refusal(Account& account, const CallError& error);
    void leave(std::size_t node);
    void settle_accounts();
    std::optional<std::size_t> node_for(std::size_t account) const;
    void rewind(Account& account);
    void probe_if_chain_stands();

    Instant chain_now() const { return chain_.at(now_); }

    void stop_sending();
    bool is_done() const;
    std::size_t in_flight() const;

    const Clock& clock_;
    StreamLimits limits_;
    std::vector<Account> accounts_;
    std::vector<Node> nodes_;
    std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
    Instant now_;
    Instant started_;
    Instant progressed_at_;
    ChainTime chain_;
    std::uint64_t height_ = 0;  // the highest that a node has said
    Instant nonces_at_;
    bool asked_nonces_ = false;
    std::size_t nonces_cursor_ = 0;
    std::size_t send_cursor_ = 0;
    std::size_t probe_cursor_ = 0;
    std::uint64_t new_sent_ = 0;
    StreamOutcome outcome_;
    std::string last_error_;
    ResendTimeout resend_timeout_;
};

}  // namespace draco
