#include "draco/base/assert.hpp"
#include "draco/blake3_tree/hasher.hpp"

#include "kernel.hpp"

namespace draco::blake3_tree {
namespace {

const Kernel* kernel_of(InstructionSet set) {
    switch (set) {
        case InstructionSet::Portable:
            return &kPortableKernel;
        case InstructionSet::Sse41:
            return &kSse41Kernel;
        case InstructionSet::Avx2:
            return &kAvx2Kernel;
        case InstructionSet::Avx512:
            return &kAvx512Kernel;
    }
    return &kPortableKernel;
}

std::array<std::uint32_t, 8> words_of(const std::uint8_t* bytes) {
    std::array<std::uint32_t, 8> words{};
    for (std::size_t i = 0; i < 8; ++i) words[i] = load_le<std::uint32_t>(bytes + 4 * i);
    return words;
}

}  // namespace

bool is_supported(InstructionSet set) {
    switch (set) {
        case InstructionSet::Portable:
            return true;
        case InstructionSet::Sse41:
            return __builtin_cpu_supports("sse4.1") != 0;
        case InstructionSet::Avx2:
            return __builtin_cpu_supports("avx2") != 0;
        case InstructionSet::Avx512:
            return __builtin_cpu_supports("avx512f") != 0 &&
                   __builtin_cpu_supports("avx512vl") != 0;
    }
    return false;
}

InstructionSet best_instruction_set() {
    for (const auto set : {InstructionSet::Avx512, InstructionSet::Avx2, InstructionSet::Sse41})
        if (is_supported(set)) return set;
    return InstructionSet::Portable;
}

const Mode& Mode::plain() {
    static const Mode kMode = {
        .key_words = std::to_array(kIv), .flags = 0, .kernel = kernel_of(best_instruction_set())};
    return kMode;
}

Mode Mode::keyed(const Key& key) {
    return {.key_words = words_of(key.data()), .flags = kKeyedHash, .kernel = plain().kernel};
}

Mode Mode::derive_key(std::string_view context) {
    Mode context_mode = plain();
    context_mode.flags = kDeriveKeyContext;
    const Hash context_key = hash(as_bytes(context), context_mode);
    return {.key_words = words_of(context_key.data()),
            .flags = kDeriveKeyMaterial,
            .kernel = plain().kernel};
}

Mode Mode::on(InstructionSet set) const {
    DRACO_ASSERT(is_supported(set), "this processor has the instructions");
    Mode mode = *this;
    mode.kernel = kernel_of(set);
    return mode;
}

}  // namespace draco::blake3_tree
