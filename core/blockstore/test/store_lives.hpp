#pragma once
// A store that is used at random and checked against a map of what it must have. With a crash in
// the middle of a call, what that call was about may be there or not; everything else is certain.

#include "store_fixture.hpp"

#include <map>
#include <set>

namespace draco::blockstore {

// What the model knows of one content.
struct Known {
    enum class Here : std::uint8_t { No, Yes, Perhaps };
    Here here = Here::No;
    Here pinned = Here::No;
};

class StoreLives {
public:
    using Here = Known::Here;

    StoreLives(std::uint64_t seed, const Options& options, const std::vector<Content>& contents)
        : rng_(seed),
          disk_(seed),
          options_(options),
          contents_(contents),
          known_(contents.size()) {}

    simulon::SimulatedDisk& disk() { return disk_; }

    std::uint64_t below(std::uint64_t bound) { return rng_() % bound; }

    std::uint64_t evicted() const { return evicted_; }

    // Each returns "" or what is wrong.
    std::string open();
    std::string live(std::uint64_t steps);
    void crash_and_restart();

private:
    struct Arrival {
        std::size_t content;
        std::unique_ptr<interfaces::ArrivingFile> file;
        std::set<std::uint64_t> blocks;
    };

    struct Reader {
        std::size_t content;
        std::shared_ptr<const StoredContent> object;
        bool removed = false;
    };

    std::string step();
    std::string write(std::size_t number);
    std::string begin_arrival(std::size_t number);
    std::string go_on(Arrival& arrival);
    std::string finish(std::size_t at);
    std::string read(std::size_t number);
    std::string pin(std::size_t number);
    std::string unpin(std::size_t number);
    std::string remove(std::size_t number);
    std::string scrub();
    std::string reopen();

    bool evicts() const { return options_.bytes_max != Options().bytes_max; }

    bool is_held(std::size_t number) const;
    bool may_be_exhausted(std::size_t number) const;
    std::string came(std::size_t number, const Result<>& done);
    std::string settle();
    std::string check();
    std::uint64_t size_of(std::size_t number) const;
    std::uint64_t hidden_bytes() const;

    std::mt19937_64 rng_;
    simulon::SimulatedDisk disk_;
    const Options options_;
    const std::vector<Content>& contents_;
    std::vector<Known> known_;
    std::map<std::size_t, std::uint64_t> sizes_;  // of the files of contents, once seen
    log::MemoryLog log_{log::Level::Warn};
    std::unique_ptr<interfaces::Blockstore> store_;
    std::vector<Arrival> arrivals_;
    std::vector<Reader> readers_;
    std::uint64_t evicted_ = 0;  // in this life
    // The step may have evicted the very object that it wrote again.
    bool wrote_again_ = false;
    bool crashed_ = false;  // since the store was last open
};

}  // namespace draco::blockstore
