// Arbitrary names and targets: entries are accepted exactly when the written rules allow them, and
// the root is that of the naive model over the accepted ones.

#include "draco/base/assert.hpp"
#include "draco/blake3_tree/directory.hpp"

#include "../test/naive_model.hpp"
#include "fuzz_input.hpp"

using namespace draco;
using namespace draco::blake3_tree;

namespace {

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           std::ranges::none_of(name, [](char c) { return c == '\0' || c == '/'; });
}

bool is_target(std::string_view target) {
    return !target.empty() && target.size() <= 1023 && !target.contains('\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input({data, size});
    DirectoryHasher hasher;
    std::vector<std::string> transcripts;
    std::string last;
    while (!input.is_empty()) {
        const std::uint8_t kind = input.byte();
        const Bytes name_bytes = input.take(input.byte() + (kind & 1U));
        const std::string name(as_text(name_bytes));
        const bool may_follow =
            is_name(name) && (transcripts.empty() ||
                              std::ranges::lexicographical_compare(as_bytes(last), as_bytes(name)));
        std::string transcript = name + '\0';
        bool is_accepted = false;
        if ((kind & 2) != 0) {
            const Bytes target_bytes = input.take(std::size_t{5} * input.byte());
            const std::string target(as_text(target_bytes));
            is_accepted = hasher.add_symlink(name, target).has_value();
            DRACO_ASSERT(is_accepted == (may_follow && is_target(target)), "the rules decide");
            transcript = '\2' + transcript + target + '\0';
        } else {
            const Hash target(input.take_exactly<32>());
            is_accepted = hasher.add_link(name, target).has_value();
            DRACO_ASSERT(is_accepted == may_follow, "the rules decide");
            transcript = '\0' + transcript + std::string(as_text(target.view()));
        }
        if (!is_accepted) continue;
        transcript += static_cast<char>(transcripts.size());
        transcript += static_cast<char>(transcripts.size() >> 8);
        transcripts.push_back(transcript);
        last = name;
    }
    const auto tree = std::move(hasher).finish();
    DRACO_ASSERT(tree.has_value() == !transcripts.empty(), "a tree if there are entries");
    if (!tree) return 0;
    const auto algorithm = model::keyed(model::output({}, as_bytes("DIRECTORY"), 32));
    if (transcripts.size() == 1) transcripts[0][0] |= 1;
    std::vector<Hash> leaves;
    for (const std::string& transcript : transcripts)
        leaves.push_back(model::to_hash(model::output(algorithm, as_bytes(transcript), 32)));
    DRACO_ASSERT(std::ranges::equal(tree->nodes(), model::tree(algorithm, leaves)),
                 "the model's tree");
    return 0;
}
