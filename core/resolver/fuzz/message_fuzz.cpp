// Foreign bytes as announcements, lookups and answers to a resolver that keeps, provides and looks
// for objects: whatever comes, nobody is named without a signature, bounds hold, and what decodes
// encodes to the same bytes. The first byte of each piece picks sender, kind and length.

#include "draco/base/assert.hpp"
#include "draco/resolver/core.hpp"

#include <algorithm>

namespace {

using namespace draco;            // NOLINT(google-build-using-namespace)
using namespace draco::resolver;  // NOLINT(google-build-using-namespace)

template <class M>
void check_one_encoding(const Result<M>& message, ByteView bytes) {
    if (message) DRACO_ASSERT(equal(bcs::encode(*message), bytes), "one encoding");
}

types::NodeSecretKey secret_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return types::NodeSecretKey(crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<types::NodeKey> kNodes = [] {
        std::vector<types::NodeKey> nodes;
        for (std::uint8_t i = 0; i < 4; ++i) nodes.push_back(secret_number(i).public_key());
        std::ranges::sort(nodes);
        return nodes;
    }();
    Limits limits;
    limits.records = {.records_max = 6, .records_per_node_max = 4, .records_per_object_max = 2};
    limits.finds_max = 3;
    Core core(types::ChainId(1), secret_number(0), limits);
    Moment moment{.now = Instant{std::chrono::seconds(1)}, .unix_now = {1'000'000}};
    Effects start;
    core.step(NodesChanged{kNodes}, moment, start);
    for (const types::NodeKey& node : kNodes) core.step(PeerUp{node}, moment, start);
    core.step(Provide{types::ContentHash{}}, moment, start);
    std::uint64_t number = 1;
    for (ByteView rest(data, size); !rest.empty();) {
        const std::uint8_t head = rest[0];
        const ByteView piece = rest.subspan(1, std::min<std::size_t>(rest.size() - 1, head));
        rest = rest.subspan(1 + piece.size());
        check_one_encoding(decode_announce(piece), piece);
        check_one_encoding(decode_lookup(piece), piece);
        check_one_encoding(decode_found(piece), piece);
        const types::NodeKey& from = kNodes[head % kNodes.size()];
        Effects out;
        moment.now = moment.now + std::chrono::milliseconds(20);
        moment.unix_now.ms += 20;
        core.step(MessageReceived{from, piece}, moment, out);
        core.step(LookupReceived{number, from, piece}, moment, out);
        core.step(Find{.find = number,
                       .hash = types::ContentHash{},
                       .deadline = moment.now + std::chrono::seconds(1)},
                  moment,
                  out);
        core.step(AnswerReceived{number, from, to_bytes(piece)}, moment, out);
        ++number;
        for (const Answer& answer : out.answers)
            if (answer.answer) DRACO_ASSERT(decode_found(*answer.answer), "its own answers decode");
        DRACO_ASSERT(core.status().kept_records <= limits.records.records_max, "records");
    }
    return 0;
}
