#include "client_limits.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

namespace draco::rpc {
namespace {

constexpr std::size_t kClientBytesMax = 64;
constexpr std::size_t kNetworkBytes = 8;
constexpr std::string_view kAddressDigits = "0123456789.";
constexpr std::array<char, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff'};

}  // namespace

std::string client_of(std::string_view address) {
    std::string text(address.substr(0, kClientBytesMax));
    std::array<char, 16> bytes{};
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
    if (!std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin()))
        return {bytes.data(), kNetworkBytes};
    std::array<char, INET_ADDRSTRLEN> mapped{};
    ::inet_ntop(AF_INET, bytes.data() + kMappedPrefix.size(), mapped.data(), mapped.size());
    return mapped.data();
}

std::string network_of(std::string_view client) {
    constexpr std::size_t kSiteBytes = 7;
    if (client.size() == kNetworkBytes && client.find_first_not_of(kAddressDigits) != client.npos)
        return std::string(client.substr(0, kSiteBytes));
    std::array<unsigned char, 4> bytes{};
    if (::inet_pton(AF_INET, std::string(client).c_str(), bytes.data()) != 1)
        return std::string(client);
    return std::string(client.substr(0, client.rfind('.')));
}

ClientLimits::ClientLimits(std::uint32_t per_second, std::uint32_t burst, std::size_t clients_max)
    : interval_(Duration(std::chrono::seconds(1)) / per_second),
      tolerance_(interval_ * (burst - 1)),
      generation_max_(std::max<std::size_t>(clients_max / 2, 1)) {}

std::optional<Duration> ClientLimits::refuse(const std::string& client, Instant now) {
    return take(client, now, 1, 0);
}

std::optional<Duration> ClientLimits::take(const std::string& client,
                                           Instant now,
                                           std::size_t count,
                                           std::size_t owed_max) {
    Instant& full = full_at(client);
    const Instant from = std::max(full, now);
    const Duration tolerance = tolerance_ + interval_ * static_cast<std::int64_t>(owed_max);
    if (from - now > tolerance) return from - now - tolerance;
    full = from + interval_ * static_cast<std::int64_t>(count);
    return std::nullopt;
}

Instant& ClientLimits::full_at(const std::string& client) {
    const auto known = young_.find(client);
    if (known != young_.end()) return known->second;
    if (young_.size() >= generation_max_) old_ = std::exchange(young_, {});
    Instant full{Duration::min()};
    if (const auto before = old_.find(client); before != old_.end()) {
        full = before->second;
        old_.erase(before);
    }
    return young_.emplace(client, full).first->second;
}

}  // namespace draco::rpc
