#pragma once
// This program again, with lines to its standard input and from its standard output.

#include "draco/base/result.hpp"
#include "draco/io/file_descriptor.hpp"

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace draco::consensus_bench {

struct ProcessUse {
    double cpu_s = 0;
    double rss_peak_mb = 0;
};

class Child {
public:
    static Result<Child> start(const std::vector<std::string>& arguments);
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    ~Child();  // kills it, if it still runs

    // Unavailable: it has ended.
    Result<std::string> ask(const std::string& line);
    Result<std::string> read_line();
    Result<ProcessUse> use() const;
    void kill();
    bool has_ended();

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    Child(pid_t pid, io::FileDescriptor input, std::FILE* output)
        : pid_(pid), input_(std::move(input)), output_(output) {}

    pid_t pid_;
    io::FileDescriptor input_;
    std::unique_ptr<std::FILE, Close> output_;
};

}  // namespace draco::consensus_bench
