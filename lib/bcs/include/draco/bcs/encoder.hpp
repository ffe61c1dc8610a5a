#pragma once
// Writing values as BCS. encode() and its siblings in bcs.hpp are the interface; write() is what
// they share.

#include "draco/base/assert.hpp"
#include "draco/bcs/shape.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace draco::bcs {

// Where encoded bytes go: a buffer, a counter, a hash state. Called with pieces of any size, in
// order.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void write(ByteView bytes) = 0;
};

class BytesSink final : public Sink {
public:
    explicit BytesSink(Bytes& out) : out_(out) {}

    void write(ByteView bytes) override { append(out_, bytes); }

private:
    Bytes& out_;
};

class CountingSink final : public Sink {
public:
    void write(ByteView bytes) override { count_ += bytes.size(); }

    std::size_t count() const { return count_; }

private:
    std::size_t count_ = 0;
};

// Gathers small writes before they reach the sink. flush() ends the encoding.
class Encoder {
public:
    explicit Encoder(Sink& sink) : sink_(sink) {}

    void bytes(const void* data, std::size_t size) {
        if (size > sizeof(buffer_) - used_) [[unlikely]]
            return overflow(static_cast<const std::uint8_t*>(data), size);
        if (size > 0) std::memcpy(buffer_ + used_, data, size);
        used_ += size;
    }

    template <Integer T>
    void integer(T value) {
        std::uint8_t raw[sizeof(T)];
        for (std::size_t i = 0; i < sizeof(T); ++i)
            raw[i] = static_cast<std::uint8_t>(value >> (8 * i));
        bytes(raw, sizeof(T));
    }

    void uleb128(std::uint32_t value);
    void length(std::size_t count);

    void enter() {
        ++depth_;
        DRACO_ASSERT(depth_ <= kDepthMax, "a value to encode nests at most kDepthMax structs deep");
    }

    void leave() { --depth_; }

    void flush();

private:
    void overflow(const std::uint8_t* data, std::size_t size);

    Sink& sink_;
    std::uint32_t depth_ = 0;
    std::size_t used_ = 0;
    std::uint8_t buffer_[512];
};

template <class T>
void write(Encoder& out, const T& value);

namespace detail {

template <class T>
void write_elements(Encoder& out, const T& sequence) {
    using Element = typename T::value_type;
    if constexpr (PlainBytes<Element>) {
        out.bytes(sequence.data(), sequence.size() * sizeof(Element));
    } else {
        for (const Element& element : sequence) write(out, element);
    }
}

// Canonical order is that of the encoded keys, which differs from the map's own: little-endian 256
// comes before 1.
template <class Map>
void write_map(Encoder& out, const Map& map) {
    std::vector<std::pair<Bytes, const typename Map::mapped_type*>> entries;
    entries.reserve(map.size());
    for (const auto& [key, value] : map) {
        Bytes key_bytes;
        BytesSink sink(key_bytes);
        Encoder key_out(sink);
        write(key_out, key);
        key_out.flush();
        entries.emplace_back(std::move(key_bytes), &value);
    }
    std::ranges::sort(entries, {}, [](const auto& entry) -> const Bytes& { return entry.first; });
    out.length(entries.size());
    for (const auto& [key_bytes, value] : entries) {
        out.bytes(key_bytes.data(), key_bytes.size());
        write(out, *value);
    }
}

template <class T>
void write_variant(Encoder& out, const T& variant) {
    out.enter();
    DRACO_ASSERT(!variant.valueless_by_exception(), "a variant to encode holds a value");
    out.uleb128(static_cast<std::uint32_t>(variant.index()));
    std::visit([&](const auto& value) { write(out, value); }, variant);
    out.leave();
}

template <class Enum>
void write_enumerator(Encoder& out, Enum value) {
    static_assert(kEnumeratorCount<Enum> > 0, "enumerators of a BCS enum are 0, 1, 2, ...");
    const auto index = static_cast<std::uint32_t>(value);
    DRACO_ASSERT(index < kEnumeratorCount<Enum>, "enumerators of a BCS enum are 0, 1, 2, ...");
    out.uleb128(index);
}

template <class T>
inline constexpr bool kUnsupported = false;

}  // namespace detail

template <class T>
void write(Encoder& out, const T& value) {
    if constexpr (std::same_as<T, bool>) {
        out.integer(static_cast<std::uint8_t>(value ? 1 : 0));
    } else if constexpr (Integer<T>) {
        out.integer(value);
    } else if constexpr (std::is_scoped_enum_v<T>) {
        detail::write_enumerator(out, value);
    } else if constexpr (detail::kIsStrongId<T>) {
        out.integer(value.value());
    } else if constexpr (detail::kIsFixedBytes<T>) {
        out.bytes(value.data(), value.size());
    } else if constexpr (detail::kIsArray<T>) {
        detail::write_elements(out, value);
    } else if constexpr (detail::kIsBounded<T>) {
        write(out, *value);
    } else if constexpr (detail::kIsPackedStrings<T>) {
        out.length(value.size());
        out.bytes(value.encoded_elements().data(), value.encoded_elements().size());
    } else if constexpr (Text<T> || std::same_as<T, ByteView>) {
        out.length(value.size());
        out.bytes(value.data(), value.size());
    } else if constexpr (detail::kIs<T, std::vector>) {
        out.length(value.size());
        detail::write_elements(out, value);
    } else if constexpr (detail::kIs<T, std::map>) {
        detail::write_map(out, value);
    } else if constexpr (detail::kIs<T, std::optional>) {
        out.integer(static_cast<std::uint8_t>(value ? 1 : 0));
        if (value) write(out, *value);
    } else if constexpr (detail::kIs<T, std::variant>) {
        detail::write_variant(out, value);
    } else if constexpr (Tuple<T>) {
        std::apply([&](const auto&... element) { (write(out, element), ...); }, value);
    } else if constexpr (std::same_as<T, std::monostate>) {
    } else if constexpr (Aggregate<T>) {
        out.enter();
        with_fields(value, [&](const auto&... field) { (write(out, field), ...); });
        out.leave();
    } else {
        static_assert(detail::kUnsupported<T>, "this type has no BCS encoding: see bcs.hpp");
    }
}

}  // namespace draco::bcs
