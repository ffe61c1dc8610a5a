#pragma once
// A log with small segments on a simulated disk.

#include "draco/segment_log/segment_log.hpp"
#include "draco/simulon/disk.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <vector>

namespace draco::segment_log {

struct Seen {
    std::uint64_t sequence = 0;
    std::uint64_t mark = 0;
    Bytes bytes;

    bool operator==(const Seen&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << "#" << seen.sequence << " mark " << seen.mark << ", " << seen.bytes.size()
               << " bytes";
}

// Different for each number.
inline Bytes payload(std::uint64_t number, std::size_t bytes) {
    Bytes made(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        made[i] = static_cast<std::uint8_t>((number * 131 + i * 7 + (i >> 8U)) & 0xffU);
    return made;
}

inline RecordVisitor ignore_records() {
    return [](const Record& /*record*/) -> Result<> { return {}; };
}

inline RecordVisitor collect(std::vector<Seen>& into) {
    return [&into](const Record& record) -> Result<> {
        into.push_back({record.sequence, record.mark, to_bytes(record.bytes)});
        return {};
    };
}

inline Options small_options() {
    Options options;
    options.directory = "log";
    options.id.bytes[0] = 7;
    options.segment_bytes = 4096;
    options.segments_max = 1000;
    options.record_bytes_max = 2048;
    options.group_bytes_max = 3000;
    return options;
}

class LogFixture : public ::testing::Test {
protected:
    void open() {
        seen.clear();
        auto opened = SegmentLog::open(disk, options, collect(seen));
        ASSERT_TRUE(opened) << to_string(opened.error());
        log = std::move(*opened);
    }

    void reopen() {
        log.reset();
        open();
    }

    simulon::SimulatedDisk disk{1};
    Options options = small_options();
    std::vector<Seen> seen;
    std::unique_ptr<SegmentLog> log;
};

}  // namespace draco::segment_log
