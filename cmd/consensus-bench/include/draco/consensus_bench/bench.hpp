#pragma once
// Measures consensus alone, as processes: validators with their TLS links, durable logs and real
// cores, whose ledger executes nothing, and clients that submit transactions at a fixed rate over
// loopback. What is submitted is opaque bytes; no transaction signature is checked by anybody.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::consensus_bench {

struct Options {
    std::size_t validators = 4;
    std::size_t workers = 0;            // processes of each, beside it; 0: it holds batches itself
    std::size_t crashed = 0;            // of these, the last ones, are killed before the window
    std::uint64_t rate_per_s = 20'000;  // transactions offered, to all that live together
    std::size_t transaction_bytes = 512;
    Duration warm_up = std::chrono::seconds(5);
    Duration window = std::chrono::seconds(20);
    std::size_t threads = 2;  // of each validator, beside those of its network
    std::string directory;    // for logs; made, and removed at the end
};

struct Percentiles {
    double p50_ms = 0;
    double p95_ms = 0;
    double p99_ms = 0;
    double mean_ms = 0;
    std::uint64_t samples = 0;
};

// Of the window. CPU, memory and bytes are of all validators that live, with
// their workers, together, not of clients.
struct Report {
    double window_s = 0;
    double offered_per_s = 0;
    double committed_per_s = 0;  // the least of all validators
    Percentiles end_to_end;      // from the client's send to the block at the validator it chose
    Percentiles consensus;       // from the block's time (its anchor's parents') to the block
    double cpu_us_per_transaction = 0;
    double cpu_ms_per_round = 0;
    double cpu_cores = 0;
    double rounds_per_s = 0;
    double blocks_per_s = 0;
    double wire_bytes_per_transaction = 0;  // between validators, in plain text
    double rss_mb_max = 0;                  // the largest process' peak
    double others_share = 0;  // of the machine's CPU, taken by processes that are not of this bench
    std::size_t dead = 0;     // validators that ended by themselves
};

// Starts the processes (this program again), measures, stops them. `on_phase` says what happens.
// Meanwhile SIGINT, SIGTERM and SIGHUP end it in order. Errors: what a process said when it ended
// too early; Abandoned after such a signal; Io if the directory cannot be made.
Result<Report> run(const Options& options, const std::function<void(std::string_view)>& on_phase);

// --- what the processes run ---

// Speaks with its parent over standard input and output; ends when they do.
Result<> run_validator(std::size_t index,
                       std::size_t validators,
                       std::size_t threads,
                       const std::string& directory);

struct WorkerPlace {
    std::size_t validator = 0;
    std::size_t worker = 0;
    std::size_t validators = 0;
    std::uint16_t node_port = 0;  // the validator's, for links
};

// The same for a worker process of a validator.
Result<> run_worker(const WorkerPlace& place, std::size_t threads, const std::string& directory);

// To one validator, or worker, until standard input ends.
Result<> run_client(std::uint16_t port, std::uint64_t rate_per_s, std::size_t transaction_bytes);

}  // namespace draco::consensus_bench
