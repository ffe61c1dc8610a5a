#pragma once
// Gathers the members' signatures on committed blocks into block certificates. A certificate of a
// block covers all before it, so only the latest one matters to who comes late.

#include "draco/consensus/message.hpp"
#include "draco/consensus/refusal.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace draco::consensus {

class BlockSignatures {
public:
    // Heights from the last own block up for which signatures are kept, and below it too.
    static constexpr std::uint64_t kHeightsMax = 256;

    BlockSignatures(const types::Committee& committee, types::Height first)
        : committee_(committee), local_(first), reported_(committee.size(), first) {}

    // This member committed the block; `signature` is absent if it does not sign.
    void committed(const types::BlockStatement& statement,
                   AuthorityIndex self,
                   const std::optional<types::NodeSignature>& signature);

    // This member learnt of a certified block.
    void followed(const types::BlockStatement& statement);
    // Blocks above are void, and so are their certificates: the block at `height` needs one of its
    // own. If it has none, the caller's signature is to be given again with committed().
    void end_at(types::Height height);

    types::Height certified() const { return certified_; }

    // What this member knows of a recent height.
    const types::BlockStatement* own(types::Height height) const;

    // Refusals: Stale, TooFarAhead, Equivocation (another block of this height by the same member).
    Result<void, Refusal> add(AuthorityIndex from, const BlockSignature& signature);

    // Certificates that became complete, each once, in ascending order of height.
    std::vector<types::BlockCertificate> take_complete();

    // The members whose signatures on the last own block are missing, unless it is certified.
    AuthoritySet missing_for_last() const;

    // A height that at least one honest member claims to have reached.
    types::Height credible_height() const;

private:
    struct Collected {
        types::BlockStatement statement;
        types::NodeSignature signature;
    };

    using ByMember = std::map<AuthorityIndex, Collected>;

    void prune();

    const types::Committee& committee_;
    types::Height local_;                                 // of the last own block
    types::Height certified_;                             // of the last certificate
    std::set<types::Height> certificates_;                // of recent ones, the last one too
    std::vector<types::Height> reported_;                 // highest, per member
    std::map<types::Height, types::BlockStatement> own_;  // up to local_
    std::map<types::Height, ByMember> collected_;         // above certified_
};

}  // namespace draco::consensus
