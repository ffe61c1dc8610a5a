#pragma once
// Order-preserving encoding of keys: comparing two encodings as byte strings gives the order of the
// values, different values have different encodings, and none is a prefix of another. So a range of
// keys is a range of bytes, and the keys that share their first fields share their first bytes.
//
//     bool                      1 byte, 00 or 01
//     unsigned integer          big-endian, fixed width
//     signed integer            the same with the sign bit flipped
//     enum, StrongId            its underlying integer
//     FixedBytes, array<u8, N>  the N bytes
//     Bytes, std::string        each 00 as 00 FF, then 00 00
//     optional                  00, or 01 and the value
//     pair, tuple, aggregate    the fields in order, with nothing between
//
// The order is that of operator<=> (for an aggregate: the defaulted one); strings compare as
// unsigned bytes. Character and floating-point types are not keys.
//
// Encoding cannot fail. Decoding takes foreign bytes: Corrupt, with the offset, unless they are
// exactly what encode_key gives for some value. Costs are linear in the bytes.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/base/strong_id.hpp"
#include "draco/bcs/reflect.hpp"
#include "draco/bcs/shape.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace draco::atomo {

// Walks an encoded key. Views given out point into the key.
class KeyReader {
public:
    explicit KeyReader(ByteView key) : key_(key) {}

    // The next `count` bytes; Corrupt if fewer are left.
    Result<ByteView> take(std::size_t count);
    // The next terminated byte string, unescaped.
    Result<Bytes> take_string();
    // Corrupt if bytes are left.
    Result<> finish() const;

    std::unexpected<Error> corrupt(std::string_view what) const;

private:
    ByteView key_;
    std::size_t offset_ = 0;
};

// Appends `text` escaped and terminated.
void append_key_string(Bytes& out, ByteView text);

// How one type is encoded as (part of) a key. A specialisation has
//     static void encode(const T& value, Bytes& out);
//     static Result<> decode(KeyReader& in, T& out);
template <class T>
struct KeyPart;

template <class T>
concept Key = std::default_initializable<T> &&
              requires(const T& value, T& decoded, Bytes& out, KeyReader& in) {
                  { KeyPart<T>::encode(value, out) } -> std::same_as<void>;
                  { KeyPart<T>::decode(in, decoded) } -> std::same_as<Result<>>;
              };

template <Key T>
Bytes encode_key(const T& value) {
    Bytes out;
    KeyPart<T>::encode(value, out);
    return out;
}

template <Key T>
Result<T> decode_key(ByteView key) {
    KeyReader in(key);
    T value{};
    DRACO_TRY_VOID(KeyPart<T>::decode(in, value));
    DRACO_TRY_VOID(in.finish());
    return value;
}

template <>
struct KeyPart<bool> {
    static void encode(bool value, Bytes& out) { out.push_back(value ? 1 : 0); }

    static Result<> decode(KeyReader& in, bool& out) {
        DRACO_TRY(byte, in.take(1));
        if (byte[0] > 1) return in.corrupt("a bool is 0 or 1");
        out = byte[0] == 1;
        return {};
    }
};

namespace detail {

template <class T>
concept KeyInteger = std::same_as<T, std::uint8_t> || std::same_as<T, std::uint16_t> ||
                     std::same_as<T, std::uint32_t> || std::same_as<T, std::uint64_t> ||
                     std::same_as<T, std::int8_t> || std::same_as<T, std::int16_t> ||
                     std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;

}  // namespace detail

template <detail::KeyInteger T>
struct KeyPart<T> {
    using Unsigned = std::make_unsigned_t<T>;
    static constexpr Unsigned kFlip =
        std::signed_integral<T> ? static_cast<Unsigned>(Unsigned{1} << (8 * sizeof(T) - 1)) : 0;

    static void encode(T value, Bytes& out) {
        std::array<std::uint8_t, sizeof(T)> raw;
        store_be(raw.data(), static_cast<Unsigned>(static_cast<Unsigned>(value) ^ kFlip));
        append(out, raw);
    }

    static Result<> decode(KeyReader& in, T& out) {
        DRACO_TRY(raw, in.take(sizeof(T)));
        out = static_cast<T>(load_be<Unsigned>(raw.data()) ^ kFlip);
        return {};
    }
};

template <class T>
    requires std::is_enum_v<T>
struct KeyPart<T> {
    using Integer = std::underlying_type_t<T>;

    static void encode(T value, Bytes& out) {
        KeyPart<Integer>::encode(static_cast<Integer>(value), out);
    }

    static Result<> decode(KeyReader& in, T& out) {
        Integer value{};
        DRACO_TRY_VOID(KeyPart<Integer>::decode(in, value));
        out = static_cast<T>(value);
        return {};
    }
};

template <class Tag, class Rep>
struct KeyPart<StrongId<Tag, Rep>> {
    static void encode(StrongId<Tag, Rep> id, Bytes& out) { KeyPart<Rep>::encode(id.value(), out); }

    static Result<> decode(KeyReader& in, StrongId<Tag, Rep>& out) {
        Rep value{};
        DRACO_TRY_VOID(KeyPart<Rep>::decode(in, value));
        out = StrongId<Tag, Rep>(value);
        return {};
    }
};

template <std::size_t N>
struct KeyPart<std::array<std::uint8_t, N>> {
    static void encode(const std::array<std::uint8_t, N>& value, Bytes& out) { append(out, value); }

    static Result<> decode(KeyReader& in, std::array<std::uint8_t, N>& out) {
        DRACO_TRY(raw, in.take(N));
        std::ranges::copy(raw, out.begin());
        return {};
    }
};

template <class Tag, std::size_t N>
struct KeyPart<FixedBytes<Tag, N>> {
    static void encode(const FixedBytes<Tag, N>& value, Bytes& out) { append(out, value.view()); }

    static Result<> decode(KeyReader& in, FixedBytes<Tag, N>& out) {
        return KeyPart<std::array<std::uint8_t, N>>::decode(in, out.bytes);
    }
};

template <>
struct KeyPart<Bytes> {
    static void encode(const Bytes& value, Bytes& out) { append_key_string(out, value); }

    static Result<> decode(KeyReader& in, Bytes& out) {
        DRACO_TRY(text, in.take_string());
        out = std::move(text);
        return {};
    }
};

template <>
struct KeyPart<std::string> {
    static void encode(const std::string& value, Bytes& out) {
        append_key_string(out, as_bytes(value));
    }

    static Result<> decode(KeyReader& in, std::string& out) {
        DRACO_TRY(text, in.take_string());
        out = as_text(text);
        return {};
    }
};

template <Key T>
struct KeyPart<std::optional<T>> {
    static void encode(const std::optional<T>& value, Bytes& out) {
        out.push_back(value ? 1 : 0);
        if (value) KeyPart<T>::encode(*value, out);
    }

    static Result<> decode(KeyReader& in, std::optional<T>& out) {
        bool present = false;
        DRACO_TRY_VOID(KeyPart<bool>::decode(in, present));
        out.reset();
        return present ? KeyPart<T>::decode(in, out.emplace()) : Result<>{};
    }
};

namespace detail {

template <class... Parts>
void encode_parts(Bytes& out, const Parts&... parts) {
    (KeyPart<Parts>::encode(parts, out), ...);
}

template <class... Parts>
Result<> decode_parts(KeyReader& in, Parts&... parts) {
    Result<> status;
    // Stops at the first part that fails.
    static_cast<void>(((status = KeyPart<Parts>::decode(in, parts)).has_value() && ...));
    return status;
}

}  // namespace detail

template <Key... Parts>
struct KeyPart<std::tuple<Parts...>> {
    static void encode(const std::tuple<Parts...>& value, Bytes& out) {
        std::apply([&](const auto&... parts) { detail::encode_parts(out, parts...); }, value);
    }

    static Result<> decode(KeyReader& in, std::tuple<Parts...>& out) {
        return std::apply([&](auto&... parts) { return detail::decode_parts(in, parts...); }, out);
    }
};

template <Key First, Key Second>
struct KeyPart<std::pair<First, Second>> {
    static void encode(const std::pair<First, Second>& value, Bytes& out) {
        detail::encode_parts(out, value.first, value.second);
    }

    static Result<> decode(KeyReader& in, std::pair<First, Second>& out) {
        return detail::decode_parts(in, out.first, out.second);
    }
};

namespace detail {

template <class T>
concept KeyAggregate = bcs::Aggregate<T> && bcs::kFieldCount<T> > 0 && requires(T& object) {
    bcs::with_fields(object, []<Key... Fields>(Fields&...) {});
};

}  // namespace detail

template <detail::KeyAggregate T>
struct KeyPart<T> {
    static void encode(const T& value, Bytes& out) {
        bcs::with_fields(value,
                         [&](const auto&... fields) { detail::encode_parts(out, fields...); });
    }

    static Result<> decode(KeyReader& in, T& out) {
        return bcs::with_fields(
            out, [&](auto&... fields) { return detail::decode_parts(in, fields...); });
    }
};

}  // namespace draco::atomo
