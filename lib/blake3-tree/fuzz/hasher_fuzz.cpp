// Any input, in any mode, cut into any updates, on any code path, against the naive model.

#include "draco/base/assert.hpp"

#include "../test/naive_model.hpp"

using namespace draco;
using namespace draco::blake3_tree;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const unsigned selector = data[0];
    // A short input is stretched, so that trees of many shapes are cheap to reach: mostly of up to
    // 8 chunks, sometimes of more than a block.
    const std::size_t number = load_le<std::uint16_t>(data + 1);
    const std::size_t length = selector >= 0xF0 ? number * 5 : number % (8 * kChunkBytes + 1);
    const ByteView pattern(data + 3, size - 3);
    Bytes input(length);
    for (std::size_t i = 0; i < length; ++i)
        input[i] = static_cast<std::uint8_t>(pattern[i % pattern.size()] + i / pattern.size());

    auto set = static_cast<InstructionSet>(selector >> 2 & 3);
    if (!is_supported(set)) set = InstructionSet::Portable;
    Mode mode = Mode::plain();
    model::Algorithm algorithm;
    if ((selector & 3) == 1) {
        Key key;
        key.bytes.fill(pattern[0]);
        mode = Mode::keyed(key);
        algorithm = model::keyed(key.view());
    } else if ((selector & 3) == 2) {
        mode = Mode::derive_key(as_text(pattern));
        algorithm = model::derive_key(as_text(pattern));
    }
    Hasher hasher(mode.on(set));
    ByteView rest = input;
    for (std::size_t i = 0; !rest.empty(); ++i) {
        const std::size_t step = std::size_t{pattern[i % pattern.size()]} << (i % 9);
        const std::size_t taken = std::min(rest.size(), step + 1);
        hasher.update(rest.first(taken));
        rest = rest.subspan(taken);
    }
    Bytes out(1 + selector);
    hasher.output().read(out);
    DRACO_ASSERT(out == model::output(algorithm, input, out.size()), "the model's output");
    DRACO_ASSERT(hash(input, mode.on(set)) == hasher.finish(), "one call gives the same");
    return 0;
}
