// Foreign bytes as gossip messages of three peers: whatever comes, the core stays within its bounds
// and what decodes encodes to the same bytes. The first byte of each piece picks peer and length.

#include "draco/base/assert.hpp"
#include "draco/broadcast/core.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    using namespace draco::broadcast;
    Limits limits;
    limits.seen_max = 8;
    limits.wanted_max = 8;
    limits.store_bytes_max = 2048;
    Core core(1, limits);
    Instant now;
    Effects effects;
    for (std::uint8_t i = 0; i < 3; ++i) {
        types::NodeKey key;
        key.data()[0] = i;
        core.step(PeerUp{key}, now, effects);
    }
    for (ByteView rest(data, size); !rest.empty();) {
        const std::uint8_t head = rest[0];
        const ByteView piece =
            rest.subspan(1, std::min<std::size_t>(rest.size() - 1, head / 3U + 1U));
        rest = rest.subspan(1 + piece.size());
        if (auto message = decode_message(piece))
            DRACO_ASSERT(equal(bcs::encode(*message), piece), "one encoding per message");
        types::NodeKey key;
        key.data()[0] = head % 3;
        Effects out;
        now = now + std::chrono::milliseconds(50);
        core.step(MessageReceived{key, piece}, now, out);
        if (out.judge) {
            const auto verdict = static_cast<interfaces::GossipVerdict>(head % 3);
            core.step(Judged{out.judge->digest, verdict}, now, out);
        }
        if (const auto wake = core.wake_at(); wake && *wake <= now)
            core.step(TimePassed{}, now, out);
        DRACO_ASSERT(core.seen_count() <= limits.seen_max, "digests are bounded");
        DRACO_ASSERT(core.wanted_count() <= limits.wanted_max, "wants are bounded");
        DRACO_ASSERT(core.store_bytes() <= limits.store_bytes_max, "payloads are bounded");
    }
    return 0;
}
