// However a transport takes what is sent, it gets every byte once and in order; deadlines come due
// like those of a sorted list.

#include "../src/outgoing.hpp"

#include "draco/testing/seed.hpp"

#include "../src/deadlines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace draco::http {
namespace {

// Takes as many bytes as it likes, or none.
class FickleTransport final : public Transport {
public:
    explicit FickleTransport(std::mt19937_64& random) : random_(random) {}

    Transfer read(MutByteView /*into*/) override { return {}; }

    Transfer write(std::span<const iovec> from, bool /*more*/) override {
        if (random_() % 3 == 0) return {.status = Transfer::Status::Blocked};
        EXPECT_FALSE(from.empty());
        std::size_t room = 1 + random_() % 9;
        const std::size_t before = taken.size();
        for (const iovec& part : from) {
            const std::size_t count = std::min(part.iov_len, room);
            taken.append(static_cast<const char*>(part.iov_base), count);
            room -= count;
        }
        return {.status = Transfer::Status::Some, .bytes = taken.size() - before};
    }

    Transfer send_file(int /*file*/, std::uint64_t offset, std::size_t bytes) override {
        if (random_() % 3 == 0) return {.status = Transfer::Status::Blocked};
        const std::size_t count = std::min<std::size_t>(bytes, 1 + random_() % 9);
        for (std::size_t i = 0; i < count; ++i) taken += static_cast<char>('a' + (offset + i) % 26);
        return {.status = Transfer::Status::Some, .bytes = count};
    }

    std::uint64_t unacknowledged_bytes() override { return 0; }

    void end() override {}

    void reset() override {}

    std::string taken;

private:
    std::mt19937_64& random_;
};

class LetterBody final : public PullBody {
public:
    LetterBody(std::size_t pieces, std::size_t bytes) : pieces_(pieces), bytes_(bytes) {}

    std::uint64_t bytes() const override { return bytes_; }

    std::uint64_t pieces() const override { return pieces_; }

    std::uint64_t piece_bytes_max() const override { return bytes_; }

    void pull(PieceReply /*reply*/) override {}

private:
    std::size_t pieces_;
    std::size_t bytes_;
};

std::string letters(std::mt19937_64& random, std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    return text;
}

// One answer; what should be sent is appended to `expected`, its pieces are left in `pieces`.
void add_answer(Outgoing& outgoing,
                std::mt19937_64& random,
                std::string& expected,
                std::vector<std::string>& pieces) {
    const std::string head = letters(random, random() % 30);
    outgoing.buffer() += head;
    expected += head;
    switch (random() % 4) {
        case 0:
            break;
        case 1: {
            const std::string body = letters(random, random() % 2 == 0 ? 5000 : random() % 50);
            outgoing.add_body(share(body));
            expected += body;
            break;
        }
        case 2: {
            const std::uint64_t offset = random() % 100;
            const std::uint64_t bytes = random() % 300;
            outgoing.add_body(
                FileRegion{std::make_shared<const io::FileDescriptor>(), offset, bytes});
            for (std::uint64_t i = 0; i < bytes; ++i)
                expected += static_cast<char>('a' + (offset + i) % 26);
            break;
        }
        default: {
            std::string body;
            for (std::uint64_t i = 0; i < 1 + random() % 6; ++i)
                body += pieces.emplace_back(letters(random, 1 + random() % 40));
            outgoing.add_body(std::make_unique<LetterBody>(pieces.size(), body.size()));
            expected += body;
        }
    }
}

// Pieces come in any order, at any time.
void give_pieces(Outgoing& outgoing,
                 std::mt19937_64& random,
                 const std::vector<std::string>& pieces,
                 std::vector<std::uint64_t>& asked,
                 std::size_t pieces_max) {
    while (const auto want = outgoing.next_want()) asked.push_back(want->piece);
    ASSERT_LE(asked.size(), pieces_max);
    if (asked.empty() || random() % 2 == 0) return;
    std::swap(asked[random() % asked.size()], asked.back());
    EXPECT_TRUE(outgoing.put_piece(asked.back(), share(std::string(pieces[asked.back()]))));
    asked.pop_back();
}

TEST(Outgoing, SendsEveryByteOnceAndInOrder) {
    std::mt19937_64 random(testing::test_seed(5));
    for (std::uint64_t round = 0; round < testing::scaled(2'000); ++round) {
        const std::size_t pieces_max = 1 + random() % 5;
        Outgoing outgoing(pieces_max);
        FickleTransport transport(random);
        std::string expected;
        for (int answer = 0; answer < 4; ++answer) {
            std::vector<std::string> pieces;
            std::vector<std::uint64_t> asked;
            add_answer(outgoing, random, expected, pieces);
            // Answers may queue up behind each other as long as they are in the buffer.
            if (!outgoing.has_body() && random() % 2 == 0) continue;
            std::uint64_t sent = 0;
            const std::size_t before = transport.taken.size();
            while (!outgoing.empty()) {
                give_pieces(outgoing, random, pieces, asked, pieces_max);
                const auto progress = outgoing.flush(transport, 1 + random() % 100);
                ASSERT_NE(progress.outcome, Outgoing::Outcome::Failed);
                ASSERT_NE(progress.outcome, Outgoing::Outcome::CutOff);
                sent += progress.bytes;
            }
            EXPECT_EQ(sent, transport.taken.size() - before);
            ASSERT_EQ(transport.taken, expected);
        }
    }
}

TEST(Outgoing, TakesNoMoreThanTheBodySaid) {
    Outgoing outgoing(2);
    outgoing.add_body(std::make_unique<LetterBody>(2, 10));
    EXPECT_EQ(outgoing.next_want()->piece, 0U);
    EXPECT_EQ(outgoing.next_want()->piece, 1U);
    EXPECT_FALSE(outgoing.next_want());
    EXPECT_FALSE(outgoing.put_piece(0, share("")));
    EXPECT_TRUE(outgoing.put_piece(1, share("123456")));
    EXPECT_FALSE(outgoing.put_piece(0, share("12345")));
}

// Model: all timers sorted by their times.
TEST(Deadlines, ComeDueInOrder) {
    std::mt19937_64 random(testing::test_seed(6));
    const std::array<Duration, kWaits> durations = {
        Duration(10), Duration(20), Duration(35), Duration(5), Duration(7), Duration(50)};
    Deadlines deadlines(durations);
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 20; ++i) timers.push_back(std::make_unique<Timer>(nullptr));
    std::map<Timer*, Instant> model;
    Instant now{};
    for (std::uint64_t step = 0; step < testing::scaled(20'000); ++step) {
        Timer& timer = *timers[random() % timers.size()];
        now = now + Duration(random() % 3);
        if (random() % 3 == 0) {
            timer.disarm();
            model.erase(&timer);
        } else {
            const std::size_t kind = random() % kWaits;
            deadlines.arm(timer, static_cast<Wait>(kind), now);
            model[&timer] = now + durations[kind];
        }
        std::set<Timer*> due;
        while (Timer* const one = deadlines.take_due(now)) due.insert(one);
        std::set<Timer*> expected;
        for (const auto& [one, at] : model)
            if (at <= now) expected.insert(one);
        ASSERT_EQ(due, expected);
        for (Timer* const one : expected) model.erase(one);
        std::optional<Instant> earliest;
        for (const auto& [one, at] : model)
            if (!earliest || at < *earliest) earliest = at;
        ASSERT_EQ(deadlines.earliest(), earliest);
    }
}

}  // namespace
}  // namespace draco::http
