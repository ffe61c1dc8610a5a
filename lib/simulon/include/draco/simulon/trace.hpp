#pragma once
// The evidence of a run: one digest over everything that happened, and marks along the way by which
// two runs that differ are shown to part. Memory is bounded: when the marks are full every other
// one is dropped and they are set half as often.

#include "draco/base/bytes.hpp"
#include "draco/base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace draco::simulon {

class Trace {
public:
    // One event: where and when, and what kind.
    void event(Instant when, std::uint64_t kind, std::uint64_t node);
    void note(std::uint64_t value);
    void note(ByteView bytes);

    std::uint64_t digest() const { return digest_; }

    bool operator==(const Trace&) const = default;

    // Between which events, and near which node and time, two runs part; empty if they are equal.
    static std::string difference(const Trace& a, const Trace& b);

private:
    static constexpr std::size_t kMarksMax = std::size_t{1} << 16;

    struct Mark {
        std::uint64_t digest;
        Instant when;
        std::uint64_t node;
        bool operator==(const Mark&) const = default;
    };

    std::uint64_t digest_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t stride_ = 1;
    std::vector<Mark> marks_;  // before event i * stride_
};

}  // namespace draco::simulon
