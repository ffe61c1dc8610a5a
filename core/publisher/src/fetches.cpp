#include "fetches.hpp"

#include <string>
#include <utility>

namespace draco::publisher {

struct Fetches::Fetch {
    FetchState state{};
    std::shared_ptr<interfaces::Content> content{};
};

Fetches::Fetches(interfaces::ContentSource& source,
                 Executor& executor,
                 const PublisherLimits& limits)
    : source_(source), executor_(executor), limits_(limits) {}

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
    source_.open_for({.kind = interfaces::AskerClass::Owner},
                     hash,
                     executor_.clock().now() + limits_.fetch_deadline,
                     [self = shared_from_this(), fetch](auto content) {
                         self->opened(fetch, std::move(content));
                     });
    const std::scoped_lock lock(mutex_);
    if (fetch->state.ended) fetches_.erase(hash);
    return fetch->state;
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
    if (info.kind == types::ContentKind::Directory) return end(fetch, {});
    read_on(fetch, 0);
}

// Each block in a task of its own, so that blocks that are here do not nest.
void Fetches::read_on(const std::shared_ptr<Fetch>& fetch, std::uint64_t index) {
    if (index == fetch->state.info->leaves) return end(fetch, {});
    executor_.post([self = shared_from_this(), fetch, index] {
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

void Fetches::end(const std::shared_ptr<Fetch>& fetch, Result<> outcome) {
    const std::scoped_lock lock(mutex_);
    fetch->state.ended = true;
    fetch->state.outcome = std::move(outcome);
    fetch->content.reset();
}

}  // namespace draco::publisher
