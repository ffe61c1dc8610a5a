#include "draco/sparse_merkle/proof.hpp"

#include "hash_schedule.hpp"
#include "key_bits.hpp"
#include "proof_encoding.hpp"

#include <bit>
#include <string>

namespace draco::sparse_merkle {
namespace {

constexpr std::uint8_t kProofVersion = 1;
constexpr std::size_t kProofHeaderBytes = 4;
constexpr std::size_t kLeafBytes = Key::kSize + ValueHash::kSize;

std::unexpected<Error> corrupt(std::size_t offset, const char* what) {
    return fail(Errc::Corrupt,
                std::string("Merkle proof: ") + what + " at offset " + std::to_string(offset) +
                    "; discard it");
}

// A well-formed proof, as views into its bytes.
struct Parsed {
    ProofKind kind;
    unsigned depth;
    ByteView bitmap;
    ByteView siblings;
    ByteView other_leaf;
};

std::size_t count_bits(ByteView bitmap) {
    std::size_t count = 0;
    for (const std::uint8_t byte : bitmap) count += static_cast<std::size_t>(std::popcount(byte));
    return count;
}

Result<Parsed> parse(ByteView proof) {
    if (proof.size() < kProofHeaderBytes) return corrupt(proof.size(), "the header is cut short");
    if (proof[0] != kProofVersion) return corrupt(0, "unknown version");
    if (proof[1] > static_cast<std::uint8_t>(ProofKind::AbsentOther))
        return corrupt(1, "unknown kind");
    Parsed parsed{static_cast<ProofKind>(proof[1]), load_le<std::uint16_t>(&proof[2]), {}, {}, {}};
    if (parsed.depth > kKeyBits) return corrupt(2, "a slot deeper than 256");

    const std::size_t bitmap_bytes = (parsed.depth + std::size_t{7}) / 8;
    if (proof.size() < kProofHeaderBytes + bitmap_bytes)
        return corrupt(proof.size(), "the bitmap is cut short");
    parsed.bitmap = proof.subspan(kProofHeaderBytes, bitmap_bytes);
    // The slot's own sibling has leaves, or the slot would be higher up.
    if (parsed.depth > 0 &&
        std::bit_width(parsed.bitmap.back()) != static_cast<int>((parsed.depth - 1) % 8 + 1))
        return corrupt(kProofHeaderBytes + bitmap_bytes - 1, "the bitmap does not end at the slot");

    const std::size_t sibling_bytes = Digest::kSize * count_bits(parsed.bitmap);
    const std::size_t leaf_bytes = parsed.kind == ProofKind::AbsentOther ? kLeafBytes : 0;
    const std::size_t size = kProofHeaderBytes + bitmap_bytes + sibling_bytes + leaf_bytes;
    if (proof.size() < size) return corrupt(proof.size(), "the proof is cut short");
    if (proof.size() > size) return corrupt(size, "bytes after the end");
    parsed.siblings = proof.subspan(kProofHeaderBytes + bitmap_bytes, sibling_bytes);
    parsed.other_leaf = proof.last(leaf_bytes);
    return parsed;
}

// Folds the siblings into `node`, the digest of the slot, and compares with the root. `node` takes
// the place of the left or right half of each message, so that no digest is copied twice.
template <NodeHash H>
Result<void> check_root(const Digest& root, const Key& key, Digest node, const Parsed& proof) {
    std::size_t used = 0;
    std::array<std::uint8_t, kNodeBytes> message;
    for (unsigned depth = proof.depth; depth-- > 0;) {
        const bool is_right = key_bit(key, depth);
        std::uint8_t* sibling = &message[is_right ? 0 : Digest::kSize];
        std::ranges::copy(node.bytes, &message[is_right ? Digest::kSize : 0]);
        if (((proof.bitmap[depth / 8] >> (depth % 8)) & 1) == 0) {
            std::fill_n(sibling, Digest::kSize, std::uint8_t{0});
        } else {
            std::copy_n(&proof.siblings[used], Digest::kSize, sibling);
            if (kEmptyDigest == Digest(std::span<const std::uint8_t, 32>(sibling, 32)))
                return corrupt(kProofHeaderBytes + proof.bitmap.size() + used,
                               "an empty sibling is listed");
            used += Digest::kSize;
        }
        H::hash_inner(message.data(), node.data(), 1);
    }
    if (node != root)
        return fail(Errc::Corrupt,
                    "Merkle proof: it leads to another root; discard it, or ask for one against "
                    "this root");
    return {};
}

}  // namespace

template <NodeHash H>
Result<void> verify_membership(const Digest& root,
                               const Key& key,
                               const ValueHash& value_hash,
                               ByteView proof) {
    DRACO_TRY(parsed, parse(proof));
    if (parsed.kind != ProofKind::Present)
        return fail(Errc::InvalidArgument, "Merkle proof: of absence, where presence is claimed");
    const Node leaf = DirectHash<H>::leaf({key, value_hash});
    return check_root<H>(root, key, leaf.digest, parsed);
}

template <NodeHash H>
Result<void> verify_absence(const Digest& root, const Key& key, ByteView proof) {
    DRACO_TRY(parsed, parse(proof));
    if (parsed.kind == ProofKind::Present)
        return fail(Errc::InvalidArgument, "Merkle proof: of presence, where absence is claimed");
    if (parsed.kind == ProofKind::AbsentEmpty)
        return check_root<H>(root, key, kEmptyDigest, parsed);

    Leaf other;
    std::ranges::copy(parsed.other_leaf.first(Key::kSize), other.key.data());
    std::ranges::copy(parsed.other_leaf.last(ValueHash::kSize), other.value_hash.data());
    const std::size_t offset = proof.size() - kLeafBytes;
    if (other.key == key) return corrupt(offset, "the other leaf is the key itself");
    if (common_bits(other.key, key) < parsed.depth)
        return corrupt(offset, "the other leaf is not in the key's slot");
    return check_root<H>(root, key, DirectHash<H>::leaf(other).digest, parsed);
}

Bytes encode_proof(ProofKind kind,
                   std::span<const Digest> siblings,
                   const std::optional<Leaf>& other) {
    const std::size_t depth = siblings.size();
    Bytes proof(kProofHeaderBytes + (depth + 7) / 8);
    proof[0] = kProofVersion;
    proof[1] = static_cast<std::uint8_t>(kind);
    store_le(&proof[2], static_cast<std::uint16_t>(depth));
    for (std::size_t i = depth; i-- > 0;) {
        if (siblings[i].is_zero()) continue;
        std::uint8_t& bits = proof[kProofHeaderBytes + i / 8];
        bits = static_cast<std::uint8_t>(bits | (1U << (i % 8)));
        append(proof, siblings[i].view());
    }
    if (other) {
        append(proof, other->key.view());
        append(proof, other->value_hash.view());
    }
    return proof;
}

template Result<void> verify_membership<Sha256Nodes>(const Digest&,
                                                     const Key&,
                                                     const ValueHash&,
                                                     ByteView);
template Result<void> verify_absence<Sha256Nodes>(const Digest&, const Key&, ByteView);
template Result<void> verify_membership<Keccak256Nodes>(const Digest&,
                                                        const Key&,
                                                        const ValueHash&,
                                                        ByteView);
template Result<void> verify_absence<Keccak256Nodes>(const Digest&, const Key&, ByteView);
}  // namespace draco::sparse_merkle
