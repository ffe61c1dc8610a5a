#pragma once
// A network of nodes on this machine, in one folder: node<i>/ are the nodes' homes, devnet.json
// says who runs them.

#include "draco/base/clock.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include "child_process.hpp"
#include "devnet_record.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace draco {

struct DevnetShape {
    std::optional<std::size_t> nodes;        // 4
    std::optional<std::uint64_t> epoch_s;    // 30
    std::optional<std::uint16_t> port_base;  // 4200; 0: the system chooses
};

class Devnet {
public:
    // The one in `home`, or a new one of that shape. InvalidArgument if there is one of another
    // shape. Unavailable: another command works on it.
    static Result<Devnet> open_or_create(const std::string& home, const DevnetShape& shape);
    // NotFound.
    static Result<Devnet> open(const std::string& home);

    const std::string& home() const { return home_; }

    const DevnetRecord& record() const { return record_; }

    // Reads devnet.json again: other commands stop and start nodes.
    Result<> refresh();

    // Unavailable if another program listens on a port of one that does not run: all, or the one.
    Result<> check_ports(std::optional<std::size_t> index = std::nullopt) const;

    // InvalidArgument for one that does not exist.
    Result<> start_node(std::size_t index, child_process::Lifetime lifetime);
    // All nodes, or one.
    Result<> stop(std::optional<std::size_t> index);
    // SIGKILL.
    Result<> kill_node(std::size_t index);
    // One more, which the genesis does not know. Not started.
    Result<std::size_t> add_node();

    // Returns when all that run, or the one, would take a transaction and see it ordered: they are
    // healthy, have begun their part in the epoch, and are linked to all running members of the
    // committee. Unavailable as soon as one has ended: with its last word, or else the last lines
    // of its log. DeadlineExceeded: with those lines. Abandoned once `interrupted` says so. Says on
    // standard error what it waits for.
    Result<> wait_until_ready(Duration patience,
                              const std::function<bool()>& interrupted,
                              std::optional<std::size_t> index = std::nullopt) const;

    bool any_running() const;

private:
    Devnet(std::string home, DevnetRecord record)
        : home_(std::move(home)), record_(std::move(record)) {}

    Result<> check_index(std::size_t index) const;
    std::string last_words(std::size_t index) const;
    Result<> check_not_ended(std::optional<std::size_t> index) const;
    Result<> wait_until_ready(const DevnetNodeRecord& node,
                              Instant deadline,
                              const std::function<bool()>& interrupted,
                              std::optional<std::size_t> index) const;

    std::string home_;
    DevnetRecord record_;
    std::map<std::size_t, std::uint64_t> output_begins_;  // of nodes that were started here
};

}  // namespace draco
