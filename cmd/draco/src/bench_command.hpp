#pragma once
// draco bench consensus, and the processes that it starts.

#include "invocation.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace draco {

struct BenchOptions {
    std::size_t validators = 4;
    std::size_t workers = 0;
    std::size_t crashed = 0;
    std::uint64_t rate_per_s = 20'000;
    std::size_t transaction_bytes = 512;
    std::uint64_t warm_up_s = 5;
    std::uint64_t window_s = 20;
    std::size_t threads = 2;
    std::string directory;  // empty: one of its own in the system's folder for temporary files
    // Of the processes.
    std::size_t index = 0;
    std::size_t worker = 0;
    std::uint16_t port = 0;
};

Result<> run_bench_consensus(const Invocation& invocation, const BenchOptions& options);
Result<> run_bench_validator(const BenchOptions& options);
Result<> run_bench_worker(const BenchOptions& options);
Result<> run_bench_client(const BenchOptions& options);

}  // namespace draco
