#pragma once
// Reading values from BCS. decode() in bcs.hpp is the interface; read() is what it is made of.

#include "draco/base/result.hpp"
#include "draco/bcs/shape.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace draco::bcs {

// The meaning of DecodeError::found and ::limit is given for each.
enum class DecodeFault : std::uint8_t {
    EndOfInput,        // the item needs at least `limit` bytes, `found` remain
    TrailingBytes,     // `found` bytes follow the value
    InvalidBool,       // a bool or optional tag is `found`, not 0 or 1
    NonCanonicalUleb,  // a length or tag with redundant zero bytes
    UlebTooLarge,      // a length or tag that does not fit 32 bits
    LengthOverBound,   // `found` elements, at most `limit` allowed
    UnknownVariant,    // variant or enumerator `found` of a type that has `limit` of them
    InvalidUtf8,       // the byte at the offset cannot continue the text
    KeysNotAscending,  // a map key that is equal to or less than the one before it
    NestedTooDeep,     // more than `limit` structs or variants inside each other
};

std::string_view to_string(DecodeFault fault);

// Where and why decoding stopped. Foreign bytes only ever produce this. It becomes an Error with
// code Corrupt where a function that returns Result<T> uses DRACO_TRY on a decode.
struct DecodeError {
    DecodeFault fault;
    std::size_t offset;  // of the first byte of the item at fault
    std::string path;    // "Header.parents[3].signature"
    std::uint64_t found = 0;
    std::uint64_t limit = 0;

    bool operator==(const DecodeError&) const = default;
    operator Error() const;  // NOLINT(google-explicit-constructor): crosses a module boundary
};

// "EndOfInput at byte 37 in Header.parents[3].signature: needs 64 bytes, 3 remain"
std::string to_string(const DecodeError& error);

// A cursor over the input that remembers the first fault. Every method that reads returns false
// from the first fault on and then leaves its output unspecified.
class Decoder {
public:
    explicit Decoder(ByteView input)
        : begin_(input.data()), at_(begin_), end_(begin_ + input.size()) {}

    std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }

    std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

    ByteView since(std::size_t from) const { return {begin_ + from, at_}; }

    // A view of the next `size` bytes, which are then behind the cursor.
    bool bytes(std::size_t size, ByteView& out) {
        if (size > remaining()) [[unlikely]]
            return fail(DecodeFault::EndOfInput, offset(), remaining(), size);
        out = {at_, size};
        at_ += size;
        return true;
    }

    template <Integer T>
    bool integer(T& out) {
        ByteView raw;
        if (!bytes(sizeof(T), raw)) [[unlikely]]
            return false;
        if constexpr (std::endian::native == std::endian::little)
            std::memcpy(&out, raw.data(), sizeof(T));
        else
            for (std::size_t i = sizeof(T); i-- > 0;)
                out = static_cast<T>(static_cast<T>(out << (sizeof(T) > 1 ? 8 : 0)) | raw[i]);
        return true;
    }

    bool boolean(bool& out);

    bool uleb128(std::uint32_t& out) {
        if (at_ != end_ && *at_ < 0x80) [[likely]] {
            out = *at_++;
            return true;
        }
        return long_uleb128(out);
    }

    // Reads a count of at most `count_max` elements that take at least element_bytes_min (> 0)
    // each, so the count is never more than the remaining input can hold.
    bool length(std::size_t count_max, std::size_t element_bytes_min, std::size_t& out);
    // Reads the index of one of `count` alternatives.
    bool alternative(std::uint32_t count, std::uint32_t& out);
    bool text(std::size_t bytes_max, std::string_view& out);
    bool expect_end();

    bool enter() {
        if (depth_ == kDepthMax) [[unlikely]]
            return fail(DecodeFault::NestedTooDeep, offset(), depth_ + 1, kDepthMax);
        ++depth_;
        return true;
    }

    void leave() { --depth_; }

    // Records a fault. Returns false.
    bool fail(DecodeFault fault, std::size_t at, std::uint64_t found = 0, std::uint64_t limit = 0);
    // Add the way to the fault, innermost step first. Return false.
    bool in_field(std::string_view name);
    bool in_element(std::size_t index, std::string_view part = {});
    bool in_alternative(std::string_view type);
    // Precondition: a method returned false.
    DecodeError error(std::string_view root) &&;

private:
    bool long_uleb128(std::uint32_t& out);

    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::uint32_t depth_ = 0;
    DecodeError error_{};
    std::vector<std::string> steps_;  // the path, innermost first
};

template <class T>
bool read(Decoder& in, T& out);

namespace detail {

// What a sequence may allocate before it has read an element. Beyond this, memory grows with the
// bytes consumed: a nested claim of many elements costs little more than the bytes that claim it.
inline constexpr std::size_t kReserveBytesMax = 4096;

template <class T>
bool read_array(Decoder& in, T& out) {
    using Element = typename T::value_type;
    if constexpr (PlainBytes<Element>) {
        ByteView raw;
        if (!in.bytes(sizeof(T) * (out.empty() ? 0 : 1), raw)) [[unlikely]]
            return false;
        if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
    } else {
        for (std::size_t i = 0; i < out.size(); ++i)
            if (!read(in, out[i])) [[unlikely]]
                return in.in_element(i);
    }
    return true;
}

template <class T>
bool read_vector(Decoder& in, std::size_t count_max, T& out) {
    using Element = typename T::value_type;
    static_assert(encoded_bytes_min<Element>() > 0,
                  "the input cannot bound a sequence of elements that take no bytes");
    std::size_t count = 0;
    if (!in.length(count_max, encoded_bytes_min<Element>(), count)) [[unlikely]]
        return false;
    if constexpr (PlainBytes<Element>) {
        ByteView raw;
        if (!in.bytes(count * sizeof(Element), raw)) [[unlikely]]
            return false;
        out.resize(count);
        if (count > 0) std::memcpy(out.data(), raw.data(), raw.size());
    } else {
        out.clear();
        out.reserve(std::min(count, kReserveBytesMax / sizeof(Element) + 1));
        for (std::size_t i = 0; i < count; ++i) {
            Element element{};
            if (!read(in, element)) [[unlikely]]
                return in.in_element(i);
            out.push_back(std::move(element));
        }
    }
    return true;
}

template <class Map>
bool read_map(Decoder& in, std::size_t count_max, Map& out) {
    using Key = typename Map::key_type;
    constexpr std::size_t kEntryBytesMin =
        encoded_bytes_min<Key>() + encoded_bytes_min<typename Map::mapped_type>();
    static_assert(kEntryBytesMin > 0, "the input cannot bound a map whose entries take no bytes");
    std::size_t count = 0;
    if (!in.length(count_max, kEntryBytesMin, count)) [[unlikely]]
        return false;
    out.clear();
    ByteView last_key_bytes;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t key_offset = in.offset();
        Key key{};
        if (!read(in, key)) [[unlikely]]
            return in.in_element(i, "key");
        const ByteView key_bytes = in.since(key_offset);
        const bool ascending =
            i == 0 || std::ranges::lexicographical_compare(last_key_bytes, key_bytes);
        last_key_bytes = key_bytes;
        const auto [entry, inserted] = out.try_emplace(std::move(key));
        if (!ascending || !inserted) [[unlikely]]
            return in.fail(DecodeFault::KeysNotAscending, key_offset) || in.in_element(i, "key");
        if (!read(in, entry->second)) [[unlikely]]
            return in.in_element(i, "value");
    }
    return true;
}

// Reads the kinds that start with a length of at most `count_max`.
template <class T>
bool read_sized(Decoder& in, std::size_t count_max, T& out) {
    if constexpr (Text<T>) {
        std::string_view text;
        if (!in.text(count_max, text)) [[unlikely]]
            return false;
        out = text;
        return true;
    } else if constexpr (std::same_as<T, ByteView>) {
        std::size_t size = 0;
        return in.length(count_max, 1, size) && in.bytes(size, out);
    } else if constexpr (kIs<T, std::vector>) {
        return read_vector(in, count_max, out);
    } else {
        return read_map(in, count_max, out);
    }
}

// Moves the cursor over `count` byte strings of at most `string_bytes_max` bytes.
bool skip_strings(Decoder& in, std::size_t count, std::size_t string_bytes_max);

template <class T>
bool read_bounded(Decoder& in, T& out) {
    auto container = std::move(out).take();
    if (!read_sized(in, T::kSizeMax, container)) [[unlikely]]
        return false;
    out = *T::make(std::move(container));
    return true;
}

template <class T>
bool read_optional(Decoder& in, T& out) {
    bool present = false;
    if (!in.boolean(present)) [[unlikely]]
        return false;
    if (!present) {
        out.reset();
        return true;
    }
    return read(in, out.emplace());
}

template <class T>
bool read_enumerator(Decoder& in, T& out) {
    static_assert(kEnumeratorCount<T> > 0, "enumerators of a BCS enum are 0, 1, 2, ...");
    std::uint32_t index = 0;
    if (!in.alternative(kEnumeratorCount<T>, index)) [[unlikely]]
        return false;
    out = static_cast<T>(index);
    return true;
}

template <class T, std::size_t I>
bool read_alternative(Decoder& in, T& out) {
    using Alternative = std::variant_alternative_t<I, T>;
    return read(in, out.template emplace<I>()) || in.in_alternative(type_name<Alternative>());
}

template <class T>
bool read_variant(Decoder& in, T& out) {
    std::uint32_t index = 0;
    if (!in.enter() || !in.alternative(std::variant_size_v<T>, index)) [[unlikely]]
        return false;
    const bool ok = [&]<std::size_t... I>(std::index_sequence<I...>) {
        bool read_ok = false;
        static_cast<void>(
            ((index == I && (read_ok = read_alternative<T, I>(in, out), true)) || ...));
        return read_ok;
    }(std::make_index_sequence<std::variant_size_v<T>>());
    in.leave();
    return ok;
}

template <class T>
bool read_tuple(Decoder& in, T& out) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return ((read(in, std::get<I>(out)) || in.in_element(I)) && ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>());
}

template <class T>
bool read_aggregate(Decoder& in, T& out) {
    if (!in.enter()) [[unlikely]]
        return false;
    const bool ok = with_fields(out, [&](auto&... field) {
        // NOLINTNEXTLINE(misc-const-correctness): it changes unless there are no fields
        [[maybe_unused]] std::size_t index = 0;
        return ((read(in, field) ? (++index, true) : in.in_field(kFieldNames<T>[index])) && ...);
    });
    in.leave();
    return ok;
}

}  // namespace detail

template <class T>
bool read(Decoder& in, T& out) {
    if constexpr (std::same_as<T, bool>) {
        return in.boolean(out);
    } else if constexpr (Integer<T>) {
        return in.integer(out);
    } else if constexpr (std::is_scoped_enum_v<T>) {
        return detail::read_enumerator(in, out);
    } else if constexpr (detail::kIsStrongId<T>) {
        typename T::Representation value = 0;
        if (!in.integer(value)) [[unlikely]]
            return false;
        out = T(value);
        return true;
    } else if constexpr (detail::kIsFixedBytes<T>) {
        return detail::read_array(in, out.bytes);
    } else if constexpr (detail::kIsArray<T>) {
        return detail::read_array(in, out);
    } else if constexpr (detail::kIsPackedStrings<T>) {
        std::size_t count = 0;
        if (!in.length(T::kCountMax, 1, count)) [[unlikely]]
            return false;
        const std::size_t from = in.offset();
        if (!detail::skip_strings(in, count, T::kStringBytesMax)) [[unlikely]]
            return false;
        const ByteView elements = in.since(from);
        out.encoded_.assign(elements.begin(), elements.end());
        out.count_ = count;
        return true;
    } else if constexpr (detail::kIsBounded<T>) {
        return detail::read_bounded(in, out);
    } else if constexpr (Text<T> || std::same_as<T, ByteView> || detail::kIs<T, std::vector> ||
                         detail::kIs<T, std::map>) {
        return detail::read_sized(in, kLengthMax, out);
    } else if constexpr (detail::kIs<T, std::optional>) {
        return detail::read_optional(in, out);
    } else if constexpr (detail::kIs<T, std::variant>) {
        return detail::read_variant(in, out);
    } else if constexpr (Tuple<T>) {
        return detail::read_tuple(in, out);
    } else if constexpr (std::same_as<T, std::monostate>) {
        return true;
    } else {
        static_assert(Aggregate<T>, "this type has no BCS encoding: see bcs.hpp");
        return detail::read_aggregate(in, out);
    }
}

}  // namespace draco::bcs
