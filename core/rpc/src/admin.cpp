#include "draco/rpc/admin.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <array>

namespace draco::rpc {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::size_t kTextBytes = 2 * AdminToken::kSize;

std::string_view without_spaces(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

bool equal_letters(char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
}

}  // namespace

Result<AdminToken> renew_admin_token(Disk& home, std::string_view path, Rng& rng) {
    AdminToken token = AdminToken::draw(rng);
    const std::string text = to_hex(token.expose()) + "\n";
    const std::string staged = std::string(path) + ".new";
    {
        DRACO_TRY(file, home.open(staged, OpenMode::Truncate));
        DRACO_TRY_VOID(file->write_at(0, as_bytes(text)));
        DRACO_TRY_VOID(file->sync());
    }
    DRACO_TRY_VOID(home.rename(staged, path));
    const auto slash = path.rfind('/');
    DRACO_TRY_VOID(
        home.sync_directory(slash == std::string_view::npos ? "" : path.substr(0, slash)));
    return token;
}

Result<std::string> read_admin_token(Disk& home, std::string_view path) {
    DRACO_TRY(file, home.open(path, OpenMode::Read));
    std::array<std::uint8_t, kTextBytes> bytes{};
    DRACO_TRY(count, file->read_at(0, bytes));
    std::string text(as_text(ByteView(bytes).first(count)));
    const auto decoded = from_hex(text);
    if (!decoded || decoded->size() != AdminToken::kSize)
        return fail(
            Errc::Corrupt,
            std::string(path) + " holds no token; the node writes a new one when it starts");
    return text;
}

std::optional<AdminToken> parse_authorization(std::string_view value) {
    value = without_spaces(value);
    if (value.size() < kScheme.size() ||
        !std::ranges::equal(value.substr(0, kScheme.size()), kScheme, equal_letters))
        return std::nullopt;
    const auto token = without_spaces(value.substr(kScheme.size()));
    if (token.size() != kTextBytes) return std::nullopt;
    auto bytes = from_hex(token);
    if (!bytes || bytes->size() != AdminToken::kSize) return std::nullopt;
    AdminToken parsed(
        std::span<const std::uint8_t, AdminToken::kSize>(bytes->data(), AdminToken::kSize));
    crypto::wipe(*bytes);
    return parsed;
}

}  // namespace draco::rpc
