#pragma once
// Where things lie in the storage. The first byte of a key says what it is: 1..kTableIdMax an entry
// of that table, kPageSpace a page of the state tree, kMetaSpace a record about the database.

#include "draco/atomo/state_proof.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/atomo/table.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/page_store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace draco::atomo {

inline constexpr std::uint8_t kPageSpace = 0xFE;
inline constexpr std::uint8_t kMetaSpace = 0xFF;
inline constexpr std::array<std::uint8_t, 2> kSchemaKey{kMetaSpace, 1};
inline constexpr std::array<std::uint8_t, 2> kStateKey{kMetaSpace, 2};

// The storage key of a page: kPageSpace and the page's id.
class PageKey {
public:
    explicit PageKey(const sparse_merkle::PageId& id);

    ByteView view() const { return {bytes_.data(), size_}; }

private:
    std::array<std::uint8_t, 1 + sparse_merkle::PageId::kBytesMax> bytes_{kPageSpace};
    std::size_t size_;
};

// Written when a table is added.
struct SchemaRecord {
    std::uint8_t format = 1;
    std::vector<TableInfo> tables{};  // ascending by id
};

enum class StatePhase : std::uint8_t {
    Ready,
    Loading,     // a checkpoint load began and did not end: the entries are incomplete
    Rebuilding,  // a rebuild began and did not end: the entries are whole, the tree is not
};

// Written with every commit, in the same batch.
struct StateRecord {
    std::uint8_t format = 1;
    StatePhase phase = StatePhase::Ready;
    StateHash hash = StateHash::Sha256;
    std::uint64_t version = 0;
    StateRoot root{};
};

Bytes encode_schema(const SchemaRecord& record);
Bytes encode_state(const StateRecord& record);
// Corrupt unless ids ascend and are in range, and names are unique and of the right length.
Result<> check_tables(std::span<const TableInfo> tables);
Result<SchemaRecord> decode_schema(ByteView bytes);
Result<StateRecord> decode_state(ByteView bytes);

// nullopt in a storage that was never opened as a database.
Result<std::optional<SchemaRecord>> read_schema(const StorageSnapshot& storage);
Result<std::optional<StateRecord>> read_state(const StorageSnapshot& storage);

}  // namespace draco::atomo
