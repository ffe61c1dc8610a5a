#include "replay.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"

#include <string>
#include <utility>

namespace draco::ledger {
namespace {

using types::ChainHead;
using types::Height;

std::string text(Height height) {
    return std::to_string(height.value());
}

Result<> check_one_chain(const ChainHead& head, const Archive& archive) {
    if (head.height > archive.highest())
        return fail(
            Errc::Corrupt,
            "the state is at block " + text(head.height) + " but the archive ends at block " +
                text(archive.highest()) +
                ": blocks were lost. Restore the archive's directory from a copy, or remove "
                "it and the state, and let the node fetch the chain again");
    if (archive.empty()) return {};
    if (head.height.value() + 1 < archive.lowest().value())
        return fail(
            Errc::Corrupt,
            "the state is at block " + text(head.height) + " but the archive begins at block " +
                text(archive.lowest()) +
                ": the blocks between are needed and were dropped. Restore the state from a "
                "copy or a checkpoint, or remove state and archive, and let the node fetch "
                "the chain again");
    DRACO_TRY(archived, archive.digest(head.height));
    if (archived && *archived != head.digest)
        return fail(Errc::Corrupt,
                    "block " + text(head.height) + " is " + to_hex(head.digest.view()) +
                        " for the state, but " + to_hex(archived->view()) +
                        " in the archive: they are of two chains. Restore both from one copy, or "
                        "remove both, and let the node fetch the chain again");
    return {};
}

// False if the block is void: the epoch that it is of has ended before it.
Result<bool> execute_archived(interfaces::Application& application,
                              const Archive& archive,
                              Height height,
                              types::ChainId chain,
                              types::Epoch& running) {
    DRACO_TRY(bytes, archive.read(height));
    if (!bytes) return fail(Errc::Corrupt, "the archive has no block " + text(height));
    auto archived = bcs::decode<interfaces::ArchivedBlock>(*bytes);
    bytes.reset();
    if (!archived)
        return fail(Errc::Corrupt,
                    "block " + text(height) +
                        " of the archive does not decode: " + to_string(archived.error()) +
                        ". Restore the archive from a copy, or remove it and the state");
    if (archived->block.epoch < running) return false;
    std::vector<std::shared_ptr<const types::Batch>> batches;
    for (auto& batch : std::move(archived->batches).take())
        batches.push_back(std::make_shared<const types::Batch>(std::move(batch)));
    const auto digest = types::digest_of(chain, archived->block);
    const auto executed = application.execute({archived->block, digest, batches});
    if (executed && executed->next_committee) running = types::Epoch(running.value() + 1);
    if (executed) return true;
    if (executed.error().code != Errc::InvalidArgument) return std::unexpected(executed.error());
    return fail(Errc::Corrupt,
                "block " + text(height) +
                    " of the archive cannot be executed on the state: " + executed.error().context +
                    ". Archive and state are not of one chain, or this program is older than the "
                    "one that archived it: use that version, restore both from one copy, or remove "
                    "both and let the node fetch the chain again");
}

}  // namespace

Result<> replay(interfaces::Application& application, Archive& archive, const log::Logger& log) {
    DRACO_TRY(view, application.view());
    const ChainHead head = view->head();
    const types::ChainId chain = view->chain();
    types::Epoch running = view->epoch().epoch;
    view.reset();
    DRACO_TRY_VOID(check_one_chain(head, archive));
    const std::uint64_t last = archive.highest().value();
    if (archive.empty() || last == head.height.value()) return {};
    log.info("executing archived blocks", {{"from", head.height.value() + 1}, {"to", last}});
    for (std::uint64_t height = head.height.value() + 1; height <= last; ++height) {
        DRACO_TRY(executed, execute_archived(application, archive, Height(height), chain, running));
        if (!executed) {
            archive.forget_above(Height(height - 1));
            break;
        }
        if (height % kReplayLogBlocks == 0 || height == last)
            log.info("executed archived blocks", {{"height", height}, {"to", last}});
    }
    // So that the next start does not do it again.
    return application.sync();
}

}  // namespace draco::ledger
