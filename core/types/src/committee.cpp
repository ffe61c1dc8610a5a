#include "draco/types/committee.hpp"

#include "draco/base/assert.hpp"
#include "draco/crypto/ed25519_verifier.hpp"

#include <algorithm>
#include <mutex>
#include <string>

namespace draco::types {

// Each is made when it is needed first: of most committees that are decoded, no signature is looked
// at.
class Committee::Verifiers {
public:
    explicit Verifiers(std::size_t size) : places_(size) {}

    const crypto::Ed25519Verifier<NodeKeyKind>& of(AuthorityIndex index, const NodeKey& key) {
        Place& place = places_[index.value()];
        std::call_once(place.is_made, [&] { place.verifier.emplace(key); });
        return *place.verifier;
    }

private:
    struct Place {
        std::once_flag is_made;
        std::optional<crypto::Ed25519Verifier<NodeKeyKind>> verifier;
    };

    std::vector<Place> places_;
};

bool AuthoritySet::within(std::size_t size) const {
    bool inside = true;
    for_each([&](AuthorityIndex member) { inside = inside && member.value() < size; });
    return inside;
}

Committee::Committee(Epoch epoch, std::vector<NodeKey> members)
    : epoch_(epoch),
      members_(std::move(members)),
      verifiers_(std::make_shared<Verifiers>(members_.size())) {}

Result<Committee> Committee::make(Epoch epoch, std::vector<NodeKey> members) {
    if (members.empty())
        return fail(Errc::InvalidArgument, "a committee needs at least one member");
    if (members.size() > kCommitteeMax)
        return fail(Errc::InvalidArgument,
                    "a committee has at most " + std::to_string(kCommitteeMax) + " members, got " +
                        std::to_string(members.size()));
    std::ranges::sort(members);
    if (std::ranges::adjacent_find(members) != members.end())
        return fail(
            Errc::InvalidArgument,
            "a node key is twice in the committee of epoch " + std::to_string(epoch.value()));
    return Committee(epoch, std::move(members));
}

const NodeKey& Committee::key(AuthorityIndex index) const {
    DRACO_ASSERT(has(index), "an authority index is below the committee's size");
    return members_[index.value()];
}

Result<> Committee::verify(AuthorityIndex signer,
                           ByteView message,
                           const NodeSignature& signature) const {
    return verifiers_->of(signer, key(signer)).verify(message, signature);
}

std::optional<AuthorityIndex> Committee::index_of(const NodeKey& key) const {
    const auto found = std::ranges::lower_bound(members_, key);
    if (found == members_.end() || *found != key) return std::nullopt;
    return AuthorityIndex(static_cast<std::uint16_t>(found - members_.begin()));
}

}  // namespace draco::types
