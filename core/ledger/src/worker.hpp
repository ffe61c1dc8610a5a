#pragma once
// The object that archives and executes.

#include "draco/affair/message.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/application.hpp"
#include "draco/ledger/ledger.hpp"

#include "archive.hpp"
#include "shared.hpp"

#include <memory>
#include <vector>

namespace draco::ledger {

class Worker {
public:
    using Messages = affair::Messages<Wake>;

    Worker(interfaces::Application& application,
           Archive& archive,
           Shared& shared,
           log::Logger log,
           const Options& options);

    // An error says that the ledger cannot go on.
    Result<> handle(Wake wake);

private:
    struct Group {
        std::vector<std::shared_ptr<interfaces::LedgerBlock>> blocks;
        std::vector<types::BlockCertificate> certificates;  // of them, and of older ones
    };

    Group take_group();
    Result<> run(Group group);
    Result<> cut_void();
    Result<> archive_group(const Group& group);
    Result<> check(const interfaces::LedgerBlock& block, const types::ChainHead& before) const;
    Result<> execute(const std::shared_ptr<interfaces::LedgerBlock>& block);
    void publish(const std::shared_ptr<const interfaces::LedgerBlock>& block,
                 std::shared_ptr<const interfaces::StateView> view);
    void publish(const types::BlockCertificate& certificate);
    Result<> keep_bounds();
    Result<> sync_state();
    bool over_bounds() const;
    void rest();

    interfaces::Application& application_;
    Archive& archive_;
    Shared& shared_;
    const log::Logger log_;
    const Options options_;
    std::shared_ptr<const interfaces::StateView> view_;
    types::Height durable_{};  // of the state, as far as is known
    std::uint64_t blocks_since_sync_ = 0;
    std::uint64_t bytes_since_sync_ = 0;
};

}  // namespace draco::ledger
