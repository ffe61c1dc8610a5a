#pragma once
// Many byte strings in one allocation: a sequence that is held as its elements' own encoding, so
// that encoding, decoding, hashing and copying it are single moves of memory however many there
// are. Encoded like std::vector<Bytes>.

#include "draco/base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

namespace draco::bcs {

class Decoder;
class Encoder;

// At most CountMax strings of at most StringBytesMax bytes. Elements are read in order, each in
// O(1); there is no access by index.
template <std::size_t StringBytesMax, std::size_t CountMax>
class PackedStrings {
public:
    static_assert(StringBytesMax < (std::size_t{1} << 28), "a length takes at most four bytes");

    static constexpr std::size_t kStringBytesMax = StringBytesMax;
    static constexpr std::size_t kCountMax = CountMax;

    class Iterator {
    public:
        using value_type = ByteView;             // NOLINT(readability-identifier-naming)
        using difference_type = std::ptrdiff_t;  // NOLINT(readability-identifier-naming)

        Iterator() = default;

        // Of the length in front of a string, and the string.
        explicit Iterator(const std::uint8_t* at) : at_(at) {}

        ByteView operator*() const {
            const auto [size, bytes] = head();
            return {bytes, size};
        }

        Iterator& operator++() {
            const auto [size, bytes] = head();
            at_ = bytes + size;
            return *this;
        }

        Iterator operator++(int) {
            const Iterator before = *this;
            ++*this;
            return before;
        }

        bool operator==(const Iterator&) const = default;

    private:
        std::pair<std::size_t, const std::uint8_t*> head() const {
            std::size_t size = 0;
            const std::uint8_t* at = at_;
            for (unsigned shift = 0;; shift += 7) {
                const std::uint8_t part = *at++;
                size |= std::size_t{part & 0x7FU} << shift;
                if (part < 0x80) return {size, at};
            }
        }

        const std::uint8_t* at_ = nullptr;
    };

    std::size_t size() const { return count_; }

    bool empty() const { return count_ == 0; }

    Iterator begin() const { return Iterator(encoded_.data()); }

    Iterator end() const { return Iterator(encoded_.data() + encoded_.size()); }

    // The elements as they are encoded, without their number.
    ByteView encoded_elements() const { return encoded_; }

    // False, and nothing is added, when full or the string is too long. Amortised O(bytes).
    [[nodiscard]] bool try_push_back(ByteView string) {
        if (count_ == CountMax || string.size() > StringBytesMax) return false;
        std::size_t size = string.size();
        for (; size >= 0x80; size >>= 7) encoded_.push_back(static_cast<std::uint8_t>(size | 0x80));
        encoded_.push_back(static_cast<std::uint8_t>(size));
        encoded_.insert(encoded_.end(), string.begin(), string.end());
        ++count_;
        return true;
    }

    void reserve(std::size_t encoded_bytes) { encoded_.reserve(encoded_bytes); }

    bool operator==(const PackedStrings&) const = default;

private:
    // Decoding, which has checked what it takes.
    template <class T>
    friend bool read(Decoder& in, T& out);

    std::size_t count_ = 0;
    Bytes encoded_;
};

}  // namespace draco::bcs
