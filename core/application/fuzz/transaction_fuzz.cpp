// Foreign bytes as transactions of a block: executed or refused, never an error of the block, and
// the books balance. The first byte picks how the rest is cut into transactions.

#include "draco/base/assert.hpp"

#include "../test/chain_fixture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    static application::testing::Chain chain;
    if (size < 2 || size > 4096) return 0;
    const std::size_t piece_bytes = 1 + data[0];
    std::vector<Bytes> transactions;
    for (ByteView rest(data + 1, size - 1); !rest.empty();) {
        const ByteView piece = rest.first(std::min(rest.size(), piece_bytes));
        transactions.push_back(to_bytes(piece));
        rest = rest.subspan(piece.size());
        static_cast<void>(chain.application->admit(piece, 16));
    }
    const auto executed = chain.execute(chain.next(transactions));
    DRACO_ASSERT(executed && executed->transactions.size() == transactions.size(),
                 "every transaction has an outcome");
    DRACO_ASSERT(application::audit(*chain.view()).has_value(), "the books balance");
    return 0;
}
