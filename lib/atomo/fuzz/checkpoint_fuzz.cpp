// Loads the input as a checkpoint under its own hash: never a crash; what loads passes the offline
// check and exports to the same bytes.

#include "draco/atomo/checkpoint.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/state_check.hpp"
#include "draco/base/assert.hpp"

#include "../test/ledger.hpp"
#include "../test/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco::atomo;  // NOLINT(google-build-using-namespace): a test's one function
    constexpr std::size_t kRootOffset = 13;
    const draco::ByteView input(data, size);
    CheckpointId expected;
    const auto hash = make_sha256_stream();
    hash->update(input);
    expected.hash = hash->digest();
    if (size >= kRootOffset + 32) expected.root = StateRoot(input.subspan<kRootOffset, 32>());

    auto storage = open_memory_storage();
    if (!import_checkpoint(MemoryFile(draco::to_bytes(input)), *storage, expected)) return 0;
    DRACO_ASSERT(verify_state(*storage).has_value(), "a loaded state is whole");
    const auto database = open_database<Ledger>(std::move(storage));
    if (!database) return 0;  // of another schema
    MemoryFile again;
    const auto exported = export_checkpoint(database->reader().snapshot().committed(), again);
    DRACO_ASSERT(exported.has_value(), "what was loaded can be exported");
    // Opening added the tables that the input lacked.
    DRACO_ASSERT(again.content.size() > input.size() || draco::equal(again.content, input),
                 "one state has one checkpoint");
    return 0;
}
