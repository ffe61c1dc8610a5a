#include "draco/affair/snapshot.hpp"

#include <chrono>

namespace draco::affair {

std::string_view to_string(ObjectState state) {
    switch (state) {
        case ObjectState::Running:
            return "running";
        case ObjectState::Restarting:
            return "restarting";
        case ObjectState::Stopping:
            return "stopping";
        case ObjectState::Stopped:
            return "stopped";
        case ObjectState::Failed:
            return "failed";
    }
    return "unknown";
}

namespace {

void append_count(std::string& text, std::string_view what, std::uint64_t count) {
    if (count == 0) return;
    text.append(", ").append(std::to_string(count)).append(" ").append(what);
}

std::string describe(const Occupation& occupation) {
    const auto elapsed_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(occupation.elapsed).count();
    const bool handling = occupation.kind == Occupation::Kind::Handling;
    return std::string(handling ? "handling " : "holding the reply to ") +
           std::string(occupation.message) + " for " + std::to_string(elapsed_ms) +
           " ms, sent at " + occupation.where.file_name() + ":" +
           std::to_string(occupation.where.line());
}

}  // namespace

std::string describe(const ObjectSnapshot& snapshot) {
    std::string text = snapshot.name + ": " + std::string(to_string(snapshot.state)) + ", " +
                       std::to_string(snapshot.queued) + " of " +
                       std::to_string(snapshot.capacity) + " queued (most " +
                       std::to_string(snapshot.queued_max) + ")";
    append_count(text, "handled", snapshot.handled);
    append_count(text, "rejected", snapshot.rejected);
    append_count(text, "lapsed", snapshot.lapsed);
    append_count(text, "discarded", snapshot.discarded);
    append_count(text, "expired", snapshot.expired);
    append_count(text, "late replies", snapshot.late_replies);
    append_count(text, "abandoned", snapshot.abandoned);
    append_count(text, "failures", snapshot.failures);
    append_count(text, "restarts", snapshot.restarts);
    for (const Occupation& occupation : snapshot.occupations)
        text.append("\n    ").append(describe(occupation));
    return text;
}

}  // namespace draco::affair
