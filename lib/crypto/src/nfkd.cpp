#include "draco/crypto/nfkd.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

namespace draco::crypto {

Result<SecretBuffer> nfkd(std::string_view text, std::string_view prefix) {
    // NOLINTBEGIN(clang-analyzer-optin.core.EnumCastOutOfRange): the C API takes flags as an enum
    constexpr auto kNfkd =
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE);
    // NOLINTEND(clang-analyzer-optin.core.EnumCastOutOfRange)
    // A code point decomposes into at most 18.
    std::vector<utf8proc_int32_t> code_points(text.size() * 18);
    const utf8proc_ssize_t count =
        utf8proc_decompose(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                           static_cast<utf8proc_ssize_t>(text.size()),
                           code_points.data(),
                           static_cast<utf8proc_ssize_t>(code_points.size()),
                           kNfkd);
    if (count < 0)
        return fail(Errc::InvalidArgument,
                    std::string("the passphrase cannot be normalized: ") + utf8proc_errmsg(count));
    const std::span used(code_points.data(), static_cast<std::size_t>(count));
    std::array<utf8proc_uint8_t, 4> utf8;
    std::size_t bytes = prefix.size();
    for (const auto point : used)
        bytes += static_cast<std::size_t>(utf8proc_encode_char(point, utf8.data()));
    SecretBuffer out(bytes);
    std::ranges::copy(as_bytes(prefix), out.expose().begin());
    MutByteView rest = out.expose().subspan(prefix.size());
    for (const auto point : used)
        rest = rest.subspan(static_cast<std::size_t>(utf8proc_encode_char(point, rest.data())));
    wipe({reinterpret_cast<std::uint8_t*>(used.data()), used.size_bytes()});
    wipe(utf8);
    return out;
}

}  // namespace draco::crypto
