#pragma once
// Objects on their way into the store because somebody wants them pinned: read to their end once,
// and held until the pin is durable.

#include "draco/base/executor.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/publisher/publisher.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::publisher {

struct FetchState {
    bool ended = false;  // it is pinned, or `outcome` says why not
    Result<> outcome{};
    std::uint64_t blocks = 0;                  // that have arrived
    std::optional<types::ContentInfo> info{};  // once it has been found
};

// Thread-safe. Kept alive by what it waits for.
class Fetches : public std::enable_shared_from_this<Fetches> {
public:
    // All outlive it.
    Fetches(interfaces::ContentSource& source,
            interfaces::Blockstore& store,
            Executor& executor,
            const PublisherLimits& limits);
    ~Fetches();
    Fetches(const Fetches&) = delete;
    Fetches& operator=(const Fetches&) = delete;

    // Begins to fetch the object, or tells how far that is. One that has ended is forgotten by
    // this. Unavailable: too many under way.
    Result<FetchState> advance(const types::ContentHash& hash);
    // The object is not wanted any more, so it is not pinned when it has come. False: none was
    // under way.
    bool give_up(const types::ContentHash& hash);

private:
    struct Fetch;

    void opened(const std::shared_ptr<Fetch>& fetch,
                Result<std::shared_ptr<interfaces::Content>> content);
    void read_on(const std::shared_ptr<Fetch>& fetch, std::uint64_t index);
    void pin(const std::shared_ptr<Fetch>& fetch, unsigned attempt);
    void end(const std::shared_ptr<Fetch>& fetch, Result<> outcome);

    interfaces::ContentSource& source_;
    interfaces::Blockstore& store_;
    Executor& executor_;
    const PublisherLimits& limits_;
    std::mutex mutex_;  // guards what follows, and the state of each
    std::map<types::ContentHash, std::shared_ptr<Fetch>> fetches_;
};

}  // namespace draco::publisher
