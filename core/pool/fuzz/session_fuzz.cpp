// A session whose peer is the input: it opens requests, answers some, and receives whatever frames
// the input holds, on any channel. Nothing crashes, every own request ends once, and what is held
// stays bounded.

#include "draco/base/assert.hpp"
#include "draco/pool/session.hpp"

#include <cstddef>
#include <cstdint>
#include <set>

namespace {

using namespace draco;
using namespace draco::pool;

class Run {
public:
    explicit Run(ByteView input) : input_(input) { step(LinkUp{}); }

    void go() {
        while (!input_.empty()) act();
        step(LinkDown{});
        DRACO_ASSERT(open_.empty() && session_.streams_open() == 0, "a broken link ends all");
    }

private:
    std::uint8_t next() {
        if (input_.empty()) return 0;
        const std::uint8_t byte = input_.front();
        input_ = input_.subspan(1);
        return byte;
    }

    void act() {
        const std::uint8_t op = next();
        const interfaces::RequestId id(next() % 16U);
        switch (op % 8) {
            case 0:
                if (session_.check_open() && open_.insert(id.value()).second)
                    step(OpenRequest{.id = id,
                                     .protocol = 1,
                                     .request = {},
                                     .deadline = now_ + std::chrono::milliseconds(next()),
                                     .credit_bytes = next()});
                return;
            case 1:
                return step(GrantCredit{.id = id, .bytes = std::size_t{next()} << 12});
            case 2:
                return step(CancelRequest{id});
            case 3:
                now_ = now_ + std::chrono::milliseconds(next());
                return step(TimePassed{});
            case 4:
                return answer();
            case 5:
                return step(LinkUp{});
            default: {
                const std::size_t size = std::min<std::size_t>(next(), input_.size());
                const ByteView frame = input_.first(size);
                input_ = input_.subspan(size);
                return step(
                    FrameReceived{.channel = static_cast<Channel>(op / 8 % 3), .frame = frame});
            }
        }
    }

    void answer() {
        const Bytes chunk(1 + next());
        if (session_.check_write(last_, chunk.size()))
            step(WriteChunk{.stream = last_, .chunk = chunk});
        else
            step(AwaitWritable{.stream = last_, .bytes = chunk.size()});
        if (next() % 4 == 0)
            step(
                FinishStream{.stream = last_, .outcome = fail(Errc::Io, std::string(next(), 'x'))});
    }

    void step(const Event& event) {
        Effects effects;
        session_.step(event, now_, effects);
        for (const Effect& effect : effects.told) {
            if (const auto* ended = std::get_if<RequestEnded>(&effect))
                DRACO_ASSERT(open_.erase(ended->id.value()) == 1, "a request ends once");
            if (const auto* chunk = std::get_if<ChunkArrived>(&effect))
                DRACO_ASSERT(open_.contains(chunk->id.value()), "nothing follows the end");
            if (const auto* request = std::get_if<RequestArrived>(&effect)) last_ = request->stream;
        }
        DRACO_ASSERT(session_.streams_open() <= 64, "streams are bounded");
        DRACO_ASSERT(session_.backlog_bytes() <= std::size_t{9} << 20, "the backlog is bounded");
    }

    ByteView input_;
    Instant now_{};
    Session session_;
    InboundStream last_;
    std::set<std::uint64_t> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Run({data, size}).go();
    return 0;
}
