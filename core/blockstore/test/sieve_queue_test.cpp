// The queue chooses the victims that SIEVE's paper says, also when some may not go and others leave
// by themselves; a list with an index for a hand is the model.
#include "../src/sieve_queue.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace draco::blockstore {
namespace {

// Oldest first; the hand is the number of the object it points to, or none.
struct NaiveSieve {
    struct Object {
        int number;
        bool used = false;
    };

    std::vector<Object> objects;
    std::optional<int> hand;

    std::size_t at(int number) const {
        return static_cast<std::size_t>(std::ranges::find(objects, number, &Object::number) -
                                        objects.begin());
    }

    std::optional<int> after(int number) const {
        const std::size_t next = at(number) + 1;
        return next < objects.size() ? std::optional(objects[next].number) : std::nullopt;
    }

    void erase(int number) {
        if (hand == number) hand = after(number);
        objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(at(number)));
    }

    std::optional<int> victim(const std::set<int>& held) {
        if (std::ranges::all_of(objects, [&](const Object& o) { return held.contains(o.number); }))
            return std::nullopt;
        while (true) {
            const int number = hand.value_or(objects.front().number);
            Object& object = objects[at(number)];
            hand = after(number);
            if (held.contains(number)) continue;
            if (!object.used) return number;
            object.used = false;
        }
    }
};

TEST(SieveQueue, ChoosesWhatTheModelChooses) {
    std::mt19937_64 rng(draco::testing::test_seed(3));
    for (std::uint64_t run = 0; run < draco::testing::scaled(200); ++run) {
        SieveQueue<int> queue;
        NaiveSieve model;
        std::map<int, SieveQueue<int>::Place> places;
        std::set<int> held;
        const auto any = [&] {
            return std::next(places.begin(), static_cast<std::ptrdiff_t>(rng() % places.size()))
                ->first;
        };
        for (int step = 0; step < 300; ++step) {
            const auto choice = rng() % 10;
            if (choice < 3 || places.empty()) {
                places.emplace(step, queue.insert(step));
                model.objects.push_back({step});
            } else if (choice < 6) {
                const int number = any();
                places.at(number)->used = true;
                model.objects[model.at(number)].used = true;
            } else if (choice < 7) {
                const int number = any();
                queue.erase(places.at(number));
                places.erase(number);
                held.erase(number);
                model.erase(number);
            } else if (choice < 8) {
                const int number = any();
                if (!held.erase(number)) held.insert(number);
            } else {
                const auto victim =
                    queue.victim([&](int number) { return !held.contains(number); });
                const auto expected = model.victim(held);
                ASSERT_EQ(victim ? std::optional((*victim)->value) : std::nullopt, expected);
                if (!victim) continue;
                places.erase(*expected);
                queue.erase(*victim);
                model.erase(*expected);
            }
        }
    }
}

TEST(SieveQueue, SparesOnceWhatWasUsed) {
    // The example of the paper's figure, in short: a used object survives one pass, not two.
    SieveQueue<int> queue;
    const auto all = [](int) { return true; };
    const auto first = queue.insert(1);
    queue.insert(2);
    first->used = true;
    const auto victim = queue.victim(all);
    ASSERT_TRUE(victim);
    EXPECT_EQ((*victim)->value, 2);
    queue.erase(*victim);
    EXPECT_EQ((*queue.victim(all))->value, 1);
}

}  // namespace
}  // namespace draco::blockstore
