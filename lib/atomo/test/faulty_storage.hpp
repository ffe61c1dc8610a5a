#pragma once

#include "draco/atomo/storage.hpp"

#include <memory>
#include <utility>

namespace draco::atomo {

struct FaultPlan {
    int commits_until_failure = -1;  // negative: none fails
    bool sync_fails = false;
};

// A storage whose commits and syncs fail when the plan says so.
class FaultyStorage final : public Storage {
public:
    FaultyStorage(std::unique_ptr<Storage> storage, std::shared_ptr<FaultPlan> plan)
        : storage_(std::move(storage)), plan_(std::move(plan)) {}

    Result<std::shared_ptr<const StorageSnapshot>> snapshot() const override {
        return storage_->snapshot();
    }

    Result<> commit(std::span<const StorageWrite> writes) override {
        if (plan_->commits_until_failure == 0) return fail(Errc::Io, "planned failure");
        if (plan_->commits_until_failure > 0) --plan_->commits_until_failure;
        return storage_->commit(writes);
    }

    Result<> sync() override {
        if (plan_->sync_fails) return fail(Errc::Io, "planned failure");
        return storage_->sync();
    }

    bool read_only() const override { return storage_->read_only(); }

    std::size_t page_cache_bytes() const override { return storage_->page_cache_bytes(); }

private:
    const std::unique_ptr<Storage> storage_;
    const std::shared_ptr<FaultPlan> plan_;
};

}  // namespace draco::atomo
