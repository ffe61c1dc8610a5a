#pragma once
// The part of the tree above kUpperLevels: immutable pages in memory, shared between versions. A
// new version copies the pages on the touched paths. A lone leaf keeps its whole chain of pages, so
// that the stored page it lies in can be found.

#include "draco/base/assert.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include "hash_schedule.hpp"
#include "key_bits.hpp"
#include "page.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace draco::sparse_merkle {

static_assert(kUpperLevels % kPageLevels == 0);

namespace detail {

inline constexpr unsigned kHeapEnd = 2 * kFanout;

// The kPageLevels levels below the node at its top, which its parent holds.
struct UpperPage {
    // Level 1, then 2, then 3 (the kFanout nodes), each from left to right.
    std::array<Node, kHeapEnd - 2> nodes;
    std::array<std::shared_ptr<const UpperPage>, kFanout> children;  // null at the lowest pages

    // `heap` numbers the nodes 1 (the top, not held here), 2, 3 (level 1), 4... (level 2), 8...
    const Node& at(unsigned heap) const { return nodes[heap - 2]; }

    Node& at(unsigned heap) { return nodes[heap - 2]; }
};

}  // namespace detail

// Walks down the upper levels along a key.
class UpperCursor {
public:
    explicit UpperCursor(const detail::UpperLevels& upper)
        : node_(upper.root), page_(upper.top.get()) {}

    const Node& node() const { return node_; }

    unsigned depth() const { return depth_; }

    const Node& child(unsigned bit) const {
        static const Node kNone;
        return page_ != nullptr ? page_->at(2 * heap_ + bit) : kNone;
    }

    // Precondition: depth() < kUpperLevels.
    void descend(unsigned bit) {
        node_ = child(bit);
        heap_ = 2 * heap_ + bit;
        ++depth_;
        if (heap_ < kFanout) return;
        if (page_ != nullptr) page_ = page_->children[heap_ - kFanout].get();
        heap_ = 1;
    }

private:
    Node node_;
    const detail::UpperPage* page_;
    unsigned heap_ = 1;
    unsigned depth_ = 0;
};

// A node at depth kUpperLevels that is new.
template <NodeHash H>
struct UpperChange {
    Key key;  // any key below the node
    typename HashSchedule<H>::Ref node;
};

// Computes the next version of the upper levels.
template <NodeHash H>
class UpperUpdate {
public:
    using Ref = typename HashSchedule<H>::Ref;
    using Change = UpperChange<H>;

    // `changed` ascend by key, one for each node, and are not empty. Runs the schedule, which may
    // hold the hashes of what lies below.
    static detail::UpperLevels apply(const detail::UpperLevels& old,
                                     std::span<const Change> changed,
                                     HashSchedule<H>& schedule) {
        UpperUpdate update(schedule);
        detail::UpperLevels next;
        const Ref root = update.plan_page(old.top.get(), 0, changed, next.top);
        schedule.run();
        for (const Hole& hole : update.holes_) hole.page->at(hole.heap) = schedule.node(hole.node);
        next.root = schedule.node(root);
        return next;
    }

private:
    explicit UpperUpdate(HashSchedule<H>& schedule) : schedule_(schedule) {}

    // A node of a new page whose digest is not known before the schedule has run.
    struct Hole {
        detail::UpperPage* page;
        unsigned heap;
        Ref node;
    };

    Ref plan_page(const detail::UpperPage* old,
                  unsigned depth,
                  std::span<const Change> changed,
                  std::shared_ptr<const detail::UpperPage>& slot) {
        auto page = old != nullptr ? std::make_shared<detail::UpperPage>(*old)
                                   : std::make_shared<detail::UpperPage>();
        std::array<std::optional<Ref>, detail::kHeapEnd> touched;
        while (!changed.empty()) {
            const unsigned child = key_bits(changed.front().key, depth, kPageLevels);
            const std::size_t count = count_sharing(changed, depth + kPageLevels);
            touched[kFanout + child] =
                depth + kPageLevels == kUpperLevels
                    ? changed.front().node
                    : plan_page(old != nullptr ? old->children[child].get() : nullptr,
                                depth + kPageLevels,
                                changed.first(count),
                                page->children[child]);
            changed = changed.subspan(count);
        }
        for (unsigned heap = kFanout - 1; heap >= 1; --heap)
            if (touched[2 * heap] || touched[2 * heap + 1])
                touched[heap] = join_touched(*page, depth, heap, touched);
        const Ref top = *touched[1];
        if (top.kind == Node::Kind::Empty) {
            slot = nullptr;
            return top;
        }
        for (unsigned heap = 2; heap < detail::kHeapEnd; ++heap)
            if (touched[heap]) holes_.push_back({page.get(), heap, *touched[heap]});
        slot = std::move(page);
        return top;
    }

    Ref join_touched(const detail::UpperPage& page,
                     unsigned depth,
                     unsigned heap,
                     const std::array<std::optional<Ref>, detail::kHeapEnd>& touched) {
        const auto child = [&](unsigned at) {
            return touched[at] ? *touched[at] : schedule_.known(page.at(at));
        };
        const Ref left = child(2 * heap);
        const Ref right = child(2 * heap + 1);
        const auto level = static_cast<unsigned>(std::bit_width(heap)) - 1;
        return schedule_.join(depth + level, left, right);
    }

    HashSchedule<H>& schedule_;
    std::vector<Hole> holes_;
};

}  // namespace draco::sparse_merkle
