// Foreign text as a mnemonic and as a passphrase. What parses is written in its one normal form.

#include "draco/base/assert.hpp"
#include "draco/crypto/bip39.hpp"

namespace draco::crypto {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    if (const auto mnemonic = Mnemonic::parse(text)) {
        const auto again = Mnemonic::parse(mnemonic->text().expose_text());
        DRACO_ASSERT(again && equal(again->entropy(), mnemonic->entropy()),
                     "the normal form is the same mnemonic");
    }
    const auto fixed = Mnemonic::from_entropy(Bytes(16, 0));
    DRACO_ASSERT(fixed, "16 bytes are entropy");
    static_cast<void>(fixed->seed(text));
    return 0;
}

}  // namespace draco::crypto
