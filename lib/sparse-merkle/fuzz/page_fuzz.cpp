// Arbitrary bytes as a stored page: decoding ends in Corrupt or in a page that encodes back to the
// same bytes, through every call that reads pages.

#include "draco/base/assert.hpp"
#include "draco/sparse_merkle/rebuild.hpp"
#include "draco/sparse_merkle/tree.hpp"

#include "../test/model.hpp"

#include <cstdint>
#include <span>

using namespace draco;
using namespace draco::sparse_merkle;

namespace {

template <class T>
void expect_corrupt(const Result<T>& result) {
    DRACO_ASSERT(result || result.error().code == Errc::Corrupt, "damage is reported as Corrupt");
}

}  // namespace

// The first byte chooses the page's place, the rest is the page.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    testing::World world;
    Key key;
    key.bytes[0] = data[0];
    // A tree whose one page at depth 18 is exchanged for the input.
    std::vector<Change> changes;
    for (std::uint8_t i = 0; i < 20; ++i) {
        key.bytes[2] = static_cast<std::uint8_t>(2 * i % 16);
        key.bytes[31] = i;
        changes.push_back({key, ValueHash{}});
    }
    std::ranges::sort(changes, {}, &Change::key);
    DRACO_ASSERT(world.update(changes), "a sound update succeeds");
    const PageId id(kUpperLevels, key);
    const Bytes sound = world.store.pages.at(id);
    world.store.pages[id] = Bytes(data + 1, data + size);

    expect_corrupt(world.tree.prove(world.store, key));
    changes.front().value_hash = std::nullopt;
    changes.back().value_hash->bytes[0] = 1;
    expect_corrupt(world.tree.update(world.store, changes));
    expect_corrupt(
        for_each_leaf<Sha256Nodes>(world.store, [](const Leaf&) { return Result<void>(); }));
    const auto opened = Sha256Tree::open(world.store, world.tree.root());
    expect_corrupt(opened);
    DRACO_ASSERT(!opened || world.store.pages[id] == sound, "equal trees have equal pages");
    return 0;
}
