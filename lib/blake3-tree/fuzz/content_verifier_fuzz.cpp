// Contents of several sizes, sent by an adversary: blocks that are damaged, cut, moved or extended,
// proofs likewise, single and as range proofs. What is accepted must be the true block at the true
// place, and the end and length those of the content.

#include "draco/base/assert.hpp"
#include "draco/blake3_tree/range_proof.hpp"

#include "fuzz_input.hpp"

using namespace draco;
using namespace draco::blake3_tree;

namespace {

struct Content {
    Bytes bytes;
    HashTree tree;

    explicit Content(std::size_t size) : bytes(size), tree(build(bytes)) {}

    ByteView block(std::uint64_t index) const {
        const std::size_t offset = std::min(bytes.size(), index * kBlockBytes);
        return ByteView(bytes).subspan(offset, std::min(kBlockBytes, bytes.size() - offset));
    }

private:
    static HashTree build(Bytes& bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::uint8_t>(i >> 16 ^ i >> 8 ^ i);
        TreeBuilder builder;
        builder.update(bytes);
        return std::move(builder).finish();
    }
};

const Content& content_at(std::size_t which) {
    static const std::array<Content, 6> contents = {Content(0),
                                                    Content(1),
                                                    Content(kBlockBytes),
                                                    Content(kBlockBytes + 1),
                                                    Content(3 * kBlockBytes),
                                                    Content(4 * kBlockBytes + 1000)};
    return contents[which % contents.size()];
}

Bytes block_from(FuzzInput& input, const Content& content, std::uint64_t expected) {
    const std::uint8_t kind = input.byte();
    const std::uint64_t index = kind % 4 == 1 ? input.byte() % 6 : expected;
    Bytes block = to_bytes(content.block(index));
    if (kind % 4 == 2) block.resize(block.size() >> (1 + input.byte() % 18));
    if (kind % 4 == 3) input.damage(block);
    return block;
}

// Runs both verifiers alike: next_block(), verify_block(), content_bytes().
template <class Verifier>
bool offer_block(Verifier& verifier, FuzzInput& input, const Content& content) {
    const std::uint64_t expected = verifier.next_block();
    const Bytes block = block_from(input, content, expected);
    const bool is_accepted = verifier.verify_block(block).has_value();
    if (is_accepted) {
        DRACO_ASSERT(expected < content.tree.leaf_count(), "no block past the end");
        DRACO_ASSERT(equal(block, content.block(expected)), "only the true block is accepted");
    }
    DRACO_ASSERT(verifier.next_block() == expected + (is_accepted ? 1 : 0), "one step at a time");
    const auto length = verifier.content_bytes();
    DRACO_ASSERT(length.has_value() == (is_accepted && expected + 1 == content.tree.leaf_count()) ||
                     !is_accepted,
                 "the length is known at the end only");
    DRACO_ASSERT(!length || *length == content.bytes.size(), "the length is the true one");
    return is_accepted;
}

void run_stream(FuzzInput& input, const Content& content) {
    const std::uint64_t first = input.byte() % 6;
    IncrementalVerifier verifier(content.tree.root(), first);
    for (int step = 0; step < 12 && !input.is_empty(); ++step) {
        const std::uint64_t leaf = verifier.next_block();
        const std::uint8_t kind = input.byte();
        Bytes proof = to_bytes((kind % 2 == 0 ? initial_proof(content.tree.view(), leaf)
                                              : resume_proof(content.tree.view(), leaf))
                                   .bytes());
        if (kind % 5 == 0) input.damage(proof);
        if (kind % 7 == 0) proof = input.take(kind);
        (void)verifier.feed_proof(proof);
        offer_block(verifier, input, content);
    }
}

void run_range(FuzzInput& input, const Content& content) {
    const std::uint64_t first = input.byte() % 6;
    const BlockRange range{.first = first, .end = first + input.byte() % 8};
    auto honest = range_proof(content.tree.view(), range);
    Bytes proof = honest ? *honest : input.take(200);
    const std::uint8_t kind = input.byte();
    if (kind % 3 == 0) input.damage(proof);
    if (kind % 5 == 0) proof = input.take(proof.size());
    auto verifier = RangeVerifier::open(content.tree.root(), range, std::move(proof));
    if (!verifier) return;
    for (int step = 0; step < 12 && !input.is_empty(); ++step) {
        offer_block(*verifier, input, content);
        DRACO_ASSERT(!verifier->is_done() || honest.has_value(), "only real ranges are completed");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input({data, size});
    const std::uint8_t selector = input.byte();
    const Content& content = content_at(selector / 2U);
    if (selector % 2 == 0) {
        run_stream(input, content);
    } else {
        run_range(input, content);
    }
    return 0;
}
