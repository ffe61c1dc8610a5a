#include "readers.hpp"

#include "draco/bcs/bcs.hpp"

#include <algorithm>
#include <utility>

namespace draco::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kAskAgainAfter = milliseconds(1500);
constexpr Duration kPatience = seconds(20);
constexpr std::uint64_t kReserve = 100'000'000;

}  // namespace

Readers::Readers(simulon::World& world,
                 const NetworkScenario& scenario,
                 const Population& population,
                 const Checker& checker,
                 PlantedBug bug,
                 NodeAt node_at)
    : world_(world),
      scenario_(scenario),
      population_(population),
      checker_(checker),
      bug_(bug),
      node_at_(std::move(node_at)),
      rng_(world.rng("readers")),
      files_(make_library(scenario, world.seed())),
      is_published_(files_.size()),
      readings_(population.readers.size()),
      accounts_(population.readers.size(), std::vector<Account>(population.nodes.size())),
      pending_(population.readers.size()) {
    if (bug == PlantedBug::WrongByte) files_.front().bytes[1000] ^= 1U;
}

void Readers::start(Duration duration) {
    until_ = world_.now() + duration;
    if (!population_.readers.empty()) tick();
}

// One draw a tick, so that a run with fewer answers is not a run with other randomness.
void Readers::tick() {
    publish();
    const auto reader = static_cast<std::size_t>(rng_.below(readings_.size()));
    const Wish wish{.node = static_cast<std::size_t>(rng_.below(population_.nodes.size())),
                    .file = static_cast<std::size_t>(rng_.below(files_.size()))};
    if (!draining_ && world_.now() >= until_) {
        draining_ = true;
        for (std::size_t node = 0; node < population_.nodes.size(); ++node)
            for (std::size_t file = 0; file < files_.size(); ++file)
                last_wishes_.push_back({.node = node, .file = file, .is_last = true});
    }
    for (std::size_t i = 0; i < readings_.size(); ++i) {
        open_lanes(i);
        if (readings_[i].wish && world_.now() >= readings_[i].give_up_at) end(i, false);
    }
    if (!readings_[reader].wish) {
        if (!draining_) {
            readings_[reader].wish = wish;
        } else if (!last_wishes_.empty()) {
            readings_[reader].wish = last_wishes_.front();
            last_wishes_.pop_front();
        }
        if (readings_[reader].wish) begin(reader);
    }
    const auto mean =
        static_cast<std::uint64_t>(scenario_.read_interval_mean.count()) / (draining_ ? 8 : 1);
    world_.at(world_.now() + Duration(rng_.between(mean / 2, mean * 3 / 2)), [this] { tick(); });
}

// As the owner of the origin would, again until it is durable there.
void Readers::publish() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
        node::Node* node = is_published_[i] ? nullptr : node_at_(files_[i].origin);
        if (node == nullptr) continue;
        auto writer = node->blockstore().write_file();
        Bytes bytes = files_[i].bytes;
        if (bug_ == PlantedBug::WrongByte && i == 0) bytes[1000] ^= 1U;
        if (!writer || !(*writer)->write(bytes) || !(*writer)->finish()) continue;
        is_published_[i] = node->providers().provide(files_[i].hash).has_value();
    }
}

types::LaneKey Readers::lane_of(std::size_t reader, std::size_t node) const {
    return {.payer = population_.readers[reader].address,
            .node = population_.nodes[node],
            .index = types::LaneIndex(0)};
}

void Readers::open_lanes(std::size_t reader) {
    const Reader& self = population_.readers[reader];
    std::optional<Pending>& mine = pending_[reader];
    const types::Nonce executed = checker_.executed_nonce(self.address);
    if (mine && executed >= mine->nonce) mine.reset();
    if (!mine) {
        // Only who has stake can have a lane.
        for (std::size_t node = 0; node < scenario_.members; ++node) {
            if (checker_.lane_instance(lane_of(reader, node))) continue;
            const types::OpenLane open{.node = population_.nodes[node],
                                       .lane = types::LaneIndex(0),
                                       .service = types::ServiceId(0),
                                       .session_key = self.session_key.public_key(),
                                       .reserve = {kReserve}};
            const types::Nonce nonce(executed.value() + 1);
            mine = {.transaction = bcs::encode(
                        types::sign(population_.genesis.chain,
                                    {self.address, nonce, types::FlkAmount::whole(1), open},
                                    self.key)),
                    .nonce = nonce,
                    .resend_at = {}};
            break;
        }
    }
    if (!mine || world_.now() < mine->resend_at) return;
    mine->resend_at = world_.now() + kAskAgainAfter;
    const auto first = static_cast<std::size_t>(rng_.below(population_.nodes.size()));
    for (std::size_t i = 0; i < population_.nodes.size(); ++i) {
        node::Node* node = node_at_((first + i) % population_.nodes.size());
        if (node == nullptr) continue;
        node->forwarder().submit(mine->transaction,
                                 [](const Result<types::TransactionHash>& /*outcome*/) {});
        return;
    }
}

void Readers::begin(std::size_t reader) {
    Reading& now = readings_[reader];
    const std::uint64_t turn = ++now.turn;
    now.give_up_at = world_.now() + kPatience;
    node::Node* node = is_published_[now.wish->file] ? node_at_(now.wish->node) : nullptr;
    if (node == nullptr) return end(reader, false);
    node->content().open_for({.kind = interfaces::AskerClass::Payer, .number = reader},
                             files_[now.wish->file].hash,
                             world_.now() + kPatience,
                             [this, reader, turn](auto content) {
                                 if (readings_[reader].turn == turn)
                                     opened(reader, std::move(content));
                             });
}

void Readers::opened(std::size_t reader, Result<std::shared_ptr<interfaces::Content>> content) {
    Reading& now = readings_[reader];
    if (!content) {
        last_failure_ = to_string(content.error());
        return end(reader, false);
    }
    const PublishedFile& file = files_[now.wish->file];
    if ((*content)->info().hash != file.hash || (*content)->info().bytes != file.bytes.size())
        violation_ = "another file was opened than was asked for";
    now.content = std::move(*content);
    read_block(reader, 0);
}

void Readers::read_block(std::size_t reader, std::uint64_t index) {
    const Reading& now = readings_[reader];
    now.content->read_block(index, [this, reader, index, turn = now.turn](auto block) {
        if (readings_[reader].turn != turn) return;
        if (!block) {
            last_failure_ = to_string(block.error());
            return end(reader, false);
        }
        took_block(reader, index, **block);
    });
}

void Readers::took_block(std::size_t reader, std::uint64_t index, const Bytes& block) {
    Reading& now = readings_[reader];
    const PublishedFile& file = files_[now.wish->file];
    const std::size_t offset = static_cast<std::size_t>(index) * blake3_tree::kBlockBytes;
    const std::size_t length = std::min(blake3_tree::kBlockBytes, file.bytes.size() - offset);
    if (!equal(block, ByteView(file.bytes).subspan(offset, length)))
        violation_ = "node " + std::to_string(now.wish->node) + " served a wrong block " +
                     std::to_string(index) + " of file " + std::to_string(now.wish->file);
    bytes_read_ += block.size();
    accounts_[reader][now.wish->node].received += block.size();
    if (offset + length < file.bytes.size()) return read_block(reader, index + 1);
    acknowledge(reader, now.wish->node);
    end(reader, true);
}

void Readers::acknowledge(std::size_t reader, std::size_t node_index) {
    const types::LaneKey lane = lane_of(reader, node_index);
    const auto instance = checker_.lane_instance(lane);
    node::Node* node = node_at_(node_index);
    if (!instance || node == nullptr) return;
    const std::uint64_t units = accounts_[reader][node_index].received;
    const types::DeliveryAck ack{.payer = lane.payer,
                                 .node = lane.node,
                                 .lane = lane.index,
                                 .instance = *instance,
                                 .cumulative = units};
    node->acknowledgements().acknowledge(
        types::sign(population_.genesis.chain, ack, population_.readers[reader].session_key),
        [this, reader, node_index, units](const Result<interfaces::LaneStanding>& standing) {
            if (!standing) {
                last_failure_ = to_string(standing.error());
                return;
            }
            ++words_taken_;
            std::uint64_t& taken = accounts_[reader][node_index].taken;
            taken = std::max(taken, units + (bug_ == PlantedBug::LostWord ? 1 : 0));
        });
}

void Readers::end(std::size_t reader, bool was_read) {
    Reading& now = readings_[reader];
    ++now.turn;
    now.content.reset();
    if (now.wish->is_last) {
        if (was_read)
            ++last_reads_;
        else
            last_wishes_.push_back(*now.wish);
    }
    now.wish.reset();
}

bool Readers::done() {
    if (readings_.empty()) return true;
    if (!draining_ || last_reads_ < files_.size() * population_.nodes.size()) return false;
    for (std::size_t reader = 0; reader < accounts_.size(); ++reader)
        for (std::size_t node = 0; node < population_.nodes.size(); ++node) {
            const Account& account = accounts_[reader][node];
            node::Node* at = node_at_(node);
            if (at == nullptr) return false;
            if (account.taken == 0) continue;
            const auto lane = at->ledger().view()->lane(lane_of(reader, node));
            if (!lane || !*lane || (*lane)->settled < account.taken) return false;
            if ((*lane)->settled > account.received)
                violation_ = "more was settled than a reader has received";
        }
    return true;
}

std::string Readers::describe() const {
    if (readings_.empty()) return "";
    std::string text = " " + std::to_string(last_reads_) + " of " +
                       std::to_string(files_.size() * population_.nodes.size()) +
                       " last reads done;";
    for (std::size_t reader = 0; reader < accounts_.size(); ++reader)
        for (std::size_t node = 0; node < population_.nodes.size(); ++node)
            if (const Account& account = accounts_[reader][node]; account.received > 0)
                text += " reader " + std::to_string(reader) + " at node " + std::to_string(node) +
                        ": received " + std::to_string(account.received) + ", taken " +
                        std::to_string(account.taken) + ";";
    if (!last_failure_.empty()) text += " last failure: " + last_failure_ + ";";
    return text;
}

}  // namespace draco::sim
