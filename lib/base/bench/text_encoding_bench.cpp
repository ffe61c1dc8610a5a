// Encoding and decoding throughput of the text forms.

#include "draco/base/text_encoding.hpp"

#include <benchmark/benchmark.h>

namespace draco {
namespace {

Bytes sample(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 131 + 7);
    return bytes;
}

template <auto Encode>
void encode_bench(benchmark::State& state) {
    const Bytes bytes = sample(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(Encode(bytes));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

template <auto Encode, auto Decode>
void decode_bench(benchmark::State& state) {
    const std::string text = Encode(sample(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) benchmark::DoNotOptimize(Decode(text, kTextDecodeBytesMax));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(encode_bench<to_hex>)->Name("BM_Hex_Encode")->Arg(32)->Arg(4096);
BENCHMARK(decode_bench<to_hex, from_hex>)->Name("BM_Hex_Decode")->Arg(32)->Arg(4096);
BENCHMARK(encode_bench<to_base64url>)->Name("BM_Base64Url_Encode")->Arg(32)->Arg(4096);
BENCHMARK(decode_bench<to_base64url, from_base64url>)
    ->Name("BM_Base64Url_Decode")
    ->Arg(32)
    ->Arg(4096);
BENCHMARK(encode_bench<to_base58>)->Name("BM_Base58_Encode")->Arg(32);
BENCHMARK(decode_bench<to_base58, from_base58>)->Name("BM_Base58_Decode")->Arg(32);

}  // namespace
}  // namespace draco

BENCHMARK_MAIN();
