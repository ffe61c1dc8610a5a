#include "draco/consensus/worker_message.hpp"

namespace draco::consensus {

CheckedBatch hollow(Epoch epoch, const BatchHead& head) {
    return {std::make_shared<const types::Batch>(
                types::Batch{epoch, head.author, head.worker, head.sequence, {}}),
            head.digest,
            head.bytes};
}

BatchHead head_of(const CheckedBatch& batch, Round kept_until) {
    return {batch.digest,
            batch.batch->author,
            batch.batch->worker,
            batch.batch->sequence,
            batch.bytes,
            kept_until};
}

}  // namespace draco::consensus
