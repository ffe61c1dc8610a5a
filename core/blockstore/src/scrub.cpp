#include "draco/base/text_encoding.hpp"

#include "store.hpp"
#include "stored_object.hpp"

namespace draco::blockstore {

interfaces::ScrubReport Store::scrub(std::uint64_t bytes_max) {
    const std::lock_guard scrubbing(scrubbing_);
    interfaces::ScrubReport report;
    do {
        const auto entry = next_to_scrub();
        if (!entry) {
            scrub_position_ = {};
            report.end_reached = true;
            break;
        }
        scrub_object(entry->info.hash, bytes_max - report.bytes, report);
    } while (report.bytes < bytes_max);
    return report;
}

// The object that is being checked if it is still there, else the one after it.
std::shared_ptr<Entry> Store::next_to_scrub() {
    ScrubPosition& position = scrub_position_;
    const std::lock_guard lock(mutex_);
    if (position.in_object)
        if (auto entry = index_.find(*position.object)) return entry;
    auto entry = index_.first_after(position.object);
    if (entry) position = {.object = entry->info.hash, .in_object = true, .leaf = 0};
    return entry;
}

void Store::scrub_object(const types::ContentHash& hash,
                         std::uint64_t bytes_max,
                         interfaces::ScrubReport& report) {
    // So that each object, whatever happens to it, brings the step nearer to its end.
    report.bytes += kFooterBytes;
    const auto checked = [&]() -> Result<bool> {
        DRACO_TRY(object, find(hash, Use::DoesNotCount));
        DRACO_TRY(part, object->check(scrub_position_.leaf, bytes_max));
        scrub_position_.leaf = part.next_leaf;
        report.bytes += part.bytes;
        return part.next_leaf == object->info().leaves;
    }();
    if (checked && !*checked) return;
    scrub_position_.in_object = false;
    if (checked) {
        ++report.whole_objects;
    } else if (checked.error().code == Errc::Corrupt) {
        ++report.damaged_objects;
    } else if (checked.error().code != Errc::NotFound) {
        ++report.unreadable_objects;
        log_.error("content cannot be read",
                   {{"file", layout_.object(hash)},
                    {"error", to_string(checked.error())},
                    {"advice", "check the disk"}});
    }
}

}  // namespace draco::blockstore
