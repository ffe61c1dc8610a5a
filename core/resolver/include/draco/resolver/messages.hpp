#pragma once
// Protocol::Providers (docs/formats/providers.md): announcements are messages of Channel::Control,
// lookups are requests with an answer of one chunk. BCS.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/types/provider.hpp"

#include <vector>

namespace draco::resolver {

inline constexpr std::size_t kAnnouncedMax = 64;
inline constexpr std::size_t kFoundMax = 20;

// Records of the sender itself, new, renewed or withdrawn.
struct Announce {
    bcs::Bounded<std::vector<types::SignedProviderRecord>, kAnnouncedMax> records;

    bool operator==(const Announce&) const = default;
};

struct Lookup {
    types::ContentHash hash;

    bool operator==(const Lookup&) const = default;
};

struct Found {
    bcs::Bounded<std::vector<types::SignedProviderRecord>, kFoundMax> records;

    bool operator==(const Found&) const = default;
};

// Corrupt if it is none. What they say is not verified.
Result<Announce> decode_announce(ByteView bytes);
Result<Lookup> decode_lookup(ByteView bytes);
Result<Found> decode_found(ByteView bytes);

}  // namespace draco::resolver
