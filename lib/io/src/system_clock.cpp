#include "draco/io/system_clock.hpp"

namespace draco::io {

Instant SystemClock::now() const {
    return {std::chrono::steady_clock::now().time_since_epoch()};
}

UnixTime SystemClock::unix_now() const {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    return {ms < 0 ? 0 : static_cast<std::uint64_t>(ms)};
}

}  // namespace draco::io
