#include "draco/atomo/storage.hpp"

namespace draco::atomo {

KeyInterval KeyInterval::with_prefix(ByteView prefix) {
    KeyInterval interval{to_bytes(prefix), to_bytes(prefix)};
    // The least string above all that begin with the prefix: the last byte that can grow, grown.
    while (!interval.to->empty() && interval.to->back() == 0xFF) interval.to->pop_back();
    if (interval.to->empty())
        interval.to.reset();
    else
        ++interval.to->back();
    return interval;
}

}  // namespace draco::atomo
