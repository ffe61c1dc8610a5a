#pragma once
// Reads a fuzz input as a script; past its end everything is zero.

#include "draco/base/bytes.hpp"

#include <algorithm>
#include <array>

namespace draco::blake3_tree {

class FuzzInput {
public:
    explicit FuzzInput(ByteView bytes) : rest_(bytes) {}

    bool is_empty() const { return rest_.empty(); }

    std::uint8_t byte() { return take_exactly<1>()[0]; }

    template <std::size_t N>
    std::array<std::uint8_t, N> take_exactly() {
        std::array<std::uint8_t, N> out{};
        std::ranges::copy(take(N), out.begin());
        return out;
    }

    // At most `count` bytes.
    Bytes take(std::size_t count) {
        const ByteView taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return to_bytes(taken);
    }

    // Flips a bit, cuts or extends.
    void damage(Bytes& bytes) {
        const auto where = load_le<std::uint16_t>(take_exactly<2>().data());
        switch (byte() % 3) {
            case 0:
                if (!bytes.empty())
                    bytes[where / 8U % bytes.size()] ^=
                        static_cast<std::uint8_t>(1U << (where % 8));
                break;
            case 1:
                bytes.resize(bytes.size() - std::min<std::size_t>(bytes.size(), where));
                break;
            default:
                bytes.insert(bytes.end(), where % 300U, byte());
        }
    }

private:
    ByteView rest_;
};

}  // namespace draco::blake3_tree
