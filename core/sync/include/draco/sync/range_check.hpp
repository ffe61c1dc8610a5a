#pragma once
// Checks the answer to one request as it arrives: nothing leaves it that is not certified. Value
// type, deterministic.

#include "draco/interfaces/ledger.hpp"
#include "draco/sync/messages.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace draco::sync {

// Where a chain stands: what the next block must build on.
struct Base {
    types::Height height;
    types::BlockDigest digest;
};

struct CertifiedBlock {
    interfaces::BlockWithContent content;
    std::optional<types::BlockCertificate> certificate;  // verified
};

class RangeCheck {
public:
    // What blocks_max and bytes_max are about: all of the answer, or what of it nothing has
    // certified yet.
    enum class BoundOf : std::uint8_t { Answer, Uncertified };

    // Expects the Status, then, if `base` is given, blocks from base.height + 1 on, at most
    // `blocks_max` and `bytes_max`.
    RangeCheck(types::ChainId chain,
               types::Committee committee,
               std::optional<Base> base,
               std::size_t blocks_max,
               std::size_t bytes_max,
               BoundOf bound = BoundOf::Answer);

    // Unauthenticated or Corrupt: the peer has lied; what was certified before stays in
    // certified().
    Result<> add(ByteView chunk);
    // The stream is complete. Corrupt: it ends inside a record. Unavailable: it ends with blocks
    // that nothing certifies; an honest peer may have got over an epoch's last block, at which a
    // range ends, without a certificate of it.
    Result<> finish() const;

    const std::optional<Status>& status() const { return status_; }

    // The status's certificate is of this committee, and verified.
    bool status_is_verified() const { return status_is_verified_; }

    // In order, without gap from the base on. Emptied by who takes them.
    std::vector<CertifiedBlock>& certified() { return certified_; }

    std::size_t blocks_certified() const { return blocks_certified_; }

private:
    Result<> take_status(ByteView record);
    Result<> take_block(ByteView record);
    Result<> certify_up_to(const types::BlockCertificate& certificate);

    types::ChainId chain_;
    types::Committee committee_;
    std::optional<Base> tip_;
    std::size_t blocks_max_;
    std::size_t bytes_max_;
    BoundOf bound_;
    std::size_t blocks_left_;
    std::size_t bytes_left_;
    RecordReader reader_;
    std::optional<Status> status_;
    bool status_is_verified_ = false;
    std::vector<CertifiedBlock> uncertified_;
    std::vector<CertifiedBlock> certified_;
    std::size_t blocks_certified_ = 0;
};

}  // namespace draco::sync
