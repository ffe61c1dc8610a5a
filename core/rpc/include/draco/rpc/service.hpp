#pragma once
// JSON-RPC 2.0 over whatever carries text: what anybody may ask of a node. docs/formats/rpc.md has
// the methods, their parameters and results, and the error codes.
//
// The service reads the newest state, so two calls of one batch may see different heights. It
// never blocks: calls run as messages of an object on the Executor, and those that wait for a
// transaction are kept in a bounded table until a block, a deadline or stop() answers them.

#include "draco/affair/registry.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/http/engine.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/interfaces/delivery.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/interfaces/providers.hpp"
#include "draco/interfaces/signer.hpp"
#include "draco/interfaces/sync.hpp"
#include "draco/rpc/admin.hpp"
#include "draco/rpc/process_usage.hpp"
#include "draco/types/keys.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::rpc {

// All outlive the service.
struct ServiceDependencies {
    interfaces::Ledger& ledger;
    interfaces::Consensus& consensus;
    interfaces::TransactionForwarder& forwarder;
    interfaces::Links& links;
    interfaces::BlockFollower& follower;
    interfaces::NodeSigner& signer;
    Executor& executor;
    affair::Registry& registry;
    types::NodeKey node_key;
    std::string version;  // of the program
    // What the process uses; null in a simulation.
    std::function<ProcessUsage()> process_usage;
    // What its HTTP front delivers; null where it has none.
    std::function<http::EngineCounters()> http_counters{};
    // Without it no admin_ method can be called.
    std::optional<AdminAccess> admin{};
    // What the node delivers; none where it does not.
    const interfaces::Acknowledgements* acknowledgements = nullptr;
    const interfaces::Blockstore* blockstore = nullptr;
    const interfaces::Providers* providers = nullptr;
};

struct ServiceLimits {
    std::size_t body_bytes_max = std::size_t{1} << 20;
    std::size_t depth_max = 16;  // of arrays and objects inside each other
    std::size_t batch_max = 100;
    std::size_t response_bytes_max = std::size_t{8} << 20;
    std::size_t requests_max = 1024;        // bodies that may wait to be handled
    std::size_t requests_in_work_max = 16;  // bodies handled at the same time
    // Calls that wait for a transaction: in all, of which one half is kept for those that send it,
    // and of one client.
    std::size_t waiters_max = 4096;
    std::size_t waiters_per_client_max = 512;
    std::size_t admin_waits_max = 16;  // admin calls that wait for theirs
    std::uint64_t wait_ms_max = 60'000;
    std::uint64_t submit_ms_max = 10'000;  // until a member has taken a transaction
    std::size_t page_max = 1'000;          // entries of a list
    // Certified and not executed blocks beyond which the node is not healthy.
    std::uint64_t health_lag_blocks_max = 100;
    // An epoch that should have ended so long ago, by this machine's clock, shows that the node is
    // behind without knowing it, or that the chain stands still: every epoch ends with a block.
    std::uint64_t health_overdue_ms_max = 60'000;
};

// Who asks.
struct Caller {
    // The value of the header of that name; the admin_ methods need the token in it.
    std::string authorization{};
    // Whose waiting calls are counted together; empty: not counted.
    std::string client{};
    // Called once at most, with the calls of a batch beyond the first, before any is run. If it
    // says how long to wait none is, and the body is answered with Busy's code. Null: free.
    std::function<std::optional<Duration>(std::size_t calls, Instant now)> charge{};
};

struct ParameterDescription {
    std::string name;
    std::string type;
    bool required = false;
    std::string doc;
};

struct MethodDescription {
    std::string name;
    std::vector<ParameterDescription> parameters;  // in the order of positions
    std::string result;
    std::string doc;  // one line
};

// Every method there is, in the order of names.
std::vector<MethodDescription> describe_methods();

struct Health {
    bool ok = true;
    std::string reason;  // why not
};

// Thread-safe.
class RpcService {
public:
    // Receives the text of the answer; empty when there is none (notifications).
    using Done = std::move_only_function<void(std::string)>;

    // Fails as Registry::spawn does.
    static Result<std::unique_ptr<RpcService>> start(ServiceDependencies dependencies,
                                                     ServiceLimits limits = {});
    // stop(), then returns when no code of the service runs.
    ~RpcService();
    RpcService(const RpcService&) = delete;
    RpcService& operator=(const RpcService&) = delete;

    // Answers any body with a valid JSON-RPC response. `done` is called exactly once, as a task of
    // its own or within stop(), and never inside this call; it must not throw. If the executor
    // stops first it may be called while tasks are destroyed.
    void handle(std::string_view body, Done done, Caller caller = {});

    // Every call that waits is answered, and what comes later is refused with Unavailable's code.
    void stop();

    // Whether the value of an Authorization header has the token of the node's owner.
    bool is_admin(std::string_view authorization) const;

    // Whether the node serves: it is not stopping, saw no fork and is not far behind the chain.
    Health health() const;
    // Prometheus text exposition format 0.0.4.
    std::string metrics() const;
    const std::string& version() const;
    const ServiceLimits& limits() const;

private:
    class State;

    explicit RpcService(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::rpc
