// Arbitrary bytes as a proof: the verifiers accept at most one encoding, so whatever they accept
// must be what the tree itself would have given.

#include "draco/base/assert.hpp"
#include "draco/sparse_merkle/proof.hpp"

#include "../test/model.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace draco::sparse_merkle {
namespace {

World small_world() {
    World world;
    std::mt19937_64 rng(1);
    Model model;
    while (model.size() < 40) model[random_key(rng, model)] = random_fixed<ValueHash>(rng);
    DRACO_ASSERT(world.update(as_changes(model)), "a sound update succeeds");
    return world;
}

}  // namespace

// The first 32 bytes are the key, the rest the proof.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const World kWorld = small_world();
    if (size < Key::kSize) return 0;
    const Key key(std::span<const std::uint8_t, 32>(data, 32));
    const ByteView proof(data + 32, size - 32);
    const Digest root = kWorld.tree.root();
    if (verify_absence<Sha256Nodes>(root, key, proof))
        DRACO_ASSERT(equal(kWorld.tree.prove(kWorld.store, key).value(), proof),
                     "only the canonical proof is accepted");
    DRACO_ASSERT(!verify_membership<Sha256Nodes>(root, key, ValueHash{}, proof),
                 "no leaf has the zero value hash");
    return 0;
}

}  // namespace draco::sparse_merkle
