#include "draco/consensus_bench/bench.hpp"

#include "child.hpp"
#include "latencies.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace draco::consensus_bench {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(20);
constexpr auto kLookEvery = std::chrono::milliseconds(50);

// Set by a signal's handler.
std::atomic<bool>& interrupted() {
    static_assert(std::atomic<bool>::is_always_lock_free);
    static std::atomic<bool> is_interrupted = false;
    return is_interrupted;
}

// What is started and made must be ended and removed before this process ends.
class Interruption {
public:
    Interruption() {
        interrupted() = false;
        struct sigaction note{};
        note.sa_handler = [](int) { interrupted() = true; };
        for (std::size_t i = 0; i < kSignals.size(); ++i)
            ::sigaction(kSignals[i], &note, &before_[i]);
    }

    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    ~Interruption() {
        for (std::size_t i = 0; i < kSignals.size(); ++i)
            ::sigaction(kSignals[i], &before_[i], nullptr);
    }

private:
    static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

    std::array<struct sigaction, kSignals.size()> before_{};
};

std::unexpected<Error> interruption() {
    return fail(Errc::Abandoned, "interrupted; its processes are ended and its logs removed");
}

struct Counters {
    std::uint64_t transactions = 0;
    std::uint64_t blocks = 0;
    std::uint64_t round = 0;
    std::uint64_t bytes_sent = 0;
    std::size_t links = 0;
    bool is_member = false;
    Latencies end_to_end;
    Latencies consensus;
};

Result<Counters> parse(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    Counters counters;
    int member = 0;
    words >> word >> counters.transactions >> counters.blocks >> counters.round >>
        counters.bytes_sent >> counters.links >> member;
    const auto first = line.find('|');
    const auto second = line.find('|', first + 1);
    if (!words || second == std::string::npos)
        return fail(Errc::Corrupt, "a validator of the bench said: " + line);
    counters.is_member = member == 1;
    counters.end_to_end = Latencies::from_text(line.substr(first + 1, second - first - 1));
    counters.consensus = Latencies::from_text(line.substr(second + 1));
    return counters;
}

// Seconds of all CPUs that were not idle.
double machine_busy_s() {
    std::ifstream file("/proc/stat");
    std::string name;
    std::vector<double> ticks(8);
    file >> name;
    for (double& each : ticks) file >> each;
    constexpr std::size_t kIdle = 3;
    constexpr std::size_t kIoWait = 4;
    double busy = 0;
    for (std::size_t i = 0; i < ticks.size(); ++i)
        if (i != kIdle && i != kIoWait) busy += ticks[i];
    return busy / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Percentiles percentiles(const Latencies& latencies) {
    constexpr double kUsPerMs = 1000;
    return {.p50_ms = latencies.quantile_us(0.50) / kUsPerMs,
            .p95_ms = latencies.quantile_us(0.95) / kUsPerMs,
            .p99_ms = latencies.quantile_us(0.99) / kUsPerMs,
            .mean_ms = latencies.mean_us() / kUsPerMs,
            .samples = latencies.samples()};
}

struct Snapshot {
    std::vector<Counters> counters;
    ProcessUse use;                // of validators and workers; memory of the largest
    std::uint64_t bytes_sent = 0;  // the same
    double clients_cpu_s = 0;
    double busy_s = 0;
    std::chrono::steady_clock::time_point at;
};

class Bench {
public:
    Bench(const Options& options, const std::function<void(std::string_view)>& on_phase)
        : options_(options), on_phase_(on_phase) {}

    Result<Report> run() {
        on_phase_("starting validators");
        DRACO_TRY_VOID(start_validators());
        DRACO_TRY_VOID(wait_for_links());
        while (validators_.size() > options_.validators - options_.crashed) {
            validators_.pop_back();
            while (workers_.size() > validators_.size() * options_.workers) workers_.pop_back();
        }
        DRACO_TRY_VOID(start_clients());
        DRACO_TRY_VOID(pass("warming up", options_.warm_up));
        for (Child& validator : validators_) DRACO_TRY_VOID(validator.ask("reset"));
        DRACO_TRY(before, look());
        DRACO_TRY_VOID(pass("measuring", options_.window));
        DRACO_TRY(after, look());
        on_phase_("stopping");
        return report(before, after);
    }

private:
    Result<> pass(const std::string& phase, Duration duration) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point end = Clock::now() + duration;
        std::optional<std::int64_t> shown_s;
        for (auto now = Clock::now(); now < end; now = Clock::now()) {
            if (interrupted()) return interruption();
            const auto left_s = std::chrono::ceil<std::chrono::seconds>(end - now).count();
            if (shown_s != left_s) on_phase_(phase + ", " + std::to_string(left_s) + " s left");
            shown_s = left_s;
            std::this_thread::sleep_for(std::min<Clock::duration>(kLookEvery, end - now));
        }
        return {};
    }

    Result<Child> start(std::vector<std::string> arguments, const std::string& name) {
        if (interrupted()) return interruption();
        const std::string directory = options_.directory + "/" + name;
        std::error_code error;
        std::filesystem::create_directories(directory, error);
        if (error)
            return fail(Errc::Io,
                        "cannot make the folder " + directory + ": " + error.message() +
                            "; choose one that can be written with --directory");
        arguments.insert(arguments.begin(), "bench");
        arguments.push_back(std::to_string(options_.threads));
        arguments.push_back(directory);
        return Child::start(arguments);
    }

    static Result<std::vector<std::uint16_t>> ports_in(Result<std::string> line,
                                                       std::size_t count) {
        DRACO_TRY(text, std::move(line));
        std::istringstream words(text);
        std::string word;
        std::vector<std::uint16_t> ports(count);
        words >> word;
        for (std::uint16_t& port : ports) words >> port;
        if (!words) return fail(Errc::Corrupt, "a process of the bench said: " + text);
        return ports;
    }

    Result<> start_validators() {
        const std::string validators = std::to_string(options_.validators);
        std::string ports;
        std::vector<std::string> worker_ports(options_.validators);
        for (std::size_t i = 0; i < options_.validators; ++i) {
            const std::string index = std::to_string(i);
            DRACO_TRY(child, start({"consensus-validator", index, validators}, index));
            validators_.push_back(std::move(child));
            DRACO_TRY(own, ports_in(validators_.back().read_line(), 1));
            ports += " " + std::to_string(own[0]);
            for (std::size_t w = 0; w < options_.workers; ++w) {
                const std::string name = index + "-" + std::to_string(w);
                DRACO_TRY(worker,
                          start({"consensus-worker",
                                 index,
                                 std::to_string(w),
                                 validators,
                                 std::to_string(own[0])},
                                name));
                workers_.push_back(std::move(worker));
                DRACO_TRY(its, ports_in(workers_.back().read_line(), 2));
                worker_ports[i] += " " + std::to_string(its[0]);
                client_ports_.push_back(its[1]);
            }
        }
        for (std::size_t i = 0; i < options_.validators; ++i) {
            DRACO_TRY(own, ports_in(validators_[i].ask("peers" + ports + worker_ports[i]), 1));
            if (options_.workers == 0) client_ports_.push_back(own[0]);
        }
        return {};
    }

    Result<> wait_for_links() {
        const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
        const std::size_t others = options_.validators - 1;
        while (std::chrono::steady_clock::now() < deadline) {
            if (interrupted()) return interruption();
            bool all = true;
            for (Child& validator : validators_) {
                DRACO_TRY(line, validator.ask("counts"));
                DRACO_TRY(counters, parse(line));
                all = all && counters.is_member && counters.links == others + options_.workers;
            }
            for (Child& worker : workers_) {
                DRACO_TRY(counters, look_at(worker));
                all = all && counters.is_member && counters.links == others + 1;
            }
            if (all) return {};
            std::this_thread::sleep_for(kLookEvery);
        }
        return fail(Errc::DeadlineExceeded, "the processes of the bench do not find each other");
    }

    static Result<Counters> look_at(Child& worker) {
        DRACO_TRY(line, worker.ask("counts"));
        std::istringstream words(line);
        std::string word;
        Counters counters;
        int member = 0;
        words >> word >> counters.bytes_sent >> counters.links >> member;
        if (!words) return fail(Errc::Corrupt, "a worker of the bench said: " + line);
        counters.is_member = member == 1;
        return counters;
    }

    Result<> start_clients() {
        if (options_.rate_per_s == 0) return {};
        const std::size_t clients = validators_.size() * std::max<std::size_t>(1, options_.workers);
        for (std::size_t i = 0; i < clients; ++i) {
            const std::uint64_t rest = i < options_.rate_per_s % clients ? 1 : 0;
            const std::uint64_t rate_per_s = options_.rate_per_s / clients + rest;
            if (rate_per_s == 0) break;
            DRACO_TRY(child,
                      Child::start({"bench",
                                    "consensus-client",
                                    std::to_string(client_ports_[i]),
                                    std::to_string(rate_per_s),
                                    std::to_string(options_.transaction_bytes)}));
            clients_.push_back(std::move(child));
        }
        return {};
    }

    static Result<> add_use(const Child& child, ProcessUse& sum) {
        DRACO_TRY(use, child.use());
        sum.cpu_s += use.cpu_s;
        sum.rss_peak_mb = std::max(sum.rss_peak_mb, use.rss_peak_mb);
        return {};
    }

    Result<Snapshot> look() {
        Snapshot snapshot;
        snapshot.at = std::chrono::steady_clock::now();
        snapshot.busy_s = machine_busy_s();
        for (Child& validator : validators_) {
            DRACO_TRY(line, validator.ask("counts"));
            DRACO_TRY(counters, parse(line));
            snapshot.bytes_sent += counters.bytes_sent;
            snapshot.counters.push_back(counters);
            DRACO_TRY_VOID(add_use(validator, snapshot.use));
        }
        for (Child& worker : workers_) {
            DRACO_TRY(counters, look_at(worker));
            snapshot.bytes_sent += counters.bytes_sent;
            DRACO_TRY_VOID(add_use(worker, snapshot.use));
        }
        ProcessUse clients;
        for (const Child& client : clients_) DRACO_TRY_VOID(add_use(client, clients));
        snapshot.clients_cpu_s = clients.cpu_s;
        return snapshot;
    }

    Report report(const Snapshot& before, const Snapshot& after) {
        Report made;
        made.window_s = std::chrono::duration<double>(after.at - before.at).count();
        made.offered_per_s = static_cast<double>(options_.rate_per_s);
        const double cpu_s = after.use.cpu_s - before.use.cpu_s;
        const auto bytes = static_cast<double>(after.bytes_sent - before.bytes_sent);
        made.rss_mb_max = after.use.rss_peak_mb;
        std::optional<std::uint64_t> committed;
        std::uint64_t rounds = 0;
        std::uint64_t blocks = 0;
        Latencies end_to_end;
        Latencies consensus;
        for (std::size_t i = 0; i < validators_.size(); ++i) {
            const Counters& end = after.counters[i];
            const Counters& begin = before.counters[i];
            const std::uint64_t here = end.transactions - begin.transactions;
            committed = std::min(committed.value_or(here), here);
            rounds = std::max(rounds, end.round - begin.round);
            blocks = std::max(blocks, end.blocks - begin.blocks);
            end_to_end.merge(end.end_to_end);
            consensus.merge(end.consensus);
            if (validators_[i].has_ended()) ++made.dead;
        }
        for (Child& worker : workers_)
            if (worker.has_ended()) ++made.dead;
        const auto transactions = static_cast<double>(committed.value_or(0));
        const auto per = [](double total, double count) { return count > 0 ? total / count : 0; };
        made.committed_per_s = transactions / made.window_s;
        made.end_to_end = percentiles(end_to_end);
        made.consensus = percentiles(consensus);
        made.cpu_us_per_transaction = per(cpu_s * 1e6, transactions);
        made.cpu_ms_per_round = per(cpu_s * 1e3, static_cast<double>(rounds));
        made.cpu_cores = cpu_s / made.window_s;
        made.rounds_per_s = static_cast<double>(rounds) / made.window_s;
        made.blocks_per_s = static_cast<double>(blocks) / made.window_s;
        made.wire_bytes_per_transaction = per(bytes, transactions);
        const double own_s = cpu_s + after.clients_cpu_s - before.clients_cpu_s;
        const double cores = std::max(1U, std::thread::hardware_concurrency());
        made.others_share =
            std::max(0.0, after.busy_s - before.busy_s - own_s) / (made.window_s * cores);
        return made;
    }

    const Options& options_;
    const std::function<void(std::string_view)>& on_phase_;
    std::vector<Child> validators_;
    std::vector<Child> workers_;  // validator by validator
    std::vector<Child> clients_;
    std::vector<std::uint16_t> client_ports_;
};

}  // namespace

Result<Report> run(const Options& options, const std::function<void(std::string_view)>& on_phase) {
    std::signal(SIGPIPE, SIG_IGN);
    const Interruption noted;
    Result<Report> report = Bench(options, on_phase).run();
    // A terminal's Ctrl-C ends the processes too, which are then missed first.
    if (interrupted()) report = interruption();
    std::error_code ignored;
    std::filesystem::remove_all(options.directory, ignored);
    return report;
}

}  // namespace draco::consensus_bench
