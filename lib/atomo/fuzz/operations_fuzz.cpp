// Runs the input as transactions on a database in memory and on std::maps: every read, scan, root
// and snapshot agrees.

#include "draco/base/assert.hpp"

#include "../test/ledger_model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco::atomo;  // NOLINT(google-build-using-namespace): a test's one function
    auto writer = *open_database<Ledger>(open_memory_storage());
    Decisions decide({data, size});
    LedgerModel model;
    LedgerModel old_model;
    auto old_snapshot = writer.reader().snapshot();
    while (!decide.empty()) {
        const bool keep = decide.below(4) == 0;
        const auto step = run_step(writer, model, decide);
        DRACO_ASSERT(step.has_value(), "the database agrees with the model");
        if (!keep) continue;
        DRACO_ASSERT(*read_all(old_snapshot) == old_model, "a snapshot does not change");
        old_snapshot = writer.reader().snapshot();
        old_model = model;
    }
    DRACO_ASSERT(writer.reader().snapshot().root() == root_of(model), "the root is of the entries");
    return 0;
}
