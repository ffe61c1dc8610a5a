// Four cores whose links belong to the input: it delivers, drops, changes and invents messages past
// the signature check, moves time, and crashes members. Whatever comes, nobody crashes by itself,
// and what a member holds stays bounded.

#include "draco/base/assert.hpp"
#include "draco/consensus/core.hpp"

#include <array>
#include <deque>
#include <memory>

namespace {

using namespace std::chrono_literals;
using draco::Bytes;
using draco::ByteView;
using draco::consensus::Core;
using draco::consensus::Effects;
using draco::consensus::Event;
namespace consensus = draco::consensus;
namespace types = draco::types;

constexpr std::size_t kMembers = 4;
constexpr std::size_t kQueueMax = 256;
constexpr types::ChainId kChain(1337);

types::NodeSecretKey key_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return types::NodeSecretKey(
        draco::crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
}

types::Committee committee() {
    std::vector<types::NodeKey> members;
    for (std::uint8_t i = 0; i < kMembers; ++i) members.push_back(key_number(i).public_key());
    return types::Committee::make(types::Epoch(3), members).value();
}

class World {
public:
    explicit World(ByteView input) : input_(input) {
        for (std::uint8_t i = 0; i < kMembers; ++i)
            start(committee_.index_of(key_number(i).public_key())->value(), key_number(i), {});
    }

    void run() {
        while (!input_.empty()) act();
        for (const auto& core : cores_) {
            DRACO_ASSERT(core->dag().suspended_count() <= 512 * kMembers, "slots bound the DAG");
        }
    }

private:
    std::uint8_t next() {
        if (input_.empty()) return 0;
        const std::uint8_t byte = input_.front();
        input_ = input_.subspan(1);
        return byte;
    }

    void start(std::size_t member, types::NodeSecretKey key, consensus::Recovery recovery) {
        consensus::Seat seat{kChain, committee_, std::move(key), types::WorkerIndex(0), {}};
        auto core = Core::make(std::move(seat), {}, std::move(recovery));
        DRACO_ASSERT(core.has_value(), "a core starts");
        cores_[member] = *std::move(core);
    }

    void step(std::size_t member, const Event& event) {
        Effects out;
        cores_[member]->step(event, {now_, types_now()}, out);
        for (const auto& send : out.sends) {
            for (std::size_t to = 0; to < kMembers; ++to) {
                if (to == member || (send.to && send.to->value() != to)) continue;
                if (queue_.size() == kQueueMax) queue_.pop_front();
                queue_.push_back({member, to, *send.message});
            }
        }
        for (const auto& block : out.blocks)
            step(member, consensus::BlockExecuted{block.block.height});
    }

    draco::UnixTime types_now() const {
        return {1'700'000'000'000 + static_cast<std::uint64_t>(now_.since_origin / 1ms)};
    }

    void deliver(std::size_t from, std::size_t to, ByteView bytes) {
        auto message = consensus::decode_message(bytes);
        if (!message) return;
        auto checked = consensus::verify(*std::move(message),
                                         types::AuthorityIndex(static_cast<std::uint16_t>(from)),
                                         committee_,
                                         kChain,
                                         consensus::SignatureCheck::Skipped);
        if (!checked) return;
        step(to,
             consensus::MessageReceived{types::AuthorityIndex(static_cast<std::uint16_t>(from)),
                                        *std::move(checked)});
    }

    void act() {
        const std::uint8_t action = next();
        const std::size_t member = next() % kMembers;
        switch (action % 8) {
            case 0:
                step(member, consensus::TransactionsSubmitted{{transaction()}});
                break;
            case 1:
                now_ = now_ + next() * 1ms;
                step(member, consensus::WakeUp{});
                break;
            case 2:
                invent(member);
                break;
            case 3:
                change();
                break;
            case 4:
                if (!queue_.empty()) queue_.pop_front();
                break;
            case 5:
                step(member,
                     consensus::LinkUp{types::AuthorityIndex(next() % std::uint16_t{kMembers})});
                break;
            default:
                for (std::size_t i = next() % 16; i > 0 && !queue_.empty(); --i) {
                    const Queued message = take();
                    deliver(message.from, message.to, message.bytes);
                }
        }
    }

    struct Queued {
        std::size_t from;
        std::size_t to;
        Bytes bytes;
    };

    Queued take() {
        Queued message = std::move(queue_.front());
        queue_.pop_front();
        return message;
    }

    types::TransactionBytes transaction() {
        Bytes bytes(types::kTransactionBytesMin);
        bytes[0] = next();
        bytes[1] = next();
        return types::TransactionBytes::make(std::move(bytes)).value();
    }

    void invent(std::size_t to) {
        const std::size_t from = (to + 1 + next() % (kMembers - 1)) % kMembers;
        const std::size_t size = std::min<std::size_t>(next(), input_.size());
        deliver(from, to, input_.first(size));
        input_ = input_.subspan(size);
    }

    void change() {
        if (queue_.empty()) return;
        Queued message = take();
        for (std::size_t flips = next() % 4 + 1; flips > 0; --flips) {
            const std::size_t at = next() | static_cast<std::size_t>(next()) << 8U;
            message.bytes[at % message.bytes.size()] ^= next();
        }
        deliver(message.from, message.to, message.bytes);
    }

    ByteView input_;
    types::Committee committee_ = committee();
    std::array<std::unique_ptr<Core>, kMembers> cores_;
    std::deque<Queued> queue_;
    draco::Instant now_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World(ByteView(data, size)).run();
    return 0;
}
