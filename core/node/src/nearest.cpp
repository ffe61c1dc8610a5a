#include "draco/node/nearest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace draco::node {
namespace {

constexpr std::size_t kWordBytesMax = 64;

// Optimal string alignment. Precondition: neither is longer than kWordBytesMax.
std::size_t edits(std::string_view a, std::string_view b) {
    using Row = std::array<std::size_t, kWordBytesMax + 1>;
    Row before_last{};
    Row last{};
    Row row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last = last;
        last = row;
    }
    return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known) {
    if (word.size() > kWordBytesMax) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t best_edits = 0;
    for (const std::string_view candidate : known) {
        if (candidate.size() > kWordBytesMax) continue;
        const std::size_t count = edits(word, candidate);
        const std::size_t allowed = std::max<std::size_t>(1, (candidate.size() + 2) / 3);
        if (count > allowed || (best && count >= best_edits)) continue;
        best = candidate;
        best_edits = count;
    }
    return best;
}

}  // namespace draco::node
