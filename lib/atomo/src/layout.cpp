#include "layout.hpp"

#include "draco/bcs/bcs.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace draco::atomo {
namespace {

template <class Record>
Result<Record> decode_record(std::string_view name, ByteView bytes) {
    auto record = bcs::decode<Record>(bytes);
    if (!record)
        return fail(Errc::Corrupt,
                    "the " + std::string(name) + " record: " + Error(record.error()).context);
    if (record->format != Record{}.format)
        return fail(Errc::Corrupt,
                    "the " + std::string(name) + " record has format " +
                        std::to_string(record->format) + "; this build reads " +
                        std::to_string(Record{}.format));
    return *std::move(record);
}

template <class Record>
Result<std::optional<Record>> read_record(const StorageSnapshot& storage,
                                          ByteView key,
                                          Result<Record> (*decode)(ByteView)) {
    Bytes scratch;
    DRACO_TRY(bytes, storage.get(key, scratch));
    if (!bytes) return std::nullopt;
    DRACO_TRY(record, decode(*bytes));
    return std::move(record);
}

}  // namespace

PageKey::PageKey(const sparse_merkle::PageId& id) : size_(1 + id.view().size()) {
    std::ranges::copy(id.view(), bytes_.begin() + 1);
}

Bytes encode_schema(const SchemaRecord& record) {
    return bcs::encode(record);
}

Bytes encode_state(const StateRecord& record) {
    return bcs::encode(record);
}

Result<SchemaRecord> decode_schema(ByteView bytes) {
    DRACO_TRY(record, decode_record<SchemaRecord>("schema", bytes));
    DRACO_TRY_VOID(check_tables(record.tables));
    return std::move(record);
}

Result<> check_tables(std::span<const TableInfo> tables) {
    std::vector<std::string_view> names;
    int last_id = 0;
    for (const TableInfo& table : tables) {
        if (table.id <= last_id || table.id > kTableIdMax)
            return fail(Errc::Corrupt,
                        "a schema with table id " + std::to_string(table.id) + " after " +
                            std::to_string(last_id) + "; ids ascend from 1 to " +
                            std::to_string(kTableIdMax));
        if (table.name.empty() || table.name.size() > kTableNameBytesMax)
            return fail(Errc::Corrupt,
                        "a schema whose table " + std::to_string(table.id) + " has a name of " +
                            std::to_string(table.name.size()) + " bytes, not 1 to " +
                            std::to_string(kTableNameBytesMax));
        last_id = table.id;
        names.emplace_back(table.name);
    }
    std::ranges::sort(names);
    if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
        return fail(Errc::Corrupt, "a schema with two tables called " + std::string(*twice));
    return {};
}

Result<StateRecord> decode_state(ByteView bytes) {
    return decode_record<StateRecord>("state", bytes);
}

Result<std::optional<SchemaRecord>> read_schema(const StorageSnapshot& storage) {
    return read_record<SchemaRecord>(storage, kSchemaKey, decode_schema);
}

Result<std::optional<StateRecord>> read_state(const StorageSnapshot& storage) {
    return read_record<StateRecord>(storage, kStateKey, decode_state);
}

}  // namespace draco::atomo
