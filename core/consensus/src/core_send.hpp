#pragma once

#include "draco/consensus/core.hpp"

namespace draco::consensus {

// A message is encoded once, however many it goes to.
template <class M>
void Core::send(std::optional<AuthorityIndex> to, const M& message, Release release, Turn& turn) {
    if (committee_.size() == 1) return;
    turn.out.sends.push_back(
        {to, channel_of<M>(), std::make_shared<const Bytes>(encode_message(message)), release});
}

}  // namespace draco::consensus
