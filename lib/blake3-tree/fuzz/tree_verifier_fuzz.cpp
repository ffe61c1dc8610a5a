// Arbitrary bytes as proofs, genuine proofs damaged and out of order, and damaged node arrays. What
// a verifier accepts must be what the naive model says could be accepted.

#include "draco/base/assert.hpp"
#include "draco/blake3_tree/verifier.hpp"

#include "../test/naive_model.hpp"
#include "fuzz_input.hpp"

#include <set>

using namespace draco;
using namespace draco::blake3_tree;

namespace {

constexpr std::size_t kLeavesMax = 40;

// Leaves that bind their index, as those of blocks and directories do.
const std::vector<Hash>& leaves() {
    static const std::vector<Hash> all = [] {
        std::vector<Hash> hashes(kLeavesMax);
        for (std::size_t i = 0; i < kLeavesMax; ++i)
            hashes[i] = hash(ByteView({static_cast<std::uint8_t>(i)}));
        return hashes;
    }();
    return all;
}

Bytes proof_from(FuzzInput& input, TreeView tree, std::uint64_t expected) {
    const std::uint8_t kind = input.byte();
    const std::uint64_t leaf = (kind & 4) != 0 ? input.byte() % tree.leaf_count() : expected;
    switch (kind & 3) {
        case 0:
            return to_bytes(initial_proof(tree, leaf).bytes());
        case 1:
            return to_bytes(resume_proof(tree, leaf).bytes());
        case 2:
            return input.take(load_le<std::uint16_t>(input.take_exactly<2>().data()) % 2048);
        default: {
            Bytes damaged = to_bytes(
                ((kind & 8) != 0 ? initial_proof(tree, leaf) : resume_proof(tree, leaf)).bytes());
            input.damage(damaged);
            return damaged;
        }
    }
}

using Proofs = std::set<Bytes>;

// Every genuine initial proof, of any node, of the tree of that many leaves.
const Proofs& initial_proofs(std::size_t count) {
    static std::array<Proofs, kLeavesMax + 1> proofs;
    if (proofs[count].empty())
        for (std::size_t i = 0; i < count; ++i)
            for (const Bytes& proof : model::proofs_of({}, std::span(leaves()).first(count), i))
                proofs[count].insert(proof);
    return proofs[count];
}

bool is_genuine(std::size_t count, const Bytes& proof, std::uint64_t next, bool is_initial) {
    if (proof.empty()) return true;
    if (is_initial) return initial_proofs(count).contains(proof);
    const auto resumed =
        model::resumed(std::span(leaves()).first(count), static_cast<std::size_t>(next));
    return std::ranges::count(model::proofs_of({}, resumed, 0), proof) == 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input({data, size});
    const std::size_t count = 1 + input.byte() % kLeavesMax;
    const auto used = std::span(leaves()).first(count);
    const HashTree tree = HashTree::from_leaves(used);
    std::uint64_t next = input.byte() % count;
    TreeVerifier verifier(tree.root(), next, Mode::plain());
    for (bool is_initial = true; !input.is_empty();) {
        const Bytes proof = proof_from(input, tree.view(), next);
        if (verifier.feed_proof(proof))
            DRACO_ASSERT(is_genuine(count, proof, next, is_initial), "only genuine proofs pass");
        const std::uint64_t offered = (input.byte() & 7) != 0 ? next : input.byte() % count;
        if (offered < count && offered == next && verifier.accept_leaf(used[offered])) {
            ++next;
            is_initial = false;
        }
        DRACO_ASSERT(verifier.next_leaf() == next, "leaves are accepted in order");
        DRACO_ASSERT(verifier.is_done() == (next == count), "the end is the last leaf");
    }

    std::vector<Hash> nodes(tree.nodes().begin(), tree.nodes().end());
    nodes.resize(nodes.size() + (size % 3 == 0 ? size % 5 : 0));
    if (size % 2 == 0) nodes[size % nodes.size()].bytes[size % 32] ^= 1;
    const auto loaded = HashTree::from_nodes(nodes);
    DRACO_ASSERT(!loaded || loaded->nodes().size() == nodes.size(), "taken whole or not at all");
    DRACO_ASSERT(!loaded || count == 1 || nodes.size() != tree.nodes().size() || *loaded == tree,
                 "a damaged tree is refused");
    return 0;
}
