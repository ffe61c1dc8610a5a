#pragma once
// Leads the engines through the epochs: decides whether this member may sign, starts and retires
// engines, feeds them, writes their logs. A sequential object: everything of a core happens here.

#include "draco/consensus/driver.hpp"

#include "chain_tail.hpp"
#include "engine.hpp"
#include "intake.hpp"
#include "record_log.hpp"
#include "signed_epoch.hpp"
#include "worker_port.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace draco::consensus {

struct LateParts {
    std::atomic<interfaces::BlockFollower*> follower{nullptr};
    std::atomic<interfaces::TransactionForwarder*> forwarder{nullptr};
};

class Conductor {
public:
    struct Begin {};

    struct Poke {};  // there is news, or a timer is due

    using Messages = affair::Messages<Begin, Poke, Verified, FromLane>;

    struct Setting {
        DriverParts parts;
        const types::NodeSecretKey& key;
        types::ChainId chain;
        Parameters parameters;
        const DriverOptions& options;
        Intake& intake;
        WorkerPort& workers;
        LateParts& late;
    };

    Conductor(const Setting& setting, affair::Self<Conductor> self);
    ~Conductor();
    Conductor(const Conductor&) = delete;
    Conductor& operator=(const Conductor&) = delete;

    Result<> handle(Begin begin);
    Result<> handle(Poke poke);
    Result<> handle(Verified verified);
    Result<> handle(FromLane news);

private:
    // What this member may do in an epoch, and from what.
    struct Standing {
        RecoveryMode mode = RecoveryMode::Observer;
        std::string reason;  // of Observer
        std::unique_ptr<segment_log::SegmentLog> log{};
        std::vector<Record> records{};
    };

    enum class Beginning : std::uint8_t {
        Here,   // this process executed the last block of the epoch before
        Found,  // it was running when the process started
    };

    // A turn begins with the news and ends with what they lead to.
    Result<> turn(std::optional<Verified> verified);
    Result<> take_news();
    Result<> on_executed(const ExecutedNews& news);
    Result<> step(Verified verified);
    Result<> settle(Engine& engine);
    Result<> start_write(Engine& engine);
    void protect_idle_logs(Instant now);
    Result<> on_written(types::Epoch epoch, Result<> outcome);
    Result<> on_lost_records(Engine& engine);
    void resubmit(const std::vector<types::TransactionBytes>& transactions);
    void arm();
    void retire();
    void publish();
    Intakes intakes();
    Result<> judged(Result<> outcome);

    // conductor_workers.cpp
    Result<> open_lanes();
    Result<> take_worker_news();
    Result<> turn_with(FromLane news);
    bool is_of_committee(const types::NodeKey& key) const;
    void announce_workers(const types::NodeKey& peer);
    bool learn_workers(const types::NodeKey& member, OwnWorkers workers);
    void tell_peers(std::size_t lane);
    Result<> set_lane(std::size_t lane, bool up);
    Result<> restart_lanes();
    void greet(std::size_t lane);
    void begin_in(std::size_t lane, const types::Committee& committee);
    Result<> begin_in_lanes(const types::Committee& committee);

    // conductor_reopening.cpp
    Result<> reopen_ended_epoch(const interfaces::StateView& view);
    Result<> reopen(const types::Committee& committee, const Tip& last);

    // conductor_epochs.cpp
    Result<> begin_running_epoch();
    Result<> read_past();
    Result<> end_epoch(const ExecutedNews& news);
    Result<> begin_epoch(const types::Committee& committee, const Tip& tip, Beginning beginning);
    Result<std::optional<ChainTail>> tail_of(const Tip& tip, Beginning beginning) const;
    // `tip` is the last block before the epoch, or, if it was found, the head.
    Result<Standing> standing(types::Epoch epoch, const Tip& tip, Beginning beginning);
    bool may_make_log(types::Epoch epoch, const Tip& tip, Beginning beginning) const;
    Result<Standing> standing_by_log(types::Epoch epoch);
    Result<> open_engine(const types::Committee& committee,
                         const ChainTail& tail,
                         Standing standing);
    Result<> observe_instead(const types::Committee& committee,
                             const ChainTail& tail,
                             const Error& error,
                             Standing& standing,
                             std::unique_ptr<Core>& core);
    Result<std::optional<affair::Owner<LogWriter>>> open_writer(
        types::Epoch epoch, std::unique_ptr<segment_log::SegmentLog> log);
    Result<std::unique_ptr<Core>> make_core(const types::Committee& committee,
                                            const Tip& start,
                                            Standing& standing);
    Result<Standing> damaged(types::Epoch epoch, const Error& error);
    Result<> start_engine();
    Result<> open_desks();
    void close_desks();
    void open_routes();
    Engine* engine_of(types::Epoch epoch);
    types::Height known_certified() const;

    const Setting setting_;
    const affair::Self<Conductor> self_;
    log::Logger log_;
    RecordLogs logs_;
    SignedEpoch signed_epoch_;
    const UnixTime started_;  // the process

    types::Epoch epoch_;
    types::Height head_;  // the last executed block that was seen
    bool member_ = false;
    bool may_sign_ = false;
    bool told_of_clock_ = false;
    bool started_in_this_epoch_ = true;  // the process, that is
    std::string reason_;
    std::unique_ptr<Engine> running_;
    std::unique_ptr<Engine> previous_;
    std::optional<Instant> retire_at_;
    std::optional<Instant> protect_at_;
    std::optional<Instant> armed_for_;
    std::optional<TimerId> timer_;
    std::map<types::NodeKey, affair::Owner<Inbox>> desks_;
    std::vector<affair::Owner<LaneInbox>> lanes_;
    std::vector<bool> lanes_up_;
    std::map<std::size_t, Instant> lanes_restart_at_;
    std::map<types::NodeKey, OwnWorkers> workers_of_;  // by member
};

}  // namespace draco::consensus
