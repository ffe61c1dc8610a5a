// Foreign text as an Ethereum address. What parses is written with its checksum, which parses to
// the same.

#include "draco/base/assert.hpp"
#include "draco/crypto/ethereum_address.hpp"

namespace draco::crypto {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto address = parse_ethereum_address(as_text({data, size}))) {
        const auto again = parse_ethereum_address(to_text(*address));
        DRACO_ASSERT(again && *again == *address, "the checksummed text is the same address");
    }
    return 0;
}

}  // namespace draco::crypto
