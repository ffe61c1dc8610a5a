// The simulated capabilities keep the same contracts as the real ones.

#include "draco/simulon/world.hpp"
#include "draco/testing/disk_contract.hpp"
#include "draco/testing/executor_contract.hpp"

#include <gtest/gtest.h>

namespace draco::testing {
namespace {

class NodeUnderTest final : public ExecutorUnderTest {
public:
    NodeUnderTest() {
        node_ = world_.add_node(
            [](const simulon::Host&) { return std::make_unique<simulon::Program>(); });
        world_.start(node_);
    }

    Executor& executor() override { return world_.host(node_).executor; }

    void run_until(const std::function<bool()>& done) override {
        EXPECT_TRUE(world_.run_until_true(done, std::chrono::hours(1)));
    }

    void stop() override { world_.crash(node_); }

    bool is_sequential() const override { return true; }

private:
    simulon::World world_{1};
    PeerId node_;
};

INSTANTIATE_TEST_SUITE_P(Simulated,
                         ExecutorContract,
                         ::testing::Values(ExecutorMaker{
                             "node", [] { return std::make_unique<NodeUnderTest>(); }}));

INSTANTIATE_TEST_SUITE_P(Simulated,
                         DiskContract,
                         ::testing::Values(DiskMaker{
                             "simulated",
                             [] { return std::make_shared<simulon::SimulatedDisk>(1); }}));

}  // namespace
}  // namespace draco::testing
