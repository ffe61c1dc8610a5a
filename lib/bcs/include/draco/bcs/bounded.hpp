#pragma once
// A container that never holds more than SizeMax elements (bytes, for text and byte strings): the
// protocol's bound, written in the type of a message field.
//     struct Header { Bounded<std::vector<Certificate>, 128> parents; };
// The bound is an invariant, so encoding cannot meet a value that decoding refuses. Encoded like
// the container itself.

#include "draco/base/result.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace draco::bcs {

template <class Container, std::size_t SizeMax>
class Bounded {
public:
    static constexpr std::size_t kSizeMax = SizeMax;

    Bounded() = default;

    // Exhausted if `value` holds more than kSizeMax elements.
    static Result<Bounded> make(Container value) {
        if (value.size() > kSizeMax)
            return fail(Errc::Exhausted,
                        std::to_string(value.size()) + " elements where at most " +
                            std::to_string(kSizeMax) + " are allowed");
        Bounded bounded;
        bounded.value_ = std::move(value);
        return bounded;
    }

    // False, and nothing is added, when full.
    template <class Element>
    [[nodiscard]] bool try_push_back(Element&& element) {
        if (value_.size() >= kSizeMax) return false;
        value_.push_back(std::forward<Element>(element));
        return true;
    }

    const Container& operator*() const { return value_; }

    const Container* operator->() const { return &value_; }

    Container take() && { return std::move(value_); }

    bool operator==(const Bounded&) const = default;

private:
    Container value_{};
};

}  // namespace draco::bcs
