#pragma once
// What services get content through: the content source of the node, for one request.

#include "draco/base/clock.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/sdk/host.hpp"

namespace draco::gateway {

// Names are looked up and listed where the service asks, so that its thread waits for the source.
class ContentHost final : public sdk::Host {
public:
    // `source` outlives every callback that it has not called. What is opened is open by
    // `deadline`, or not at all.
    ContentHost(interfaces::ContentSource& source, const interfaces::Asker& asker, Instant deadline)
        : source_(source), asker_(asker), deadline_(deadline) {}

    void open(const types::ContentHash& hash, OpenCallback callback) override;

private:
    interfaces::ContentSource& source_;
    const interfaces::Asker asker_;
    const Instant deadline_;
};

}  // namespace draco::gateway
