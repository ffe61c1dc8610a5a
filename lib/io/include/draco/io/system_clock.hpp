#pragma once
// The machine's clock. now() is CLOCK_MONOTONIC (origin: an instant of the boot, the same for all
// processes; stands still while the machine is suspended), unix_now() is CLOCK_REALTIME.

#include "draco/base/clock.hpp"

namespace draco::io {

class SystemClock final : public Clock {
public:
    Instant now() const override;
    UnixTime unix_now() const override;
};

}  // namespace draco::io
