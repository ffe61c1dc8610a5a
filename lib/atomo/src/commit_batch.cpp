#include "commit_batch.hpp"

namespace draco::atomo {

CommitBatch::CommitBatch(const Overlay& entries,
                         std::span<const sparse_merkle::PageWrite> pages,
                         const StateRecord& state)
    : state_(encode_state(state)) {
    page_keys_.reserve(pages.size());  // so that views into it stay valid
    writes_.reserve(entries.size() + pages.size() + 1);
    for (const auto& [key, value] : entries) writes_.push_back({key, value});
    for (const auto& [id, page] : pages)
        writes_.push_back({page_keys_.emplace_back(id).view(), page});
    writes_.push_back({kStateKey, state_});
}

}  // namespace draco::atomo
