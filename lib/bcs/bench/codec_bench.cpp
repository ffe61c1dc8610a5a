// Encoding and decoding a header of 100 certificates, beside a hand-written copy of the same fields
// into and out of a buffer: the cost of generality, bounds and canonicality.

#include "draco/bcs/bcs.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>

namespace draco::bcs {
namespace {

struct DigestTag;
using Digest = FixedBytes<DigestTag, 32>;
struct SignatureTag;
using Signature = FixedBytes<SignatureTag, 64>;

struct Certificate {
    std::uint64_t round = 0;
    std::uint16_t author = 0;
    Digest digest;
    Signature signature;
    std::vector<std::uint64_t> voters;
};

struct Header {
    std::uint64_t epoch = 0;
    std::uint64_t round = 0;
    Bounded<std::vector<Certificate>, 128> parents;
};

Header sample() {
    std::vector<Certificate> parents(100);
    for (std::size_t i = 0; i < parents.size(); ++i) {
        parents[i].round = i;
        parents[i].author = static_cast<std::uint16_t>(i);
        parents[i].voters = {i, i + 1};
    }
    return {1, 2, decltype(Header::parents)::make(std::move(parents)).value()};
}

// The peer: what a programmer would write by hand for this one type, with the same format.
void put(Bytes& out, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    out.insert(out.end(), bytes, bytes + size);
}

Bytes encode_by_hand(const Header& header) {
    Bytes out;
    put(out, &header.epoch, 8);
    put(out, &header.round, 8);
    out.push_back(static_cast<std::uint8_t>(header.parents->size()));
    for (const Certificate& parent : *header.parents) {
        put(out, &parent.round, 8);
        put(out, &parent.author, 2);
        put(out, parent.digest.data(), 32);
        put(out, parent.signature.data(), 64);
        out.push_back(static_cast<std::uint8_t>(parent.voters.size()));
        put(out, parent.voters.data(), parent.voters.size() * 8);
    }
    return out;
}

bool get(ByteView& in, void* data, std::size_t size) {
    if (in.size() < size) return false;
    std::memcpy(data, in.data(), size);
    in = in.subspan(size);
    return true;
}

bool decode_by_hand(ByteView in, Header& header) {
    std::uint8_t count = 0;
    if (!get(in, &header.epoch, 8) || !get(in, &header.round, 8) || !get(in, &count, 1))
        return false;
    std::vector<Certificate> parents(count);
    for (Certificate& parent : parents) {
        std::uint8_t voters = 0;
        if (!get(in, &parent.round, 8) || !get(in, &parent.author, 2) ||
            !get(in, parent.digest.data(), 32) || !get(in, parent.signature.data(), 64) ||
            !get(in, &voters, 1))
            return false;
        parent.voters.resize(voters);
        if (!get(in, parent.voters.data(), parent.voters.size() * 8)) return false;
    }
    header.parents = decltype(header.parents)::make(std::move(parents)).value();
    return in.empty();
}

void set_bytes(benchmark::State& state, const Bytes& bytes) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void BM_Header_Encode(benchmark::State& state) {
    const Header header = sample();
    for (auto _ : state) benchmark::DoNotOptimize(encode(header));
    set_bytes(state, encode(header));
}

void BM_Header_EncodeByHand(benchmark::State& state) {
    const Header header = sample();
    for (auto _ : state) benchmark::DoNotOptimize(encode_by_hand(header));
    set_bytes(state, encode(header));
}

void BM_Header_Decode(benchmark::State& state) {
    const Bytes bytes = encode(sample());
    for (auto _ : state) benchmark::DoNotOptimize(decode<Header>(bytes));
    set_bytes(state, bytes);
}

void BM_Header_DecodeByHand(benchmark::State& state) {
    const Bytes bytes = encode(sample());
    for (auto _ : state) {
        Header header;
        benchmark::DoNotOptimize(decode_by_hand(bytes, header));
        benchmark::DoNotOptimize(header);
    }
    set_bytes(state, bytes);
}

BENCHMARK(BM_Header_Encode);
BENCHMARK(BM_Header_EncodeByHand);
BENCHMARK(BM_Header_Decode);
BENCHMARK(BM_Header_DecodeByHand);

std::int64_t cpu_ns(const std::function<void()>& work) {
    timespec before{};
    timespec after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int i = 0; i < 300; ++i) work();
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (after.tv_sec - before.tv_sec) * 1'000'000'000 + after.tv_nsec - before.tv_nsec;
}

// Runs both in turn and prints the ratio of their median CPU times.
void print_ratio(const char* name,
                 const std::function<void()>& ours,
                 const std::function<void()>& peer) {
    std::vector<std::int64_t> ours_ns;
    std::vector<std::int64_t> peer_ns;
    for (int i = 0; i < 101; ++i) {
        ours_ns.push_back(cpu_ns(ours));
        peer_ns.push_back(cpu_ns(peer));
    }
    std::ranges::sort(ours_ns);
    std::ranges::sort(peer_ns);
    std::printf("ratio %s: %.2f (target <= 2.0) peer=hand-written copy of the same fields\n",
                name,
                static_cast<double>(ours_ns[50]) / static_cast<double>(peer_ns[50]));
}

}  // namespace
}  // namespace draco::bcs

int main(int argc, char** argv) {
    using namespace draco::bcs;
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    const Header header = sample();
    const draco::Bytes bytes = encode(header);
    if (bytes != encode_by_hand(header)) {
        std::puts("the peer writes another format: the ratios would mean nothing");
        return 1;
    }
    print_ratio(
        "bcs encode CPU",
        [&] { benchmark::DoNotOptimize(encode(header)); },
        [&] { benchmark::DoNotOptimize(encode_by_hand(header)); });
    print_ratio(
        "bcs decode CPU",
        [&] { benchmark::DoNotOptimize(decode<Header>(bytes)); },
        [&] {
            Header decoded;
            benchmark::DoNotOptimize(decode_by_hand(bytes, decoded));
            benchmark::DoNotOptimize(decoded);
        });
    return 0;
}
