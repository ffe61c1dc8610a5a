// Sessions whose messages are the input, whole or made from its bytes: on a lane and for free, in
// any order, with everything that is waited for answered late or never. Nothing crashes, what is
// sent on the lane stays within its window, and when all have hung up nothing is left.

#include "draco/base/assert.hpp"

#include "../src/core.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace draco;
using namespace draco::handshake;
namespace wire = types::session;

constexpr types::ChainId kChain{1};

types::SessionSecretKey session_key() {
    std::array<std::uint8_t, 32> seed{};
    return types::SessionSecretKey(crypto::Ed25519Seed(seed));
}

class Run {
public:
    explicit Run(ByteView input) : input_(input) {}

    void go() {
        lane();
        while (!input_.empty()) act();
        for (std::uint64_t id = 1; id <= session_last_; ++id)
            step(Closed{.session = SessionId(id), .unsent_bytes = 0});
        DRACO_ASSERT(core_.counters().sessions == 0 && !core_.next_alarm(), "all have hung up");
    }

private:
    std::uint8_t next() {
        if (input_.empty()) return 0;
        const std::uint8_t byte = input_.front();
        input_ = input_.subspan(1);
        return byte;
    }

    SessionId connect() {
        const SessionId id(++session_last_);
        step(Accepted{.session = id, .network = next() % 3U, .nonce = {}});
        return id;
    }

    // Session 1 has proved a lane.
    void lane() {
        const SessionId id = connect();
        say(id, wire::Hello{.chain = kChain, .lane = wire::LaneClaim{}});
        say(id, wire::Proof{.signature = wire::prove(kChain, {}, session_key())});
        step(StandingRead{.session = id, .standing = standing()});
    }

    interfaces::LaneStanding standing() const {
        interfaces::LaneStanding standing;
        standing.lane.session_key = session_key().public_key();
        standing.acknowledged = acknowledged_;
        standing.units_max = std::uint64_t{1} << 40U;
        return standing;
    }

    void say(SessionId id, const wire::ClientMessage& message) {
        const Bytes bytes = bcs::encode(message);
        step(Received{.session = id, .message = bytes});
    }

    void act() {
        const std::uint8_t op = next();
        const SessionId id(1 + next() % session_last_);
        switch (op % 12) {
            case 0:
                if (session_last_ < 16) connect();
                break;
            case 1:
                say(id, wire::Hello{.chain = kChain, .lane = {}});
                break;
            case 2:
                say(id, wire::Open{.id = next(), .hash = {}, .with_tree = (op & 0x80U) != 0});
                break;
            case 3:
                say(id, wire::Blocks{.id = next(), .first = next(), .count = next()});
                break;
            case 4:
                say(id, wire::Cancel{.id = next()});
                break;
            case 5: {
                wire::Ack ack;
                ack.ack.ack.cumulative = acknowledged_ + next() * std::uint64_t{4096};
                say(id, ack);
                break;
            }
            case 6: {
                const std::size_t size = std::min<std::size_t>(next(), input_.size());
                step(Received{.session = id, .message = input_.first(size)});
                input_ = input_.subspan(size);
                break;
            }
            case 7:
                step(Backlog{.session = id, .is_full = (next() & 1U) != 0});
                break;
            case 8:
                now_ = now_ + std::chrono::milliseconds(next() * 100);
                step(Alarm{});
                break;
            case 9:
                step(Closed{.session = id, .unsent_bytes = 0});
                break;
            default:
                answer(next());
        }
    }

    void answer(std::uint8_t which) {
        if (waiting_.empty()) return;
        std::swap(waiting_[which % waiting_.size()], waiting_.back());
        const Effect effect = std::move(waiting_.back());
        waiting_.pop_back();
        const bool fails = which % 16 == 15;
        const auto no = fail(Errc::Io, "planted");
        if (const auto* const open = std::get_if<OpenContent>(&effect)) {
            const types::ContentInfo info{
                .hash = {}, .bytes = 100 * blake3_tree::kBlockBytes, .leaves = 100};
            step(ContentOpened{.session = open->session,
                               .id = open->id,
                               .info = fails ? Result<types::ContentInfo>(no) : info});
        } else if (const auto* const block = std::get_if<ReadBlock>(&effect)) {
            DRACO_ASSERT(block->index < 100, "a block that the file has");
            step(BlockRead{.session = block->session,
                           .id = block->id,
                           .index = block->index,
                           .bytes = fails ? Result<Bytes>(no) : Bytes(blake3_tree::kBlockBytes)});
        } else if (const auto* const tree = std::get_if<ReadTree>(&effect)) {
            step(TreeRead{.session = tree->session,
                          .id = tree->id,
                          .nodes = std::vector<blake3_tree::Hash>(which)});
        } else if (const auto* const ack = std::get_if<JudgeAck>(&effect)) {
            const std::uint64_t word = ack->ack.ack.cumulative;
            if (!fails) acknowledged_ = std::max(acknowledged_, word);
            step(AckJudged{.session = ack->session,
                           .cumulative = word,
                           .standing = fails ? Result<interfaces::LaneStanding>(no) : standing()});
        }
    }

    void step(Event event) {
        Effects effects;
        core_.step(std::move(event), now_, effects);
        for (Effect& effect : effects) {
            if (const auto* const block = std::get_if<SendBlock>(&effect);
                block != nullptr && block->session == SessionId(1))
                sent_ += block->bytes.size();
            if (waiting_.size() < 64) waiting_.push_back(std::move(effect));
        }
        DRACO_ASSERT(sent_ <= acknowledged_ + LaneLimits{}.window_bytes_max, "within the window");
    }

    ByteView input_;
    Core core_{{.chain = kChain, .node = {}, .limits = {}}};
    Instant now_{std::chrono::hours(1)};
    std::uint64_t session_last_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t sent_ = 0;
    std::vector<Effect> waiting_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Run({data, size}).go();
    return 0;
}
