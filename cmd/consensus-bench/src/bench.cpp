#include "draco/consensus_bench/bench.hpp"

#include "child.hpp"
#include "latencies.hpp"

#include <unistd.h>

#include <algorithm>
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
    std::vector<ProcessUse> use;
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
        while (validators_.size() > options_.validators - options_.crashed) validators_.pop_back();
        on_phase_("warming up");
        DRACO_TRY_VOID(start_clients());
        std::this_thread::sleep_for(options_.warm_up);
        for (Child& validator : validators_) DRACO_TRY_VOID(validator.ask("reset"));
        DRACO_TRY(before, look());
        on_phase_("measuring");
        std::this_thread::sleep_for(options_.window);
        DRACO_TRY(after, look());
        on_phase_("stopping");
        return report(before, after);
    }

private:
    Result<> start_validators() {
        std::string ports;
        for (std::size_t i = 0; i < options_.validators; ++i) {
            const std::string directory = options_.directory + "/" + std::to_string(i);
            std::filesystem::create_directories(directory);
            DRACO_TRY(child,
                      Child::start({"bench",
                                    "consensus-validator",
                                    std::to_string(i),
                                    std::to_string(options_.validators),
                                    std::to_string(options_.threads),
                                    directory}));
            validators_.push_back(std::move(child));
            DRACO_TRY(line, validators_.back().read_line());
            std::istringstream words(line);
            std::string word;
            std::uint16_t link_port = 0;
            std::uint16_t client_port = 0;
            if (!(words >> word >> link_port >> client_port))
                return fail(Errc::Corrupt, "a validator of the bench said: " + line);
            ports += " " + std::to_string(link_port);
            client_ports_.push_back(client_port);
        }
        for (Child& validator : validators_) DRACO_TRY_VOID(validator.ask("peers" + ports));
        return {};
    }

    Result<> wait_for_links() {
        const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
        while (std::chrono::steady_clock::now() < deadline) {
            bool all = true;
            for (Child& validator : validators_) {
                DRACO_TRY(line, validator.ask("counts"));
                DRACO_TRY(counters, parse(line));
                all = all && counters.is_member && counters.links + 1 == options_.validators;
            }
            if (all) return {};
            std::this_thread::sleep_for(kLookEvery);
        }
        return fail(Errc::DeadlineExceeded, "the validators of the bench do not find each other");
    }

    Result<> start_clients() {
        if (options_.rate_per_s == 0) return {};
        for (std::size_t i = 0; i < validators_.size(); ++i) {
            DRACO_TRY(child,
                      Child::start({"bench",
                                    "consensus-client",
                                    std::to_string(client_ports_[i]),
                                    std::to_string(options_.rate_per_s / validators_.size()),
                                    std::to_string(options_.transaction_bytes)}));
            clients_.push_back(std::move(child));
        }
        return {};
    }

    Result<Snapshot> look() {
        Snapshot snapshot;
        snapshot.at = std::chrono::steady_clock::now();
        snapshot.busy_s = machine_busy_s();
        for (Child& validator : validators_) {
            DRACO_TRY(line, validator.ask("counts"));
            DRACO_TRY(counters, parse(line));
            snapshot.counters.push_back(counters);
            DRACO_TRY(use, validator.use());
            snapshot.use.push_back(use);
        }
        for (const Child& client : clients_) {
            DRACO_TRY(use, client.use());
            snapshot.clients_cpu_s += use.cpu_s;
        }
        return snapshot;
    }

    Report report(const Snapshot& before, const Snapshot& after) {
        Report made;
        made.window_s = std::chrono::duration<double>(after.at - before.at).count();
        made.offered_per_s = static_cast<double>(options_.rate_per_s);
        double cpu_s = 0;
        double bytes = 0;
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
            cpu_s += after.use[i].cpu_s - before.use[i].cpu_s;
            bytes += static_cast<double>(end.bytes_sent - begin.bytes_sent);
            made.rss_mb_max = std::max(made.rss_mb_max, after.use[i].rss_peak_mb);
            end_to_end.merge(end.end_to_end);
            consensus.merge(end.consensus);
            if (validators_[i].has_ended()) ++made.dead;
        }
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
    std::vector<Child> clients_;
    std::vector<std::uint16_t> client_ports_;
};

}  // namespace

Result<Report> run(const Options& options, const std::function<void(std::string_view)>& on_phase) {
    std::signal(SIGPIPE, SIG_IGN);
    std::error_code ignored;
    std::filesystem::create_directories(options.directory, ignored);
    Result<Report> report = Bench(options, on_phase).run();
    std::filesystem::remove_all(options.directory, ignored);
    return report;
}

}  // namespace draco::consensus_bench
