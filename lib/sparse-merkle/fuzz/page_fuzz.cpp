// Arbitrary bytes as a stored page: every call that reads pages ends in Corrupt or in success, and
// only the page that was there opens to the same root.

#include "draco/base/assert.hpp"
#include "draco/sparse_merkle/rebuild.hpp"
#include "draco/sparse_merkle/tree.hpp"

#include "../test/model.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace draco::sparse_merkle {
namespace {

template <class T>
void expect_corrupt(const Result<T>& result) {
    DRACO_ASSERT(result || result.error().code == Errc::Corrupt, "damage is reported as Corrupt");
}

// A tree of 20 leaves that lie below one page at depth 18, some of them in pages further down.
struct Sound {
    World world;
    std::vector<Change> changes;
    PageId id;

    Sound() {
        Key key;
        for (std::uint8_t i = 0; i < 20; ++i) {
            key.bytes[2] = i % 2 == 0 ? 0x10 : 0x30;
            key.bytes[31] = i;
            changes.push_back({key, ValueHash{}});
        }
        std::ranges::sort(changes, {}, &Change::key);
        DRACO_ASSERT(world.update(changes), "a sound update succeeds");
        id = PageId(kUpperLevels, key);
        changes.front().value_hash = std::nullopt;
        changes.back().value_hash->bytes[0] = 1;
    }
};

}  // namespace

// The input takes the place of the page at depth 18.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Sound kSound;
    World world = kSound.world;
    world.store.pages[kSound.id] = Bytes(data, data + size);

    expect_corrupt(world.tree.prove(world.store, kSound.changes.back().key));
    expect_corrupt(world.tree.update(world.store, kSound.changes));
    expect_corrupt(
        for_each_leaf<Sha256Nodes>(world.store, [](const Leaf&) { return Result<void>(); }));
    const auto opened = Sha256Tree::open(world.store, world.tree.root());
    expect_corrupt(opened);
    DRACO_ASSERT(!opened || world.store.pages == kSound.world.store.pages,
                 "equal trees have equal pages");
    return 0;
}

}  // namespace draco::sparse_merkle
