#include "draco/consensus/effects.hpp"

namespace draco::consensus {

Persist persist_batch(Round round, std::shared_ptr<const types::Batch> batch) {
    Bytes head = encode_record(
        types::Batch{batch->epoch, batch->author, batch->worker, batch->sequence, {}});
    head.pop_back();  // that there are none
    bcs::BytesSink sink(head);
    bcs::Encoder encoder(sink);
    encoder.length(batch->transactions.size());
    encoder.flush();
    return {round, std::move(head), std::move(batch)};
}

}  // namespace draco::consensus
