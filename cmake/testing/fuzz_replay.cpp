// main() of a fuzz target where libFuzzer is not linked: replays the files of the corpus folder
// named on the command line, then random inputs and mutations of the corpus. The seed is printed
// and DRACO_SEED replays it.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<Input> corpus;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

Input random_input(std::mt19937_64& rng) {
    const std::size_t size_max = std::size_t{1} << (rng() % 13);
    Input input(rng() % (size_max + 1));
    for (auto& byte : input) byte = static_cast<std::uint8_t>(rng());
    return input;
}

void mutate(Input& input, std::mt19937_64& rng) {
    for (auto edits = 1 + rng() % 4; edits > 0; --edits) {
        const auto at = input.empty() ? 0 : rng() % input.size();
        switch (rng() % 4) {
            case 0:
                input.insert(input.begin() + static_cast<std::ptrdiff_t>(at),
                             static_cast<std::uint8_t>(rng()));
                break;
            case 1:
                input.resize(at);
                break;
            default:
                if (!input.empty()) input[at] ^= static_cast<std::uint8_t>(1U << (rng() % 8));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<Input> corpus = argc > 1 ? read_corpus(argv[1]) : std::vector<Input>{};
    for (const auto& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());

    const char* seed_text = std::getenv("DRACO_SEED");
    const std::uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 0) : 1;
    std::printf("%zu corpus inputs, then 2000 from DRACO_SEED=%ju\n",
                corpus.size(),
                static_cast<std::uintmax_t>(seed));
    std::fflush(stdout);
    std::mt19937_64 rng(seed);
    for (int i = 0; i < 2000; ++i) {
        Input input =
            corpus.empty() || rng() % 2 == 0 ? random_input(rng) : corpus[rng() % corpus.size()];
        mutate(input, rng);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    return 0;
}
