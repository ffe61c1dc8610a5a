// What a node sends is the input, cut into messages: a download takes them without a crash, keeps
// nothing that does not match the hash, and what comes out is the true content.

#include "draco/base/assert.hpp"
#include "draco/types/session.hpp"

#include "../src/download.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

using namespace draco;
using namespace draco::client;
namespace wire = types::session;

Bytes true_content() {
    Bytes bytes(blake3_tree::kBlockBytes + 3);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
    return bytes;
}

void take(Download& download, const wire::NodeMessage& message) {
    if (const auto* const head = std::get_if<wire::Head>(&message))
        static_cast<void>(download.take_head(head->info));
    if (const auto* const piece = std::get_if<wire::TreePiece>(&message))
        static_cast<void>(download.take_nodes(piece->first, *piece->items));
    if (const auto* const block = std::get_if<wire::Block>(&message))
        static_cast<void>(download.take_block(block->index, block->bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Bytes kContent = true_content();
    static const std::vector<blake3_tree::Hash> kNodes = [] {
        blake3_tree::TreeBuilder builder;
        builder.update(kContent);
        return std::move(builder).finish().take_nodes();
    }();
    ByteView input(data, size);
    const types::ContentHash hash(kNodes.back().bytes);
    Download download(hash, 0, 1U << 30U);
    // True parts among what the input brings, as its bytes say.
    const types::ContentInfo info{.hash = hash, .bytes = kContent.size(), .leaves = 2};
    while (!input.empty()) {
        const std::uint8_t op = input.front();
        input = input.subspan(1);
        const std::uint64_t index = op / 8 % 2;
        const ByteView block = ByteView(kContent).subspan(
            index * blake3_tree::kBlockBytes, index == 0 ? blake3_tree::kBlockBytes : 3);
        if (op % 8 == 0) static_cast<void>(download.take_head(info));
        if (op % 8 == 1) static_cast<void>(download.take_nodes(0, kNodes));
        if (op % 8 == 2) static_cast<void>(download.take_block(index, block));
        if (op % 8 == 3) download.forget();
        if (op % 8 < 4) continue;
        const std::size_t bytes = std::min<std::size_t>(op, input.size());
        if (const auto message = wire::decode_node_message(input.first(bytes)))
            take(download, *message);
        input = input.subspan(bytes);
    }
    for (std::uint64_t next = download.next(); const auto out = download.pop(); ++next) {
        const ByteView expected = ByteView(kContent).subspan(next * blake3_tree::kBlockBytes);
        DRACO_ASSERT(equal(*out, expected.first(std::min(expected.size(), out->size()))),
                     "only the true content comes out");
    }
    return 0;
}
