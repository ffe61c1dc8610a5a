#include "inbox.hpp"

#include "draco/base/assert.hpp"
#include "draco/http/engine.hpp"

#include <unistd.h>

#include <utility>

namespace draco::http {
namespace detail {

void Inbox::post(InboxEvent event) {
    if (is_owner()) {
        own_.push_back(std::move(event));
        return;
    }
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return;  // `event` is destroyed after the lock is given back
        was_empty = posted_.empty();
        posted_.push_back(std::move(event));
    }
    if (was_empty) wake();
}

void Inbox::wake() {
    const std::uint64_t one = 1;
    // Fails only when it is readable already.
    static_cast<void>(::write(event_fd_.get(), &one, sizeof(one)));
}

std::vector<InboxEvent> Inbox::take_posted() {
    std::uint64_t count = 0;
    static_cast<void>(::read(event_fd_.get(), &count, sizeof(count)));
    const std::lock_guard lock(mutex_);
    return std::exchange(posted_, {});
}

void Inbox::close() {
    std::vector<InboxEvent> dropped;
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        dropped = std::exchange(posted_, {});
    }
    // What is dropped may own replies, which answer for themselves.
    owner_.store({}, std::memory_order_relaxed);
    dropped.clear();
    for (std::vector<InboxEvent> own; !own_.empty(); own.clear()) own.swap(own_);
}

}  // namespace detail

PieceReply::~PieceReply() {
    if (inbox_) deliver(fail(Errc::Abandoned, "the piece was dropped by who should deliver it"));
}

void PieceReply::deliver(Result<SharedBytes> bytes) {
    if (const auto inbox = std::exchange(inbox_, nullptr))
        inbox->post(detail::Delivered{exchange_, piece_, std::move(bytes)});
}

Reply::~Reply() {
    if (inbox_) answer(text_answer(500, "the request was dropped before it was answered\n"));
}

void Reply::on_gone(std::move_only_function<void()> tell) {
    DRACO_ASSERT(inbox_ && inbox_->is_owner(), "to be said inside on_request, before answer()");
    DRACO_ASSERT(!notice_, "to be said once");
    notice_ = std::make_shared<detail::GoneNotice>(std::move(tell));
    inbox_->post(detail::Watched{exchange_, notice_});
}

void Reply::answer(Answer answer) {
    const auto inbox = std::exchange(inbox_, nullptr);
    if (!inbox) return;
    if (const auto notice = std::exchange(notice_, nullptr)) notice->answered();
    // Also where nobody waits: what the answer owns is to end on the thread of the engine.
    inbox->post(detail::Answered{exchange_, std::move(answer)});
}

}  // namespace draco::http
