#include "fetches.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace draco::publisher {
namespace {

// The last block can be read before the store has made an object of all.
constexpr unsigned kPinAttempts = 30;
constexpr Duration kPinInterval = std::chrono::seconds(1);

}  // namespace

struct Fetches::Fetch {
    FetchState state{};
    bool wanted = true;
    std::optional<interfaces::OpenId> opening{};
    std::shared_ptr<interfaces::Content> content{};
};

Fetches::Fetches(interfaces::ContentSource& source,
                 interfaces::Blockstore& store,
                 Executor& executor,
                 const PublisherLimits& limits)
    : source_(source), store_(store), executor_(executor), limits_(limits) {}

Fetches::~Fetches() = default;

Result<FetchState> Fetches::advance(const types::ContentHash& hash) {
    std::shared_ptr<Fetch> fetch;
    {
        const std::scoped_lock lock(mutex_);
        if (const auto found = fetches_.find(hash); found != fetches_.end()) {
            FetchState state = found->second->state;
            if (state.ended) fetches_.erase(found);
            return state;
        }
        std::erase_if(fetches_, [](const auto& each) { return each.second->state.ended; });
        if (fetches_.size() >= limits_.fetches_max)
            return fail(Errc::Unavailable,
                        std::to_string(fetches_.size()) + " objects are being fetched already");
        fetch = std::make_shared<Fetch>();
        fetches_.emplace(hash, fetch);
    }
    const interfaces::OpenId opening =
        source_.open_for({.kind = interfaces::AskerClass::Owner},
                         hash,
                         executor_.clock().now() + limits_.fetch_deadline,
                         [self = shared_from_this(), fetch](auto content) {
                             self->opened(fetch, std::move(content));
                         });
    const std::scoped_lock lock(mutex_);
    fetch->opening = opening;
    if (!fetch->wanted) source_.cancel(opening);
    if (fetch->state.ended) fetches_.erase(hash);
    return fetch->state;
}

bool Fetches::give_up(const types::ContentHash& hash) {
    const std::scoped_lock lock(mutex_);
    const auto found = fetches_.find(hash);
    if (found == fetches_.end()) return false;
    const bool was_under_way = !found->second->state.ended;
    found->second->wanted = false;
    if (found->second->opening) source_.cancel(*found->second->opening);
    fetches_.erase(found);
    return was_under_way;
}

void Fetches::opened(const std::shared_ptr<Fetch>& fetch,
                     Result<std::shared_ptr<interfaces::Content>> content) {
    if (!content) return end(fetch, std::unexpected(content.error()));
    const types::ContentInfo info = (*content)->info();
    {
        const std::scoped_lock lock(mutex_);
        fetch->content = std::move(*content);
        fetch->state.info = info;
    }
    if (info.kind == types::ContentKind::Directory)
        return executor_.post([self = shared_from_this(), fetch] { self->pin(fetch, 1); });
    read_on(fetch, 0);
}

// Each block in a task of its own, so that blocks that are here do not nest.
void Fetches::read_on(const std::shared_ptr<Fetch>& fetch, std::uint64_t index) {
    executor_.post([self = shared_from_this(), fetch, index] {
        if (index == fetch->state.info->leaves) return self->pin(fetch, 1);
        fetch->content->read_block(index, [self, fetch, index](auto block) {
            if (!block) return self->end(fetch, std::unexpected(block.error()));
            {
                const std::scoped_lock lock(self->mutex_);
                fetch->state.blocks = index + 1;
            }
            self->read_on(fetch, index + 1);
        });
    });
}

// The content is held meanwhile, so what has come stays.
void Fetches::pin(const std::shared_ptr<Fetch>& fetch, unsigned attempt) {
    {
        const std::scoped_lock lock(mutex_);
        if (!fetch->wanted) return;
    }
    auto outcome = store_.pin(fetch->state.info->hash);
    if (outcome || outcome.error().code != Errc::NotFound) return end(fetch, std::move(outcome));
    if (attempt == kPinAttempts)
        return end(fetch,
                   fail(Errc::Unavailable,
                        "the object has come, and the store did not keep it: try again; the "
                        "node's log says more"));
    executor_.post_at(executor_.clock().now() + kPinInterval,
                      [weak = weak_from_this(), fetch, attempt] {
                          if (const auto self = weak.lock()) self->pin(fetch, attempt + 1);
                      });
}

void Fetches::end(const std::shared_ptr<Fetch>& fetch, Result<> outcome) {
    const std::scoped_lock lock(mutex_);
    fetch->state.ended = true;
    fetch->state.outcome = std::move(outcome);
    fetch->content.reset();
}

}  // namespace draco::publisher
