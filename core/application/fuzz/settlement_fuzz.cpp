// Foreign bytes as a settlement that a node has signed: they are what is wrong with good
// acknowledgements, piece by piece (zeros leave one good), or a whole SettleLanes. Every
// acknowledgement gets its outcome, never an error of the block, and the books balance, at the ends
// of epochs too.

#include "draco/base/assert.hpp"

#include "../test/chain_fixture.hpp"

namespace {

using namespace draco;         // NOLINT(google-build-using-namespace): as in a test
using namespace draco::types;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kPieceBytes = kDeliveryAckBytes + 64;
constexpr std::size_t kMachine = 1;

SettleLanes damaged(const application::testing::Chain& chain, ByteView damage) {
    SettleLanes made;
    const std::uint64_t settled = chain.lane(0, kMachine).settled;
    while (!damage.empty()) {
        const ByteView piece = damage.first(std::min(damage.size(), kPieceBytes));
        damage = damage.subspan(piece.size());
        Bytes bytes = bcs::encode(chain.ack(0, kMachine, settled + 1 + piece[0]));
        for (std::size_t i = 1; i < piece.size(); ++i) bytes[i] ^= piece[i];
        static_cast<void>(made.acks.try_push_back(bcs::decode<SignedDeliveryAck>(bytes).value()));
        if (piece.size() > 40 && piece[40] % 4 == 1)
            static_cast<void>(made.peers.try_push_back(
                PeerShare{chain.machines[piece[40] % 6].key, load_le<std::uint64_t>(&piece[32])}));
    }
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static application::testing::Chain chain;
    static const bool kOpened = [] {
        chain.run(
            {chain.by_person(0, chain.opening(0, kMachine, application::testing::usd(500'000)))});
        return true;
    }();
    DRACO_ASSERT(kOpened, "there is a lane");
    if (size == 0 || size > 4096) return 0;
    const ByteView input(data, size);
    auto whole = bcs::decode<SettleLanes>(input);
    const SettleLanes method = whole ? *std::move(whole) : damaged(chain, input);
    if (chain.node(kMachine).settlements == 5) chain.end_epoch();
    const auto executed = chain.execute(chain.next({chain.by_machine(kMachine, method)}));
    DRACO_ASSERT(executed && executed->transactions.size() == 1, "a block has an outcome");
    const auto& receipt = std::get<Receipt>(executed->transactions[0].outcome);
    DRACO_ASSERT(receipt.acks->size() ==
                     (receipt.revert == Revert::None ? method.acks->size() : std::size_t{0}),
                 "every acknowledgement has an outcome");
    DRACO_ASSERT(application::audit(*chain.view()).has_value(), "the books balance");
    return 0;
}
