#pragma once
// A database of typed tables (table.hpp) over a Storage, with one writer and any number of readers.
//
//     DRACO_TRY(writer, open_database<NodeSchema>(open_memory_storage()));
//     DRACO_TRY(committed, writer.commit([&](Transaction<NodeSchema>& tx) -> Result<Receipt> {
//         DRACO_TRY(account, tx.get(kAccounts, sender));
//         if (!account) return fail(Errc::NotFound, "no such account");   // nothing is committed
//         DRACO_TRY_VOID(tx.put(kAccounts, sender, debited(*account)));
//         return Receipt{...};
//     }));
//     committed.root;   // of the state just committed, stored in the same atomic batch
//
// Every call that reads or writes takes the table's descriptor; one that is not in the schema does
// not compile. Errors of all reads: Io, or Corrupt where stored bytes are damaged or do not decode.

#include "draco/atomo/engine.hpp"
#include "draco/atomo/key_codec.hpp"
#include "draco/atomo/overlay.hpp"
#include "draco/atomo/state_proof.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/atomo/table.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace draco::atomo {

namespace detail {

// Whether the fields of K (a tuple, pair or aggregate) begin with Fields.
template <class K, class... Fields>
consteval bool begins_with() {
    const auto compare = []<class... All>(const All&...) {
        using Whole = std::tuple<All...>;
        return []<std::size_t... I>(std::index_sequence<I...>) {
            if constexpr (sizeof...(I) > sizeof...(All))
                return std::false_type{};
            else
                return std::bool_constant<(
                    std::same_as<std::tuple_element_t<I, std::tuple<Fields...>>,
                                 std::tuple_element_t<I, Whole>> &&
                    ...)>{};
        }(std::index_sequence_for<Fields...>());
    };
    if constexpr (KeyAggregate<K>)
        return decltype(bcs::with_fields(std::declval<K&>(), compare))::value;
    else if constexpr (requires { std::tuple_size<K>::value; })
        return decltype(std::apply(compare, std::declval<const K&>()))::value;
    else
        return false;
}

// Names the table in the error of a decode.
template <class T, class Value>
Result<Value> in_table(Result<Value> decoded) {
    return std::move(decoded).map_error([](const Error& error) {
        return Error{error.code, "table " + std::string(T::kName) + ": " + error.context};
    });
}

}  // namespace detail

// Which keys of a table: all, those in [from, to), or those that begin with some fields.
template <class K>
class Range {
public:
    static Range all() { return {}; }

    static Range from(const K& key) {
        Range range;
        range.interval_.from = encode_key(key);
        return range;
    }

    static Range below(const K& key) { return all().until(key); }

    static Range between(const K& from_key, const K& to_key) {
        return from(from_key).until(to_key);
    }

    // The keys whose first fields equal these. Only for keys that are tuples, pairs or aggregates.
    template <class... Fields>
    static Range prefix(const Fields&... fields) {
        static_assert(detail::begins_with<K, Fields...>(),
                      "these are not the first fields of the key");
        Range range;
        detail::encode_parts(range.interval_.from, fields...);
        range.interval_.to = KeyInterval::with_prefix(range.interval_.from).to;
        return range;
    }

    // The same keys as storage keys of the table with this id.
    KeyInterval in_table(std::uint8_t id) const {
        const std::uint8_t prefix[] = {id};
        KeyInterval whole = KeyInterval::with_prefix(prefix);
        append(whole.from, interval_.from);
        if (interval_.to) {
            whole.to = Bytes{id};
            append(*whole.to, *interval_.to);
        }
        return whole;
    }

private:
    Range until(const K& key) && {
        interval_.to = encode_key(key);
        return std::move(*this);
    }

    KeyInterval interval_;
};

template <class T>
struct Entry {
    typename T::KeyType key;
    typename T::ValueType value;
};

// Walks a range of table T. Must not outlive the Snapshot or Transaction that it came from.
template <class T>
class Cursor {
public:
    explicit Cursor(MergedCursor cursor) : cursor_(std::move(cursor)) {}

    // The next entry, or nullopt at the end.
    Result<std::optional<Entry<T>>> next() {
        DRACO_TRY(entry, cursor_.next());
        if (!entry) return std::nullopt;
        DRACO_TRY(key, detail::in_table<T>(decode_key<typename T::KeyType>(entry->key.subspan(1))));
        DRACO_TRY(value,
                  detail::in_table<T>(
                      T::CodecType::template decode<typename T::ValueType>(entry->value)));
        return Entry<T>{std::move(key), std::move(value)};
    }

private:
    MergedCursor cursor_;
};

namespace detail {

// The reads that a Snapshot and a Transaction of schema S have in common.
template <class S>
class Reads {
public:
    // The value at `key`, or nullopt.
    template <class T>
        requires(S::template kContains<T>)
    Result<std::optional<typename T::ValueType>> get(T /*table*/,
                                                     const typename T::KeyType& key) const {
        Bytes scratch;
        DRACO_TRY(bytes, find(*version_, overlay_, storage_key<T>(key), scratch));
        if (!bytes) return std::nullopt;
        DRACO_TRY(value, in_table<T>(T::CodecType::template decode<typename T::ValueType>(*bytes)));
        return std::move(value);
    }

    // The values at `keys`, each as get() would give it, in the order of `keys`, which may repeat.
    // Waits for memory and disk overlap: for many keys several times as fast as get().
    template <class T>
        requires(S::template kContains<T>)
    Result<std::vector<std::optional<typename T::ValueType>>> get_many(
        T /*table*/, std::span<const typename T::KeyType> keys) const {
        std::vector<Bytes> storage_keys;
        storage_keys.reserve(keys.size());
        for (const auto& key : keys) storage_keys.push_back(storage_key<T>(key));
        std::vector<std::optional<typename T::ValueType>> values(keys.size());
        const auto visit = [&](std::size_t i, ByteView bytes) -> Result<> {
            DRACO_TRY(value,
                      in_table<T>(T::CodecType::template decode<typename T::ValueType>(bytes)));
            values[i].emplace(std::move(value));
            return {};
        };
        DRACO_TRY_VOID(find_many(*version_, overlay_, storage_keys, visit));
        return values;
    }

    template <class T>
        requires(S::template kContains<T>)
    Result<bool> contains(T /*table*/, const typename T::KeyType& key) const {
        Bytes scratch;
        DRACO_TRY(bytes, find(*version_, overlay_, storage_key<T>(key), scratch));
        return bytes.has_value();
    }

    // The entries of `range` in the order of their keys.
    template <class T>
        requires(S::template kContains<T>)
    Cursor<T> scan(T /*table*/,
                   const Range<typename T::KeyType>& range = Range<typename T::KeyType>::all(),
                   Order order = Order::Ascending) const {
        return Cursor<T>(MergedCursor(*version_, overlay_, range.in_table(T::kId), order));
    }

protected:
    Reads(std::shared_ptr<const Version> version, const Overlay* overlay)
        : version_(std::move(version)), overlay_(overlay) {}

    const Version& base() const { return *version_; }

private:
    std::shared_ptr<const Version> version_;
    const Overlay* overlay_;
};

}  // namespace detail

// One committed state; copies share it. It stays readable, and in the storage, while a copy lives:
// keep it for the length of a task, not of a program. Thread-safe.
template <class S>
class Snapshot : public detail::Reads<S> {
public:
    explicit Snapshot(std::shared_ptr<const Version> version)
        : detail::Reads<S>(std::move(version), nullptr) {}

    std::uint64_t version() const { return this->base().number; }

    const StateRoot& root() const { return this->base().root(); }

    // Below the types, for export_checkpoint.
    const Version& committed() const { return this->base(); }

    // A proof for verify_present or verify_absent against root(), whichever is true of `key`.
    template <class T>
        requires(S::template kContains<T> && T::kAuthenticated == Authenticated::Yes)
    Result<Bytes> prove(T /*table*/, const typename T::KeyType& key) const {
        return this->base().prove(detail::storage_key<T>(key));
    }
};

// A committed state and pending writes on top, which its reads see. Belongs to one thread.
template <class S>
class Transaction : public detail::Reads<S> {
public:
    explicit Transaction(std::shared_ptr<const Version> base)
        : detail::Reads<S>(std::move(base), &overlay_) {}

    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    // InvalidArgument, and nothing is written, if the key or value is over its bound.
    template <class T>
        requires(S::template kContains<T>)
    Result<> put(T /*table*/, const typename T::KeyType& key, const typename T::ValueType& value) {
        return write<T>(key, T::CodecType::encode(value));
    }

    // Removing what is not there is no error. InvalidArgument if the key is over its bound.
    template <class T>
        requires(S::template kContains<T>)
    Result<> remove(T /*table*/, const typename T::KeyType& key) {
        return write<T>(key, std::nullopt);
    }

    const Overlay& pending() const { return overlay_; }

private:
    template <class T>
    Result<> write(const typename T::KeyType& key, std::optional<Bytes> value) {
        Bytes storage_key = detail::storage_key<T>(key);
        DRACO_TRY_VOID(check_bounds(T::kName, storage_key.size() - 1, value ? value->size() : 0));
        overlay_.insert_or_assign(std::move(storage_key), std::move(value));
        return {};
    }

    Overlay overlay_;
};

// Runs on a transaction and says with its Result whether to go through with it.
template <class F, class S>
concept TransactionBody =
    std::invocable<F, Transaction<S>&> &&
    std::derived_from<std::invoke_result_t<F, Transaction<S>&>,
                      typename std::invoke_result_t<F, Transaction<S>&>::Base>;

// The way to the newest state, for any number of threads; copies are equal. May outlive the Writer.
template <class S>
class Reader {
public:
    explicit Reader(std::shared_ptr<const Engine> engine) : engine_(std::move(engine)) {}

    Snapshot<S> snapshot() const { return Snapshot<S>(engine_->latest()); }

    // Runs `body` on the newest state and forgets its writes. Returns what it returns.
    template <TransactionBody<S> F>
    std::invoke_result_t<F, Transaction<S>&> simulate(F&& body) const {
        Transaction<S> transaction(engine_->latest());
        return std::forward<F>(body)(transaction);
    }

private:
    std::shared_ptr<const Engine> engine_;
};

// What a commit led to: the version, its root, and what the body returned.
template <class T>
struct Committed {
    std::uint64_t version;
    StateRoot root;
    T value;
};

template <>
struct Committed<void> {
    std::uint64_t version;
    StateRoot root;
};

// The one writer of an open database. Used by one thread at a time.
template <class S>
class Writer {
public:
    explicit Writer(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

    Writer(Writer&&) noexcept = default;
    Writer& operator=(Writer&&) noexcept = default;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() = default;

    // Runs `body`; if it returns a value, commits its writes, all or none. Errors: what body
    // returned, and then nothing changed; or those of Engine::commit.
    template <TransactionBody<S> F>
    auto commit(F&& body)
        -> Result<Committed<typename std::invoke_result_t<F, Transaction<S>&>::value_type>> {
        using Value = typename std::invoke_result_t<F, Transaction<S>&>::value_type;
        Transaction<S> transaction(engine_->latest());
        auto outcome = std::forward<F>(body)(transaction);
        if (!outcome) return std::unexpected(std::move(outcome).error());
        DRACO_TRY(version, engine_->commit(transaction.pending()));
        if constexpr (std::is_void_v<Value>)
            return Committed<void>{version->number, version->root()};
        else
            return Committed<Value>{version->number, version->root(), *std::move(outcome)};
    }

    // Makes all commits durable, whatever the Durability of the storage.
    Result<> sync() { return engine_->sync(); }

    Reader<S> reader() const { return Reader<S>(engine_); }

private:
    std::shared_ptr<Engine> engine_;
};

// Creates the database in an empty storage, or opens the one there. Errors: those of Engine::open.
template <class S>
Result<Writer<S>> open_database(std::unique_ptr<Storage> storage,
                                StateHash hash = StateHash::Sha256) {
    DRACO_TRY(engine, Engine::open(std::move(storage), S::tables(), hash));
    return Writer<S>(std::move(engine));
}

// To read only, for instance a read-only storage.
template <class S>
Result<Reader<S>> open_reader(std::unique_ptr<Storage> storage,
                              StateHash hash = StateHash::Sha256) {
    DRACO_TRY(engine, Engine::open(std::move(storage), S::tables(), hash));
    return Reader<S>(std::move(engine));
}

}  // namespace draco::atomo
