#pragma once
// A ledger as three std::maps, and transactions drawn from a byte string that are run on a database
// and on the maps alike. Every read is compared on the way.

#include "draco/atomo/memory_storage.hpp"

#include "ledger.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace draco::atomo {

// Decisions, one byte each; zeros at the end.
class Decisions {
public:
    explicit Decisions(ByteView bytes) : bytes_(bytes) {}

    bool empty() const { return next_ >= bytes_.size(); }

    std::uint8_t below(std::uint8_t bound) {
        return static_cast<std::uint8_t>((empty() ? 0 : bytes_[next_++]) % bound);
    }

private:
    ByteView bytes_;
    std::size_t next_ = 0;
};

struct LedgerModel {
    std::map<Address, Account> accounts;
    std::map<Position, std::uint32_t> positions;
    std::map<std::string, Bytes> cache;

    bool operator==(const LedgerModel&) const = default;

    auto& of(const std::remove_const_t<decltype(kAccounts)>&) { return accounts; }

    auto& of(const std::remove_const_t<decltype(kPositions)>&) { return positions; }

    auto& of(const std::remove_const_t<decltype(kCache)>&) { return cache; }

    std::size_t size() const { return accounts.size() + positions.size() + cache.size(); }
};

// What a database holds, by scanning.
inline Result<LedgerModel> read_all(const detail::Reads<Ledger>& reads) {
    LedgerModel model;
    const auto read = [&](auto table) -> Result<> {
        auto cursor = reads.scan(table);
        while (true) {
            DRACO_TRY(entry, cursor.next());
            if (!entry) return {};
            model.of(table).emplace(entry->key, entry->value);
        }
    };
    DRACO_TRY_VOID(read(kAccounts));
    DRACO_TRY_VOID(read(kPositions));
    DRACO_TRY_VOID(read(kCache));
    return model;
}

// The root that a new database has after one commit of all of `model`.
inline StateRoot root_of(const LedgerModel& model, StateHash hash = StateHash::Sha256) {
    auto writer = *open_database<Ledger>(open_memory_storage(), hash);
    const auto committed = writer.commit([&](Transaction<Ledger>& tx) -> Result<> {
        for (const auto& [key, value] : model.accounts)
            DRACO_TRY_VOID(tx.put(kAccounts, key, value));
        for (const auto& [key, value] : model.positions)
            DRACO_TRY_VOID(tx.put(kPositions, key, value));
        return {};
    });
    return committed->root;
}

inline Address draw(Decisions& decide, Address) {
    return address(decide.below(24));
}

inline Position draw(Decisions& decide, const Position&) {
    return {std::string(decide.below(3), 'm'), Height(decide.below(6))};
}

inline std::string draw(Decisions& decide, const std::string&) {
    return std::string(decide.below(3), static_cast<char>(decide.below(2)));
}

inline Account draw(Decisions& decide, const Account&) {
    return {decide.below(4), decide.below(2), std::string(decide.below(9) == 0 ? 3000 : 2, 'n')};
}

inline std::uint32_t draw(Decisions& decide, std::uint32_t) {
    return decide.below(5);
}

inline Bytes draw(Decisions& decide, const Bytes&) {
    return Bytes(decide.below(9) == 0 ? 5000 : 3, decide.below(4));
}

// One put, remove or get on `table`. An Io error comes through; a difference is Corrupt.
template <class T>
Result<> run_operation(T table, Transaction<Ledger>& tx, LedgerModel& model, Decisions& decide) {
    auto& expected = model.of(table);
    const auto key = draw(decide, typename T::KeyType{});
    switch (decide.below(4)) {
        case 0:
            expected.erase(key);
            return tx.remove(table, key);
        case 1: {
            DRACO_TRY(found, tx.get(table, key));
            const auto it = expected.find(key);
            if (found.has_value() != (it != expected.end()) || (found && !(*found == it->second)))
                return fail(Errc::Corrupt,
                            "get differs from the model in " + std::string(T::kName));
            return {};
        }
        default: {
            const auto value = draw(decide, typename T::ValueType{});
            expected.insert_or_assign(key, value);
            return tx.put(table, key, value);
        }
    }
}

// Some operations, then a comparison of everything.
inline Result<> run_transaction(Transaction<Ledger>& tx, LedgerModel& model, Decisions& decide) {
    for (int operations = 1 + decide.below(12); operations > 0; --operations) {
        switch (decide.below(3)) {
            case 0:
                DRACO_TRY_VOID(run_operation(kAccounts, tx, model, decide));
                break;
            case 1:
                DRACO_TRY_VOID(run_operation(kPositions, tx, model, decide));
                break;
            default:
                DRACO_TRY_VOID(run_operation(kCache, tx, model, decide));
        }
    }
    DRACO_TRY(all, read_all(tx));
    if (all != model) return fail(Errc::Corrupt, "the transaction's scans differ from the model");
    return {};
}

// One commit, abort or simulation; `model` becomes what the database should hold. Only a commit
// returns a Committed.
inline Result<std::optional<Committed<void>>> run_step(Writer<Ledger>& writer,
                                                       LedgerModel& model,
                                                       Decisions& decide) {
    LedgerModel next = model;
    const auto body = [&](Transaction<Ledger>& tx) { return run_transaction(tx, next, decide); };
    switch (decide.below(6)) {
        case 0:
            DRACO_TRY_VOID(writer.reader().simulate(body));
            return std::nullopt;
        case 1: {
            const auto aborted = writer.commit([&](Transaction<Ledger>& tx) -> Result<> {
                DRACO_TRY_VOID(body(tx));
                return fail(Errc::Abandoned, "planned abort");
            });
            if (aborted.error().code != Errc::Abandoned) return std::unexpected(aborted.error());
            return std::nullopt;
        }
        default: {
            DRACO_TRY(committed, writer.commit(body));
            model = std::move(next);
            return committed;
        }
    }
}

}  // namespace draco::atomo
