// Foreign files in a log's directory: opening them is an error or delivers records, never more. Two
// attackers: one who changes bytes of a sealed log, and one who knows the log's id and writes heads
// with right checksums around whatever fields and bodies he likes.

#include "draco/base/assert.hpp"
#include "draco/simulon/disk.hpp"

#include "../src/format.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace draco;               // NOLINT(google-build-using-namespace)
using namespace draco::segment_log;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kRecords = 60;

Options options() {
    Options made;
    made.directory = "log";
    made.segment_bytes = 4096;
    made.record_bytes_max = 1024;
    made.segments_max = 64;
    return made;
}

class Input {
public:
    explicit Input(ByteView bytes) : rest_(bytes) {}

    bool empty() const { return rest_.empty(); }

    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes && !rest_.empty(); ++i) {
            value = value << 8U | rest_[0];
            rest_ = rest_.subspan(1);
        }
        return value;
    }

    ByteView bytes(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    ByteView rest_;
};

void put(Disk& disk, std::uint64_t segment, ByteView bytes) {
    auto file = disk.open("log/" + segment_file_name(segment), OpenMode::Truncate).value();
    DRACO_ASSERT(file->write_at(0, bytes).has_value(), "the disk works");
}

Bytes payload(std::uint64_t sequence) {
    return Bytes(sequence % 200, static_cast<std::uint8_t>(sequence));
}

// Opens, goes on if that works, and opens again.
std::vector<Bytes> use(Disk& disk) {
    std::vector<Bytes> records;
    std::vector<Position> positions;
    const auto visit = [&](const Record& record) -> Result<> {
        records.push_back(to_bytes(record.bytes));
        positions.push_back(record.position);
        return {};
    };
    auto log = SegmentLog::open(disk, options(), visit);
    if (!log) {
        DRACO_ASSERT(log.error().code == Errc::Corrupt, "foreign files are Corrupt");
        return {};
    }
    for (std::size_t i = 0; i < positions.size(); ++i)
        if (const auto read = (*log)->read(positions[i]))
            DRACO_ASSERT(*read == records[i], "one record, however it is read");
    auto found = records;
    if (!(*log)->append(7, as_bytes("more"))) return found;
    DRACO_ASSERT((*log)->seal().has_value(), "the disk works");
    log->reset();
    records.clear();
    DRACO_ASSERT(SegmentLog::open(disk, options(), visit).has_value(),
                 "what was opened opens again");
    DRACO_ASSERT(records.size() == found.size() + 1, "with what was appended");
    return found;
}

void change_bytes(Input input) {
    simulon::SimulatedDisk disk(1);
    std::uint64_t segments = 0;
    {
        auto log =
            SegmentLog::open(disk, options(), [](const Record&) -> Result<> { return {}; }).value();
        for (std::uint64_t i = 0; i < kRecords; ++i) {
            DRACO_ASSERT(log->append(i, payload(i)).has_value(), "the disk works");
            if (i % 4 == 3) DRACO_ASSERT(log->sync().has_value(), "the disk works");
        }
        DRACO_ASSERT(log->seal().has_value(), "the disk works");
        segments = log->segments().size();
    }
    while (!input.empty()) {
        const auto segment = input.number(1) % segments;
        auto file = disk.open("log/" + segment_file_name(segment), OpenMode::ReadWrite).value();
        const auto offset = input.number(2) % 4096;
        const std::uint8_t byte = static_cast<std::uint8_t>(input.number(1));
        DRACO_ASSERT(file->write_at(offset, {&byte, 1}).has_value(), "the disk works");
    }
    const auto found = use(disk);
    // Who damages the last groups and the mark behind them makes a torn tail.
    DRACO_ASSERT(found.size() <= kRecords, "nothing that was not appended");
    for (std::size_t i = 0; i < found.size(); ++i)
        DRACO_ASSERT(found[i] == payload(i), "the records that were appended");
}

// Small changes of what would be right.
std::uint64_t near(Input& input, std::uint64_t right) {
    const auto choice = input.number(1);
    if (choice < 200) return right;
    if (choice < 240) return right + choice - 220;
    return input.number(8);
}

void write_segments(Input input) {
    simulon::SimulatedDisk disk(1);
    DRACO_ASSERT(disk.create_directory("log").has_value(), "the disk works");
    const Format format(options().id);
    Checksum chain;
    std::uint64_t sequence = 0;
    std::uint64_t end = 0;
    for (std::uint64_t segment = 0; segment < 4 && !input.empty(); ++segment) {
        Bytes file(4096);
        const SegmentHeader header{.segment = near(input, segment),
                                   .file_bytes = near(input, 4096),
                                   .first_sequence = near(input, sequence),
                                   .previous_end = near(input, end),
                                   .previous_chain = chain,
                                   .floor = near(input, 0)};
        chain = format.encode(header, MutByteView(file).first(kSegmentHeaderBytes));
        end = kSegmentHeaderBytes;
        for (std::size_t groups = input.number(1) % 8; groups > 0; --groups) {
            const auto body = input.bytes(input.number(1));
            const std::uint64_t whole = kRecordHeadBytes + padded(body.size());
            if (end + kGroupHeadBytes + whole > file.size()) break;
            const auto offset = static_cast<std::uint32_t>(end + kGroupHeadBytes);
            const RecordHead record{.bytes = static_cast<std::uint32_t>(near(input, body.size())),
                                    .sequence = near(input, sequence),
                                    .mark = input.number(1)};
            std::ranges::copy(
                body, file.begin() + static_cast<std::ptrdiff_t>(offset + kRecordHeadBytes));
            const Checksum sum = format.encode(
                record, segment, offset, body, MutByteView(file).subspan(offset, kRecordHeadBytes));
            const GroupHead head{
                .kind = static_cast<GroupKind>(near(input, 1)),
                .segment = near(input, segment),
                .offset = static_cast<std::uint32_t>(near(input, end)),
                .body_bytes = static_cast<std::uint32_t>(near(input, whole)),
                .records = static_cast<std::uint32_t>(near(input, 1)),
                .first_sequence = near(input, sequence),
                .durable = {near(input, segment), static_cast<std::uint32_t>(near(input, end))},
                .floor = near(input, 0),
                .previous_chain = chain,
                .body = format.checksum_of_heads({&sum, 1})};
            chain = format.encode(head, MutByteView(file).subspan(end, kGroupHeadBytes));
            end += kGroupHeadBytes + whole;
            ++sequence;
        }
        put(disk, segment, file);
    }
    use(disk);
}

void raw_file(Input input) {
    simulon::SimulatedDisk disk(1);
    DRACO_ASSERT(disk.create_directory("log").has_value(), "the disk works");
    put(disk, 0, input.bytes(~std::size_t{0}));
    use(disk);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 4096) return 0;
    const Input input(ByteView(data + 1, size - 1));
    switch (data[0] % 8) {
        case 0:
            raw_file(input);
            break;
        case 1:
        case 2:
            change_bytes(input);
            break;
        default:
            write_segments(input);
    }
    return 0;
}
