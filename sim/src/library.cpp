#include "library.hpp"

#include "draco/blake3_tree/hasher.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include <array>

namespace draco::sim {

std::vector<PublishedFile> make_library(const NetworkScenario& scenario, std::uint64_t seed) {
    // Around the edges of a block.
    constexpr std::array<std::size_t, 6> kSizes = {300'000, 0, 1, 262'144, 1'000'000, 262'145};
    simulon::SeededRng rng = simulon::SeededRng(seed).fork("library");
    std::vector<PublishedFile> files;
    for (std::size_t i = 0; i < scenario.contents; ++i) {
        PublishedFile file;
        file.bytes.resize(kSizes[i % kSizes.size()]);
        rng.fill(file.bytes);
        file.hash = types::ContentHash(blake3_tree::hash(file.bytes).bytes);
        file.origin = i % (scenario.members - scenario.liars);
        files.push_back(std::move(file));
    }
    return files;
}

}  // namespace draco::sim
