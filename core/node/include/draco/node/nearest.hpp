#pragma once
// "Did you mean ...?"

#include <optional>
#include <span>
#include <string_view>

namespace draco::node {

// The known word with the fewest edits (a letter added, left out, changed, or swapped with its
// neighbour) from `word`; nullopt if even that one differs in more than a third of its letters, or
// `word` is longer than 64 bytes.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known);

}  // namespace draco::node
