// Input bytes as a series of batches against the model: equal roots, pages that do not depend on
// history, and proofs that verify.

#include "draco/base/assert.hpp"
#include "draco/sparse_merkle/proof.hpp"
#include "draco/sparse_merkle/tree.hpp"

#include "../test/model.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace draco::sparse_merkle {
namespace {

constexpr std::size_t kOperationBytes = 4;
constexpr std::size_t kBytesMax = 400;

// Few keys, close together at the top, around the page boundaries and at the bottom.
Key key_from(const std::uint8_t* bytes) {
    Key key;
    key.bytes[0] = bytes[0] & 0xC0U;
    key.bytes[2] = bytes[1];
    key.bytes[3] = bytes[0] & 0x30U;
    key.bytes[31] = bytes[0] & 0x0FU;
    return key;
}

void check(const World& world, const Model& model, const Key& key) {
    const Digest root = world.tree.root();
    DRACO_ASSERT(root == model_root(model), "the root is the model's");
    const auto proof = world.tree.prove(world.store, key);
    DRACO_ASSERT(proof, "a sound tree proves");
    const auto known = model.find(key);
    DRACO_ASSERT(known != model.end()
                     ? verify_membership<Sha256Nodes>(root, key, known->second, *proof)
                     : verify_absence<Sha256Nodes>(root, key, *proof),
                 "its proofs verify");
}

}  // namespace

// Each operation is four bytes: two for the key, a value (0 removes), and whether the batch ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    size = std::min(size, kBytesMax);
    World world;
    Model model;
    std::map<Key, std::optional<ValueHash>> batch;
    for (std::size_t at = 0; at + kOperationBytes <= size; at += kOperationBytes) {
        const Key key = key_from(data + at);
        const std::uint8_t value = data[at + 2];
        if (value == 0) {
            batch[key] = std::nullopt;
            model.erase(key);
        } else {
            ValueHash hash;
            hash.bytes[0] = value;
            batch[key] = hash;
            model[key] = hash;
        }
        const bool last = at + 2 * kOperationBytes > size;
        if (data[at + 3] % 16 != 0 && !last) continue;
        std::vector<Change> changes;
        changes.reserve(batch.size());
        for (const auto& [changed, hash] : batch) changes.push_back({changed, hash});
        batch.clear();
        DRACO_ASSERT(world.update(changes), "a sound update succeeds");
        check(world, model, key);
    }
    World at_once;
    DRACO_ASSERT(at_once.update(as_changes(model)), "a sound update succeeds");
    DRACO_ASSERT(at_once.store.pages == world.store.pages, "pages do not depend on history");
    return 0;
}

}  // namespace draco::sparse_merkle
