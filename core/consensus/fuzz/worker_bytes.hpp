#pragma once
// What the targets around worker processes share: a committee, and input that runs out.

#include "draco/base/clock.hpp"
#include "draco/consensus/verify.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace draco::consensus::fuzz {

inline constexpr types::ChainId kChain(1337);
inline constexpr types::Epoch kEpoch(3);

inline types::NodeSecretKey key_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return types::NodeSecretKey(crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
}

inline types::Committee committee_of(std::uint8_t size) {
    std::vector<types::NodeKey> members;
    for (std::uint8_t i = 0; i < size; ++i) members.push_back(key_number(i).public_key());
    return types::Committee::make(kEpoch, members).value();
}

class Input {
public:
    explicit Input(ByteView bytes) : bytes_(bytes) {}

    bool empty() const { return bytes_.empty(); }

    std::uint8_t next() {
        if (bytes_.empty()) return 0;
        const std::uint8_t byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }

    ByteView take(std::size_t count) {
        const ByteView taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }

    // Mostly small, sometimes at the end of what there is.
    std::uint64_t number() {
        const std::uint64_t value = next();
        return value < 240 ? value : ~std::uint64_t{0} - (value - 240);
    }

private:
    ByteView bytes_;
};

// One of a few, so that different messages speak of the same.
inline types::Batch batch_number(std::uint8_t number, std::size_t members) {
    types::Batch batch{kEpoch,
                       types::AuthorityIndex(static_cast<std::uint16_t>(number % members)),
                       types::WorkerIndex(number / 64 % 2),
                       number % 16 == 15 ? ~std::uint64_t{0} : number / std::uint64_t{4},
                       {}};
    static_cast<void>(batch.transactions.try_push_back(Bytes(100 + number, number)));
    return batch;
}

}  // namespace draco::consensus::fuzz
