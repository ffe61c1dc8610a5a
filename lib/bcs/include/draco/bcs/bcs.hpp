#pragma once
// Binary Canonical Serialization (BCS, the format of the Move blockchains): every value has exactly
// one encoding, so hashing or signing encoded bytes hashes or signs the value.
//
//   type                                   encoding
//   integers of 8 to 128 bits, StrongId    little-endian, two's complement
//   bool                                   one byte, 0 or 1
//   enum class with values 0, 1, 2, ...    ULEB128 of the value
//   std::string, std::string_view          ULEB128 byte length, UTF-8
//   ByteView                               ULEB128 length, the bytes
//   std::vector<T>                         ULEB128 length, the elements
//   PackedStrings<N, M>                    as a vector of at most M byte strings of at most N bytes
//   std::array<T, N>, FixedBytes           the N elements
//   std::map<K, V>                         ULEB128 length, entries in order of their encoded keys
//   std::optional<T>                       0, or 1 and the value
//   std::variant<Ts...>                    ULEB128 index, the value; std::monostate takes no bytes
//   std::pair, std::tuple, aggregates      the parts in declared order
//   Bounded<Container, N>                  as the container, which has at most N elements
//
// ULEB128 numbers have at most 32 bits and no redundant bytes. ByteView and std::string_view in a
// decoded value point into the input, which must outlive them.
//
// Decoding foreign bytes: one linear pass; accepts exactly the encodings; never reads past the
// input; memory is at most a constant of the type times the bytes consumed, plus 4 KiB for each
// level of nesting; nesting is at most kDepthMax. Where the input allows more than the protocol
// does, say so with Bounded.
//
// Encoding cannot fail. Asserted: a container has at most kLengthMax elements, a value nests at
// most kDepthMax deep. A std::string must be UTF-8 (is_utf8 checks foreign text at the edge): other
// text is written as it is, and refused by every decoder.

#include "draco/bcs/decoder.hpp"
#include "draco/bcs/encoder.hpp"

namespace draco::bcs {

template <class T>
void encode_into(Sink& sink, const T& value) {
    Encoder out(sink);
    write(out, value);
    out.flush();
}

template <class T>
Bytes encode(const T& value) {
    Bytes bytes;
    BytesSink sink(bytes);
    encode_into(sink, value);
    return bytes;
}

template <class T>
std::size_t encoded_size(const T& value) {
    CountingSink sink;
    encode_into(sink, value);
    return sink.count();
}

// The value whose encoding is all of `input`.
template <class T>
Result<T, DecodeError> decode(ByteView input) {
    Decoder in(input);
    T value{};
    if (!read(in, value) || !in.expect_end()) [[unlikely]]
        return std::unexpected(std::move(in).error(type_name<T>()));
    return value;
}

bool is_utf8(std::string_view text);

}  // namespace draco::bcs
