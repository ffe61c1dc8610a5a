// Each figure is measured against a named peer in the same process, the two interleaved, and the
// median of the per-round ratios is printed as its last word, because the machine is shared.
//     ratio <name>: <value> (target <bound>) peer=<peer>
// The value is our throughput over the peer's, in CPU time.

#include "draco/crypto/ed25519_verifier.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/crypto/sha2.hpp"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace draco::crypto {
namespace {

struct BenchKind {
    static constexpr std::uint8_t kTag = 0;
};

constexpr std::size_t kMessageBytes = 128;

// A signature by each of many keys, as a node sees them.
struct Signed {
    Ed25519PublicKey<BenchKind> key;
    Bytes message;
    Ed25519Signature<BenchKind> signature;
};

const std::vector<Signed>& signatures() {
    static const std::vector<Signed> kSignatures = [] {
        std::vector<Signed> made;
        for (std::uint8_t i = 0; i < 64; ++i) {
            const Ed25519SecretKey<BenchKind> key(Ed25519Seed::make([&](auto out) { out[0] = i; }));
            Bytes message(kMessageBytes, i);
            const auto signature = key.sign(message);
            made.push_back({key.public_key(), std::move(message), signature});
        }
        return made;
    }();
    return kSignatures;
}

void verify_all() {
    for (const Signed& item : signatures())
        if (!verify(item.key, item.message, item.signature)) std::abort();
}

void verify_all_prepared() {
    static const std::vector<Ed25519Verifier<BenchKind>> kVerifiers = [] {
        std::vector<Ed25519Verifier<BenchKind>> made;
        for (const Signed& item : signatures()) made.emplace_back(item.key);
        return made;
    }();
    for (std::size_t i = 0; i < kVerifiers.size(); ++i) {
        const Signed& item = signatures()[i];
        if (!kVerifiers[i].verify(item.message, item.signature)) std::abort();
    }
}

void prepare_all() {
    for (const Signed& item : signatures())
        benchmark::DoNotOptimize(Ed25519Verifier<BenchKind>(item.key));
}

// OpenSSL as a caller of EVP uses it at best: the key parsed once, a context made per message.
void openssl_verify_all() {
    thread_local const std::vector<EVP_PKEY*> kKeys = [] {
        std::vector<EVP_PKEY*> parsed;
        for (const Signed& item : signatures())
            parsed.push_back(EVP_PKEY_new_raw_public_key(
                EVP_PKEY_ED25519, nullptr, item.key.data(), item.key.size()));
        return parsed;
    }();
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
        const Signed& item = signatures()[i];
        EVP_MD_CTX* const context = EVP_MD_CTX_new();
        if (EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, kKeys[i]) != 1 ||
            EVP_DigestVerify(context,
                             item.signature.data(),
                             item.signature.size(),
                             item.message.data(),
                             item.message.size()) != 1)
            std::abort();
        EVP_MD_CTX_free(context);
    }
}

void sign_all() {
    static const Ed25519SecretKey<BenchKind> kKey(Ed25519Seed::make([](auto) {}));
    for (const Signed& item : signatures()) benchmark::DoNotOptimize(kKey.sign(item.message));
}

void openssl_sign_all() {
    static EVP_PKEY* const kKey = [] {
        const std::array<std::uint8_t, 32> seed{};
        return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size());
    }();
    for (const Signed& item : signatures()) {
        EVP_MD_CTX* const context = EVP_MD_CTX_new();
        std::array<std::uint8_t, 64> signature;
        std::size_t size = signature.size();
        if (EVP_DigestSignInit(context, nullptr, nullptr, nullptr, kKey) != 1 ||
            EVP_DigestSign(
                context, signature.data(), &size, item.message.data(), item.message.size()) != 1)
            std::abort();
        EVP_MD_CTX_free(context);
    }
}

constexpr std::size_t kNodes = 4096;

MutByteView nodes() {
    static Bytes bytes(64 * kNodes, 0x5a);
    return bytes;
}

MutByteView digests() {
    static Bytes bytes(32 * kNodes);
    return bytes;
}

void hash_nodes(Sha256Path path) {
    sha256_64_many(nodes().data(), digests().data(), kNodes, path);
    benchmark::ClobberMemory();
}

void hash_nodes_one_by_one() {
    for (std::size_t i = 0; i < kNodes; ++i)
        sha256_64(nodes().data() + 64 * i, digests().data() + 32 * i);
    benchmark::ClobberMemory();
}

void hash_prefixed_nodes() {
    sha256_prefixed_64_many(1, nodes().data(), digests().data(), kNodes);
    benchmark::ClobberMemory();
}

void openssl_hash_nodes() {
    for (std::size_t i = 0; i < kNodes; ++i)
        SHA256(nodes().data() + 64 * i, 64, digests().data() + 32 * i);
    benchmark::ClobberMemory();
}

// The cheapest way OpenSSL 3.0 has: its deprecated context, without the one-shot's dispatch.
void openssl_low_level_hash_nodes() {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    for (std::size_t i = 0; i < kNodes; ++i) {
        SHA256_CTX context;
        SHA256_Init(&context);
        SHA256_Update(&context, nodes().data() + 64 * i, 64);
        SHA256_Final(digests().data() + 32 * i, &context);
    }
#pragma clang diagnostic pop
    benchmark::ClobberMemory();
}

void hash_stream() {
    benchmark::DoNotOptimize(sha256(nodes()));
}

void openssl_hash_stream() {
    SHA256(nodes().data(), nodes().size(), digests().data());
    benchmark::ClobberMemory();
}

void keccak_stream() {
    benchmark::DoNotOptimize(keccak256(nodes()));
}

// The same permutation and rate; only the padding differs.
void openssl_sha3_stream() {
    EVP_Digest(nodes().data(), nodes().size(), digests().data(), nullptr, EVP_sha3_256(), nullptr);
    benchmark::ClobberMemory();
}

double cpu_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Seconds per call, over enough calls for about 10 ms.
double cost(const std::function<void()>& call, double (*now)()) {
    int calls = 0;
    const double start = now();
    double end = start;
    for (; end - start < 0.01; end = now(), ++calls) call();
    return (end - start) / calls;
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

void compare(const char* name,
             const char* target,
             const char* peer,
             const std::function<void()>& ours,
             const std::function<void()>& theirs) {
    constexpr int kRounds = 25;
    std::vector<double> ratios;
    std::vector<double> own_costs;
    for (int round = 0; round < kRounds; ++round) {
        const bool we_start = round % 2 == 0;
        const double first = cost(we_start ? ours : theirs, cpu_seconds);
        const double second = cost(we_start ? theirs : ours, cpu_seconds);
        ratios.push_back(we_start ? second / first : first / second);
        own_costs.push_back(we_start ? first : second);
    }
    std::printf("ratio %s: %.2f (target %s) peer=%s [ours %.1f us per call]\n",
                name,
                median(ratios),
                target,
                peer,
                median(own_costs) * 1e6);
}

struct Rate {
    double per_second;
    double per_cpu_second;
};

// Verifications by a pool of threads, each working on its own share.
Rate pool_rate(std::size_t threads, void (*work)()) {
    constexpr int kBatches = 60;
    const double wall_start = wall_seconds();
    const double cpu_start = cpu_seconds();
    {
        std::vector<std::jthread> pool;
        for (std::size_t i = 0; i < threads; ++i)
            pool.emplace_back([work] {
                for (int batch = 0; batch < kBatches; ++batch) work();
            });
    }
    const double wall = wall_seconds() - wall_start;
    const double cpu = cpu_seconds() - cpu_start;
    const auto count = static_cast<double>(threads * kBatches * signatures().size());
    return {count / wall, count / cpu};
}

void report_pool(std::size_t threads) {
    std::vector<double> per_second;
    std::vector<double> per_cpu_second;
    std::vector<double> ratios;
    for (int round = 0; round < 7; ++round) {
        const Rate ours = pool_rate(threads, verify_all);
        const Rate theirs = pool_rate(threads, openssl_verify_all);
        per_second.push_back(ours.per_second);
        per_cpu_second.push_back(ours.per_cpu_second);
        ratios.push_back(ours.per_cpu_second / theirs.per_cpu_second);
    }
    std::printf("ed25519 verifications, %zu thread(s): %.0f per second, %.0f per CPU second\n",
                threads,
                median(per_second),
                median(per_cpu_second));
    std::printf("ratio ed25519_verify_pool_%zu: %.2f (target >= 1) peer=OpenSSL-EVP\n",
                threads,
                median(ratios));
}

void BM_Secp256k1_Recover(benchmark::State& state) {
    const auto key =
        Secp256k1SecretKey::from_scalar(Secp256k1Scalar::make([](auto out) { out[31] = 7; }));
    const auto digest = keccak256(as_bytes("message"));
    const auto signature = key->sign(digest);
    for (auto _ : state) benchmark::DoNotOptimize(recover_address(digest, signature));
}

BENCHMARK(BM_Secp256k1_Recover);

void BM_Keccak256(benchmark::State& state) {
    const Bytes message(static_cast<std::size_t>(state.range(0)), 1);
    for (auto _ : state) benchmark::DoNotOptimize(keccak256(message));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(BM_Keccak256)->Arg(32)->Arg(64)->Arg(4096);

}  // namespace

void report_ratios() {
    const auto best = [] { hash_nodes(sha256_best_path()); };
    compare("sha256_64_many", ">= 1", "OpenSSL-SHA256()", best, openssl_hash_nodes);
    compare("sha256_64_many_low_level",
            ">= 1",
            "OpenSSL-SHA256_CTX",
            best,
            openssl_low_level_hash_nodes);
    compare("sha256_64",
            ">= 1",
            "OpenSSL-SHA256_CTX",
            hash_nodes_one_by_one,
            openssl_low_level_hash_nodes);
    compare("sha256_prefixed_64_many",
            ">= 1",
            "OpenSSL-SHA256_CTX",
            hash_prefixed_nodes,
            openssl_low_level_hash_nodes);
    compare("sha256_stream_256k", ">= 0.9", "OpenSSL-SHA256()", hash_stream, openssl_hash_stream);
    compare(
        "sha256_64_many_portable",
        "none",
        "our-best-path",
        [] { hash_nodes(Sha256Path::Portable); },
        best);
    compare(
        "keccak256_stream_256k", ">= 0.8", "OpenSSL-SHA3-256", keccak_stream, openssl_sha3_stream);
    compare("ed25519_sign", ">= 1", "OpenSSL-EVP", sign_all, openssl_sign_all);
    compare("ed25519_verify", ">= 1", "OpenSSL-EVP", verify_all, openssl_verify_all);
    compare("ed25519_verify_prepared", ">= 2", "libsodium", verify_all_prepared, verify_all);
    compare("ed25519_prepare", "none", "a libsodium verification", prepare_all, verify_all);
    report_pool(1);
    report_pool(2);
}

}  // namespace draco::crypto

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    draco::crypto::report_ratios();
    return 0;
}
