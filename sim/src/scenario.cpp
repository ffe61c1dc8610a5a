#include "draco/sim/scenario.hpp"

#include "draco/base/assert.hpp"

#include "checker.hpp"
#include "clients.hpp"
#include "pace_meter.hpp"
#include "population.hpp"
#include "readers.hpp"
#include "simulated_node.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace draco::sim {
namespace {

constexpr UnixTime kStart{1'700'000'000'000};

std::uint64_t hidden_input() {
    static std::uint64_t runs = 0;
    return runs++;
}

class Network {
public:
    Network(simulon::World& world,
            const NetworkScenario& scenario,
            PlantedBug bug,
            const Watch& watch)
        : world_(world),
          scenario_(scenario),
          bug_(bug),
          watch_(watch),
          population_(make_population(scenario, world.seed(), kStart)),
          checker_(population_, bug),
          meter_(scenario.members, population_.nodes.size()),
          clients_(
              world, scenario, population_, checker_, [this](std::size_t i) { return node_at(i); }),
          readers_(world,
                   scenario,
                   population_,
                   checker_,
                   bug,
                   [this](std::size_t i) { return node_at(i); }),
          lives_(population_.nodes.size()) {
        for (std::size_t i = 0; i < population_.nodes.size(); ++i)
            world.add_node([this, i](const simulon::Host& host) { return boot(i, host); },
                           {.disk = scenario.disk});
        world.connect_all(scenario.link);
    }

    Result<> run() {
        world_.start_all();
        clients_.start(scenario_.duration);
        readers_.start(scenario_.duration);
        if (!scenario_.faults.kinds.empty()) {
            simulon::FaultPlanOptions options = scenario_.faults;
            options.duration = scenario_.duration;
            simulon::schedule_faults(
                world_, simulon::draw_faults(world_, options), scenario_.duration);
        }
        if (bug_ == PlantedBug::HiddenInput)
            world_.at(world_.now() + Duration(1'000'000 + hidden_input()), [] {});
        DRACO_TRY_VOID(
            run_checked([this] { return world_.now() >= Instant{} + scenario_.duration; },
                        scenario_.duration * 2));
        return converge();
    }

    // Of the time under load.
    Pace pace() const { return meter_.pace(); }

private:
    std::unique_ptr<simulon::Program> boot(std::size_t index, const simulon::Host& host) {
        const std::uint64_t life = ++lives_[index];
        return std::make_unique<SimulatedNode>(
            host,
            population_.nodes,
            population_.node_keys[index].clone(),
            population_.genesis,
            index + scenario_.liars >= population_.nodes.size(),
            [this, index, life](const interfaces::LedgerBlock& block) {
                checker_.executed(index, life, block);
                if (world_.now() < Instant{} + scenario_.duration)
                    meter_.executed(index,
                                    block.content.block.height.value(),
                                    block.result.next_committee.has_value(),
                                    world_.now());
            });
    }

    SimulatedNode* program_at(std::size_t index) {
        const PeerId id(static_cast<std::uint32_t>(index));
        return world_.running(id) ? &static_cast<SimulatedNode&>(world_.program(id)) : nullptr;
    }

    node::Node* node_at(std::size_t index) {
        SimulatedNode* program = program_at(index);
        return program == nullptr ? nullptr : program->node();
    }

    // A node whose disk failed under it has left; its operator starts it again.
    void restart_failed() {
        for (std::size_t i = 0; i < population_.nodes.size(); ++i) {
            const SimulatedNode* program = program_at(i);
            const PeerId id(static_cast<std::uint32_t>(i));
            if (program != nullptr && program->failure().empty()) continue;
            if (program != nullptr) world_.crash(id);
        }
        for (std::size_t i = 0; i < population_.nodes.size(); ++i) {
            const PeerId id(static_cast<std::uint32_t>(i));
            if (!world_.running(id)) world_.start(id);
        }
    }

    Result<> run_checked(const std::function<bool()>& done, Duration limit) {
        const auto reached = world_.run_until_true(
            [&] {
                if (watch_) watch_(world_.now().since_origin);
                return checker_.violation().has_value() || readers_.violation().has_value() ||
                       done();
            },
            limit);
        if (checker_.violation()) return fail(Errc::Corrupt, *checker_.violation());
        if (readers_.violation()) return fail(Errc::Corrupt, *readers_.violation());
        if (!reached) return fail(reached.error().code, reached.error().context + ";" + describe());
        return {};
    }

    Result<> converge() {
        world_.heal();
        restart_failed();
        if (bug_ == PlantedBug::StalledNode)
            world_.partition(std::vector<std::vector<PeerId>>{{PeerId(1)}},
                             simulon::World::Partition::Silent);
        DRACO_TRY_VOID(run_checked(
            [this] { return clients_.all_executed() && at_same_height() && readers_.done(); },
            scenario_.heal_limit));
        if (scenario_.readers > 0 && readers_.words_taken() == 0)
            return fail(Errc::NotFound, "no acknowledgement was taken, so nothing was tested");
        if (checker_.transfers() == 0)
            return fail(Errc::NotFound, "no transfer was executed, so nothing was tested");
        for (std::size_t i = 0; i < population_.nodes.size(); ++i) {
            node::Node* node = node_at(i);
            if (node == nullptr)
                return fail(Errc::Unavailable,
                            "node " + std::to_string(i) + " is down;" + describe());
            const auto accused = program_at(i)->peers().refused();
            if (accused && accused->value() < population_.nodes.size() - scenario_.liars)
                return fail(Errc::Corrupt,
                            "node " + std::to_string(i) + " accuses node " +
                                std::to_string(accused->value()) + ", which is honest");
            DRACO_TRY_VOID(checker_.check_books(i, *node->ledger().view()));
        }
        return {};
    }

    bool at_same_height() {
        for (std::size_t i = 0; i < population_.nodes.size(); ++i) {
            node::Node* node = node_at(i);
            if (node == nullptr ||
                node->ledger().view()->head().height.value() != checker_.height())
                return false;
        }
        return true;
    }

    std::string describe() {
        std::string text = " chain at height " + std::to_string(checker_.height()) + ";";
        for (std::size_t i = 0; i < population_.nodes.size(); ++i) {
            text += " node " + std::to_string(i) + ": ";
            SimulatedNode* program = program_at(i);
            if (program == nullptr) {
                text += "down;";
            } else if (program->node() == nullptr) {
                text += "failed (" + program->failure() + ");";
            } else {
                const auto view = program->node()->ledger().view();
                const auto status = program->node()->consensus().status();
                text += "height " + std::to_string(view->head().height.value()) + ", epoch " +
                        std::to_string(view->epoch().epoch.value()) + ", role " +
                        std::to_string(static_cast<int>(status.role)) + ", round " +
                        std::to_string(status.round.value()) +
                        (status.reason.empty() ? "" : " (" + status.reason + ")") + ";";
            }
        }
        return text + clients_.describe() + readers_.describe();
    }

    simulon::World& world_;
    const NetworkScenario& scenario_;
    PlantedBug bug_;
    const Watch watch_;
    Population population_;
    Checker checker_;
    PaceMeter meter_;
    Clients clients_;
    Readers readers_;
    std::vector<std::uint64_t> lives_;
};

}  // namespace

simulon::Scenario make_scenario(const NetworkScenario& scenario,
                                PlantedBug bug,
                                Watch watch,
                                PaceReport paced) {
    return
        [scenario, bug, watch = std::move(watch), paced = std::move(paced)](simulon::World& world) {
            // On the heap: programs of the world refer to it until the world ends.
            auto network = std::make_shared<Network>(world, scenario, bug, watch);
            const auto verdict = network->run();
            if (verdict && paced) paced(network->pace());
            for (std::size_t i = 0; i < world.node_count(); ++i)
                world.crash(PeerId(static_cast<std::uint32_t>(i)));
            // The world's script may still hold actions that refer to it.
            world.at(Instant{Duration::max()}, [network] {});
            return verdict;
        };
}

}  // namespace draco::sim
