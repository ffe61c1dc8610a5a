#pragma once
// What services get content through: the content source of the node, for one request.

#include "draco/base/clock.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/sdk/host.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::gateway {

// Names are looked up and listed where the service asks, so that its thread waits for the source.
//
// Owned by the service, by what waits at the source, and by what is open. It keeps account of the
// last two, so that a request which nobody waits for can be given up without its service.
class ContentHost final : public sdk::Host, public std::enable_shared_from_this<ContentHost> {
public:
    // `source` outlives every callback that it has not called. What is opened is open by
    // `deadline`, or not at all.
    ContentHost(interfaces::ContentSource& source, const interfaces::Asker& asker, Instant deadline)
        : source_(source), asker_(asker), deadline_(deadline) {}

    void open(const types::ContentHash& hash, OpenCallback callback) override;

    // Nobody waits for the answer: what waits at the source is taken back, what is open is let go,
    // and what is asked for later is Abandoned at once. Any thread; calls no callback of the
    // service. Not after an answer whose body is still being sent: it would end.
    void give_up();

private:
    class OpenContent;
    using Ticket = std::uint64_t;

    std::optional<Ticket> begin_opening();
    bool note_call(Ticket ticket, interfaces::OpenId call);
    void opened(Ticket ticket,
                Result<std::shared_ptr<interfaces::Content>> content,
                OpenCallback callback);
    bool keep(Ticket ticket, const Result<std::shared_ptr<interfaces::Content>>& content);
    std::shared_ptr<interfaces::Content> content(Ticket ticket) const;
    void close(Ticket ticket);

    interfaces::ContentSource& source_;
    const interfaces::Asker asker_;
    const Instant deadline_;
    mutable std::mutex mutex_;
    bool is_given_up_ = false;
    Ticket ticket_last_ = 0;
    // Those that wait, with the source's name for the call once it is known.
    std::map<Ticket, std::optional<interfaces::OpenId>> openings_;
    std::map<Ticket, std::shared_ptr<interfaces::Content>> contents_;
};

}  // namespace draco::gateway
