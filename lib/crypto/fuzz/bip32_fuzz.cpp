// Foreign text as a derivation path, an xpub and an xprv. What parses is written back the same.

#include "draco/base/assert.hpp"
#include "draco/crypto/bip32.hpp"

namespace draco::crypto {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    if (const auto path = parse_bip32_path(text))
        DRACO_ASSERT(path->size() <= kBip32DepthMax, "a path is bounded");
    if (const auto key = Bip32PublicKey::parse(text)) {
        DRACO_ASSERT(key->to_text() == text, "an xpub has one text");
        static_cast<void>(key->child(0));
    }
    if (const auto key = Bip32SecretKey::parse(text))
        DRACO_ASSERT(key->to_text().expose_text() == text, "an xprv has one text");
    return 0;
}

}  // namespace draco::crypto
