#pragma once
#include "pool_state.hpp"

#include <atomic>

namespace draco::pool {

class StreamResponder final : public interfaces::Responder {
public:
    StreamResponder(std::shared_ptr<Pool::State> pool, PeerId peer, InboundStream stream)
        : pool_(std::move(pool)), peer_(peer), stream_(stream) {}

    ~StreamResponder() override {
        if (!finished_)
            pool_->finish(peer_, stream_, fail(Errc::Abandoned, "the handler gave no answer"));
    }

    StreamResponder(const StreamResponder&) = delete;
    StreamResponder& operator=(const StreamResponder&) = delete;

    Result<> write(Bytes&& chunk) override {
        const std::size_t bytes = chunk.size();
        Result<> written = pool_->write(peer_, stream_, chunk);
        if (!written) refused_bytes_ = bytes;
        return written;
    }

    void on_writable(std::move_only_function<void()> ready) override {
        pool_->await_writable(peer_, stream_, refused_bytes_, std::move(ready));
    }

    void finish(Result<> outcome) override {
        finished_ = true;
        pool_->finish(peer_, stream_, std::move(outcome));
    }

private:
    const std::shared_ptr<Pool::State> pool_;
    const PeerId peer_;
    const InboundStream stream_;
    std::atomic<std::size_t> refused_bytes_ = 1;  // of the last chunk that was refused
    std::atomic<bool> finished_ = false;
};

}  // namespace draco::pool
