// The core of sessions: who is let in, what is sent when, and how each rule that is broken ends.

#include "draco/testing/seed.hpp"

#include "core_world.hpp"

#include <gmock/gmock.h>

namespace draco::handshake {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr std::uint64_t kBlock = blake3_tree::kBlockBytes;

SessionLimits never_forgiving() {
    SessionLimits limits;
    limits.lanes.lost_forgiven_per_s = 0;
    return limits;
}

void ask(World& world, SessionId session, std::uint64_t id, std::uint64_t blocks) {
    world.say(session, wire::Open{.id = id, .hash = content_of(blocks * kBlock)});
    world.say(session, wire::Blocks{.id = id, .first = 0, .count = blocks});
    world.settle();
}

// A lane that has paid nothing gets two blocks, is told why it waits, and goes on with each
// acknowledgement; its window grows by what it acknowledges.
TEST(Core, DeliveryStaysAWindowAhead) {
    World world(never_forgiving());
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    const SessionId session = world.enter(lane);
    ASSERT_TRUE(world.last<wire::Welcome>(session));
    ask(world, session, 1, 40);
    EXPECT_EQ(world.sent[session], 2 * kBlock);
    ASSERT_TRUE(world.last<wire::Paused>(session));
    EXPECT_EQ(world.last<wire::Paused>(session)->delivered, 2 * kBlock);
    world.say(session, world.ack(lane, 2 * kBlock));
    world.settle();
    EXPECT_EQ(world.last<wire::AckTaken>(session)->window, 4 * kBlock);
    EXPECT_EQ(world.sent[session], 6 * kBlock);
    for (int i = 0; i < 20; ++i) {
        world.say(session, world.ack(lane, world.sent[session]));
        world.settle();
    }
    EXPECT_EQ(world.sent[session], 40 * kBlock);
    EXPECT_FALSE(world.ended(session));
}

// The window is the lane's: a second session gets no second one, and neither does a client that
// comes back without having acknowledged.
TEST(Core, SessionsOfALaneShareItsWindow) {
    World world(never_forgiving());
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    const SessionId first = world.enter(lane);
    const SessionId second = world.enter(lane, 2);
    ask(world, first, 1, 10);
    ask(world, second, 1, 10);
    EXPECT_EQ(world.sent[first] + world.sent[second], 2 * kBlock);
    world.hang_up(first);
    world.hang_up(second);
    const SessionId third = world.enter(lane, 3);
    ask(world, third, 1, 10);
    EXPECT_EQ(world.sent[third], 0);
    world.say(third, world.ack(lane, 2 * kBlock));
    world.settle();
    EXPECT_EQ(world.sent[third], 4 * kBlock);
}

// What was lost with a connection is written off at a fixed rate, and no faster however often the
// client comes back. What never left the node is not counted at all.
TEST(Core, LostBytesAreForgivenSlowly) {
    World world;
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    world.forgiven_max = 2 * kBlock;
    SessionId session = world.enter(lane);
    ask(world, session, 1, 10);
    world.hang_up(session, kBlock);
    for (int i = 0; i < 5; ++i) world.hang_up(world.enter(lane));
    session = world.enter(lane);
    ask(world, session, 1, 10);
    EXPECT_EQ(world.sent[session], kBlock);  // that which never left
    // 16 KiB a second: 16 s for a block, looked for every 2 s.
    world.pass(14s);
    EXPECT_EQ(world.sent[session], kBlock);
    world.pass(4s);
    EXPECT_EQ(world.sent[session], 2 * kBlock);
}

// The node writes lost bytes off also when the client was back before it noticed that the
// connection was lost, so that the lane was never without a session.
TEST(Core, LostBytesAreForgivenUnderANewerSession) {
    World world;
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    world.forgiven_max = 2 * kBlock;
    const SessionId first = world.enter(lane);
    ask(world, first, 1, 10);
    const SessionId second = world.enter(lane, 2);
    world.hang_up(first);
    ask(world, second, 1, 10);
    EXPECT_EQ(world.sent[second], 0);
    world.pass(14s);
    EXPECT_EQ(world.sent[second], 0);
    world.pass(4s);
    EXPECT_EQ(world.sent[second], kBlock);
}

// A session whose transport is full and whose client is silent is given up when another session of
// the lane waits for the window; what never left is the other's at once. Nobody else's silence ends
// a session.
TEST(Core, AStuckSessionGivesWayToAnotherOfItsLane) {
    World world(never_forgiving());
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    const SessionId stuck = world.enter(lane);
    const SessionId stranger = world.enter_free(3);
    ask(world, stuck, 1, 10);
    EXPECT_EQ(world.sent[stuck], 2 * kBlock);
    world.step(Backlog{.session = stuck, .is_full = true});
    world.step(Backlog{.session = stranger, .is_full = true});
    const SessionId newer = world.enter(lane, 2);
    ask(world, newer, 1, 10);
    world.pass(5s);
    world.say(stuck, wire::Cancel{.id = 1});
    world.pass(8s);
    EXPECT_FALSE(world.closing.contains(stuck));
    world.pass(5s);
    EXPECT_TRUE(world.closing.contains(stuck));
    EXPECT_FALSE(world.closing.contains(stranger));
    EXPECT_EQ(world.sent[newer], 0);
    world.hang_up(stuck, 2 * kBlock - 5);
    world.settle();
    EXPECT_EQ(world.sent[newer], kBlock);  // a second one would be five bytes too much
}

// The reserve ends delivery, with words that say what to do; money that comes later is noticed.
TEST(Core, TheReserveIsTheEnd) {
    World world(never_forgiving());
    WorldLane& lane = world.open_lane(1, kBlock + 5);
    const SessionId session = world.enter(lane);
    ask(world, session, 1, 10);
    EXPECT_EQ(world.sent[session], kBlock);
    EXPECT_EQ(world.last<wire::Paused>(session)->reason, wire::PauseReason::ReserveUsedUp);
    EXPECT_THAT(*world.last<wire::Paused>(session)->text, HasSubstr("draco lane topup"));
    lane.units_max = 10 * kBlock;
    world.rules.top_up(world.lane_key(lane), lane.units_max);
    world.pass(3s);
    EXPECT_EQ(world.sent[session], 2 * kBlock);
}

// A free session gets the burst, then the rate; its network shares both, another one has its own.
TEST(Core, FreeSessionsAreLimitedByNetwork) {
    SessionLimits limits;
    limits.free = {.bytes_per_s = kBlock, .burst_bytes = 4 * kBlock, .sessions_per_network_max = 2};
    World world(limits);
    const SessionId first = world.enter_free(1);
    ask(world, first, 1, 100);
    EXPECT_EQ(world.sent[first], 4 * kBlock);  // opening it has cost a little, so no fifth one
    const SessionId second = world.enter_free(1);
    ask(world, second, 1, 100);
    EXPECT_EQ(world.sent[second], 0);
    EXPECT_THAT(world.ended(world.enter_free(1)), Optional(HasSubstr("open a lane")));
    const SessionId elsewhere = world.enter_free(2);
    ask(world, elsewhere, 1, 1);
    EXPECT_EQ(world.sent[elsewhere], kBlock);
    const std::uint64_t before = world.sent[first] + world.sent[second];
    world.pass(10s);
    const std::uint64_t in_10_s = world.sent[first] + world.sent[second] - before;
    EXPECT_GE(in_10_s, 8 * kBlock);
    EXPECT_LE(in_10_s, 11 * kBlock);
}

// What strangers behind the same address have for free does not keep a lane's client from opening
// content. The lane has a bound of its own, over all its sessions.
TEST(Core, FreeNeighboursDoNotStarveALane) {
    SessionLimits limits = never_forgiving();
    limits.free = {.bytes_per_s = 1, .burst_bytes = kBlock};
    limits.lanes.unpaid_bytes_per_s = 4096;
    limits.lanes.unpaid_burst_bytes = 2 * 4096;
    World world(limits);
    const SessionId stranger = world.enter_free();
    ask(world, stranger, 1, 10);
    EXPECT_LT(world.sent[stranger], 10 * kBlock);
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    const SessionId paying = world.enter(lane);
    ask(world, paying, 1, 2);
    EXPECT_EQ(world.sent[paying], 2 * kBlock);
    const SessionId second = world.enter(lane, 2);
    for (std::uint64_t id = 2; id <= 5; ++id)
        for (const SessionId session : {paying, second})
            world.say(session, wire::Open{.id = id, .hash = content_of(1)});
    world.settle();
    const auto heads = [&] {
        std::size_t count = 0;
        for (const SessionId session : {paying, second})
            for (const auto& message : world.said[session])
                if (std::holds_alternative<wire::Head>(message)) ++count;
        return count;
    };
    EXPECT_EQ(heads(), 3);
    world.pass(2s);
    EXPECT_EQ(heads(), 5);
}

// A lane has so many sessions; one more is told what to do, unless the client is silent in one of
// them: then that one makes place.
TEST(Core, SessionsOfALaneAreBounded) {
    SessionLimits limits;
    limits.lanes.sessions_max = 2;
    World world(limits);
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    const WorldLane& other = world.open_lane(2, 1U << 30U);
    const SessionId silent = world.enter(lane, 1);
    const SessionId active = world.enter(lane, 2);
    const SessionId third = world.enter(lane, 3);
    ASSERT_THAT(world.ended(third), Optional(HasSubstr("2 sessions already")));
    EXPECT_EQ(world.last<wire::End>(third)->code, wire::to_code(Errc::Exhausted));
    EXPECT_FALSE(world.ended(world.enter(other, 3)));
    world.pass(9s);
    world.say(active, wire::Open{.id = 1, .hash = content_of(1)});
    world.settle();
    EXPECT_TRUE(world.ended(world.enter(lane, 4)));
    world.pass(2s);
    EXPECT_FALSE(world.ended(silent));
    const SessionId newer = world.enter(lane, 5);
    EXPECT_FALSE(world.ended(newer));
    EXPECT_THAT(world.ended(silent), Optional(HasSubstr("newer session")));
    EXPECT_FALSE(world.ended(active));
    EXPECT_TRUE(world.ended(world.enter(lane, 6)));
}

// A payer is one asker of content, in all its sessions and on all its lanes; another payer is
// another.
TEST(Core, APayerIsOneAskerInAllItsSessions) {
    World world;
    const WorldLane& lane = world.open_lane(1, 1U << 30U);
    const WorldLane& other = world.open_lane(2, 1U << 30U);
    WorldLane second(1);
    second.claim.lane = types::LaneIndex(1);
    world.rules.open_lane(
        world.lane_key(second),
        {.instance = second.claim.instance, .session_key = second.key.public_key()},
        1U << 30U);
    const auto asker = [&](SessionId session) {
        world.say(session, wire::Open{.id = 1, .hash = content_of(1)});
        const auto asked = std::get<OpenContent>(world.waiting.back()).asker;
        world.settle();
        return asked;
    };
    const interfaces::Asker payer = asker(world.enter(lane, 1));
    EXPECT_EQ(payer.kind, interfaces::AskerClass::Payer);
    EXPECT_TRUE(payer.number);
    EXPECT_EQ(asker(world.enter(lane, 2)), payer);
    EXPECT_EQ(asker(world.enter(second, 3)), payer);
    EXPECT_NE(asker(world.enter(other, 1)), payer);
}

// Requests of a session take turns, and a cancelled one gets nothing more.
TEST(Core, RequestsTakeTurns) {
    SessionLimits limits;
    limits.reads_max = 1;
    World world(limits);
    const SessionId session = world.enter_free();
    for (const std::uint64_t id : {1U, 2U}) {
        world.say(session, wire::Open{.id = id, .hash = content_of(30 * kBlock)});
        world.say(session, wire::Blocks{.id = id, .first = id * 10, .count = 3});
    }
    world.settle();
    auto blocks = world.blocks[session];
    ASSERT_EQ(blocks.size(), 6);
    std::ranges::sort(blocks);
    EXPECT_THAT(blocks, ElementsAre(10, 11, 12, 20, 21, 22));
    world.say(session, wire::Blocks{.id = 1, .first = 0, .count = 5});
    world.say(session, wire::Cancel{.id = 1});
    world.settle();
    EXPECT_EQ(world.blocks[session].size(), 6);
    EXPECT_EQ(world.last<wire::End>(session)->id, 1);
    EXPECT_EQ(world.last<wire::End>(session)->code, 0);
    world.say(session, wire::Cancel{.id = 1});  // its end was on the way
    EXPECT_FALSE(world.ended(session));
}

// A tree is sent in pieces, in order, and only if it was asked for.
TEST(Core, TreesComeInPieces) {
    World world;
    const SessionId session = world.enter_free();
    const std::uint64_t leaves = 3000;
    world.say(session, wire::Open{.id = 1, .hash = content_of(leaves * kBlock), .with_tree = true});
    world.settle();
    std::uint64_t nodes = 0;
    for (const auto& message : world.said[session])
        if (const auto* const piece = std::get_if<wire::TreePiece>(&message)) {
            EXPECT_EQ(piece->first, nodes);
            nodes += piece->items->size();
        }
    EXPECT_EQ(nodes, 2 * leaves - 1);
}

// A transport that is full is not fed; one that stays full is cut off.
TEST(Core, FullTransportsAreNotFed) {
    World world;
    const SessionId session = world.enter_free();
    world.step(Backlog{.session = session, .is_full = true});
    ask(world, session, 1, 4);
    EXPECT_EQ(world.sent[session], 0);
    world.step(Backlog{.session = session, .is_full = false});
    world.settle();
    EXPECT_EQ(world.sent[session], 4 * kBlock);
    world.step(Backlog{.session = session, .is_full = true});
    world.pass(59s);
    EXPECT_FALSE(world.closing.contains(session));
    world.pass(2s);
    EXPECT_TRUE(world.closing.contains(session));
}

// Who does not introduce itself in time, whatever it says meanwhile, or says nothing any more, is
// told and left.
TEST(Core, DeadlinesEndSessions) {
    World world;
    const WorldLane& lane = world.open_lane(1, 1);
    const SessionId slow = world.connect();
    const SessionId half = world.connect();
    world.pass(9s);
    world.say(half, wire::Hello{.chain = kChain, .lane = lane.claim});
    world.pass(2s);
    EXPECT_THAT(world.ended(slow), Optional(HasSubstr("in time")));
    EXPECT_THAT(world.ended(half), Optional(HasSubstr("in time")));
    const SessionId idle = world.enter_free();
    world.pass(59s);
    EXPECT_FALSE(world.ended(idle));
    world.pass(2s);
    EXPECT_THAT(world.ended(idle), Optional(HasSubstr("too long")));
}

// Each rule that is broken ends the session with words, and counts.
TEST(Core, BrokenRulesEndSessions) {
    const WorldLane other(9);
    const std::vector<std::pair<std::vector<wire::ClientMessage>, std::string>> cases = {
        {{wire::Hello{.chain = kChain, .lane = {}}}, "out of its turn"},
        {{wire::Proof{}}, "out of its turn"},
        {{wire::Blocks{.id = 1, .first = 0, .count = 1}}, "never opened"},
        {{wire::Cancel{.id = 7}}, "never opened"},
        {{wire::Open{.id = 0, .hash = {}}}, "used before"},
        {{wire::Open{.id = 3, .hash = {}}, wire::Open{.id = 3, .hash = {}}}, "used before"},
        {{wire::Open{.id = 1, .hash = {}}, wire::Blocks{.id = 1, .first = 5, .count = 0}},
         "no blocks"},
        {{wire::Open{.id = 1, .hash = {}}, wire::Blocks{.id = 1, .first = 5, .count = ~0ULL}},
         "no blocks"},
        {{wire::Ack{}}, "free session"},
    };
    World world;
    for (const auto& [messages, why] : cases) {
        const SessionId session = world.enter_free();
        for (const auto& message : messages) world.say(session, message);
        EXPECT_THAT(world.ended(session), Optional(HasSubstr(why)));
        EXPECT_TRUE(world.closing.contains(session));
        world.hang_up(session);
    }
    const SessionId garbage = world.connect();
    world.step(Received{.session = garbage, .message = as_bytes("nonsense")});
    EXPECT_TRUE(world.ended(garbage));
    const SessionId younger = world.connect();
    const Bytes hello{0, 2, 0, 1, 2, 3};
    world.step(Received{.session = younger, .message = hello});
    EXPECT_THAT(world.ended(younger), Optional(HasSubstr("version 2")));
    const WorldLane& lane = world.open_lane(1, 1U << 20U);
    const SessionId confused = world.enter(lane);
    world.say(confused, world.ack(other, 1));
    EXPECT_THAT(world.ended(confused), Optional(HasSubstr("another lane")));
    const SessionId forger = world.enter(lane);
    for (int i = 0; i < 8; ++i) {
        auto forged = world.ack(lane, 5);
        forged.ack.signature.bytes[3] ^= 1U;
        world.say(forger, forged);
        world.settle();
    }
    EXPECT_THAT(world.ended(forger), Optional(HasSubstr("refused")));
    EXPECT_EQ(world.acknowledged(lane), 0);
}

// One request more, or one range more, than allowed; one session more than the node, or a network,
// may have.
TEST(Core, CountsAreBounded) {
    SessionLimits limits;
    limits.sessions_max = 6;
    limits.sessions_per_network_max = 5;
    limits.free.sessions_per_network_max = 100;
    World world(limits);
    const SessionId greedy = world.enter_free();
    for (std::uint64_t id = 1; id <= wire::kRequestsMax; ++id)
        world.say(greedy, wire::Open{.id = id, .hash = content_of(1)});
    EXPECT_FALSE(world.ended(greedy));
    world.say(greedy, wire::Open{.id = 100, .hash = content_of(1)});
    EXPECT_THAT(world.ended(greedy), Optional(HasSubstr("open requests")));
    const SessionId ranger = world.enter_free();
    world.say(ranger, wire::Open{.id = 1, .hash = content_of(1000 * kBlock)});
    for (std::uint64_t i = 0; i <= wire::kRangesMax; ++i)
        world.say(ranger, wire::Blocks{.id = 1, .first = i, .count = 1});
    EXPECT_THAT(world.ended(ranger), Optional(HasSubstr("ranges")));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(world.ended(world.enter_free()));
    EXPECT_THAT(world.ended(world.connect()), Optional(HasSubstr("your network")));
    EXPECT_THAT(world.ended(world.connect(2)), Optional(HasSubstr("another node")));
}

// Free sessions from many networks leave room for those who pay.
TEST(Core, FreeSessionsDoNotTakeAllPlaces) {
    SessionLimits limits;
    limits.sessions_max = 6;
    limits.free.sessions_max = 3;
    World world(limits);
    const WorldLane& lane = world.open_lane(1, kBlock);
    for (std::uint64_t network = 1; network <= 3; ++network)
        EXPECT_FALSE(world.ended(world.enter_free(network)));
    EXPECT_THAT(world.ended(world.enter_free(4)), Optional(HasSubstr("open a lane")));
    EXPECT_FALSE(world.ended(world.enter(lane, 5)));
}

// On a lane that its payer has closed nothing more is delivered: it might not be settled in time.
TEST(Core, AClosingLaneIsGivenNoMore) {
    World world(never_forgiving());
    const WorldLane& lane = world.open_lane(1, 100 * kBlock);
    const SessionId session = world.enter(lane);
    ask(world, session, 1, 50);
    EXPECT_EQ(world.sent[session], 2 * kBlock);
    world.rules.close(world.lane_key(lane));
    world.say(session, world.ack(lane, 2 * kBlock));
    world.settle();
    EXPECT_EQ(world.sent[session], 2 * kBlock);
    EXPECT_EQ(world.acknowledged(lane), 2 * kBlock);
    EXPECT_EQ(world.last<wire::Paused>(session)->reason, wire::PauseReason::LaneClosing);
    EXPECT_THAT(*world.last<wire::Paused>(session)->text, HasSubstr("lane is closing"));
    EXPECT_EQ(world.last<wire::AckTaken>(session)->units_max, 100 * kBlock);
}

// Random clients, honest and not, on lanes they share: what leaves the core is never more than a
// window ahead of what was truly signed, nor beyond the reserve (World::check, after every step);
// and when the honest ones are asked to finish, all of theirs arrives.
TEST(Core, RandomClientsGetNoMoreThanAWindow) {
    const std::uint64_t seed = testing::test_seed(20);
    for (std::uint64_t round = 0; round < testing::scaled(60); ++round) {
        World world(never_forgiving(), seed + round);
        auto& random = world.random;
        const auto draw = [&](std::uint64_t bound) { return random() % bound; };
        std::map<SessionId, std::uint64_t> ids;
        for (std::uint8_t lane = 1; lane <= 3; ++lane)
            world.open_lane(lane, draw(3) == 0 ? draw(20 * kBlock) : std::uint64_t{1} << 40U);
        for (int i = 0; i < 300 && !::testing::Test::HasFailure(); ++i) {
            WorldLane& lane = world.lanes.at(static_cast<std::uint8_t>(1 + draw(3)));
            if (ids.empty() || draw(12) == 0) {
                ids.emplace(world.enter(lane, 1 + draw(50)), 0);
                continue;
            }
            const auto at = std::next(ids.begin(), static_cast<std::ptrdiff_t>(draw(ids.size())));
            const auto [session, id] = *at;
            WorldLane& own = world.lanes.at(world.lane_of.at(session));
            switch (draw(9)) {
                case 0:
                    world.say(
                        session,
                        wire::Open{.id = ++at->second, .hash = content_of(draw(40 * kBlock))});
                    break;
                case 1:
                case 2:
                    if (id > 0)
                        world.say(session,
                                  wire::Blocks{
                                      .id = 1 + draw(id), .first = draw(5), .count = 1 + draw(20)});
                    break;
                case 3:
                    if (id > 0) world.say(session, wire::Cancel{.id = 1 + draw(id)});
                    break;
                case 4:
                    world.say(session, world.ack(own, draw(own.sent + 1)));
                    break;
                case 5:
                    world.say(session, world.ack(own, own.sent));
                    break;
                case 6: {
                    auto forged = world.ack(own, own.sent + draw(1U << 30U));
                    forged.ack.signature.bytes[draw(64)] ^= 4U;
                    world.say(session, forged);
                    break;
                }
                case 7:
                    if (draw(4) == 0) {
                        const std::uint64_t known = world.acknowledged(own);
                        const std::uint64_t ahead = own.sent - std::min(own.sent, known);
                        world.hang_up(session, draw(std::min(ahead, world.sent[session]) + 1));
                        ids.erase(session);
                    }
                    break;
                default:
                    for (std::uint64_t n = draw(6); n > 0 && world.answer_one(); --n) {
                    }
            }
            if (draw(20) == 0) world.pass(std::chrono::milliseconds(draw(5000)));
            std::erase_if(ids, [&](const auto& open) {
                if (!world.closing.contains(open.first)) return false;
                world.hang_up(open.first);
                return true;
            });
        }
        world.settle();
        for (const auto& [session, id] : ids) world.hang_up(session);
        EXPECT_EQ(world.core.counters().sessions, 0);
        WorldLane& honest = world.open_lane(40, std::uint64_t{1} << 40U);
        const SessionId session = world.enter(honest, 60);
        ask(world, session, 1, 64);
        for (int i = 0; i < 64; ++i) {
            world.say(session, world.ack(honest, honest.sent));
            world.settle();
        }
        EXPECT_EQ(world.blocks[session].size(), 64);
        ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round;
    }
}

}  // namespace
}  // namespace draco::handshake
