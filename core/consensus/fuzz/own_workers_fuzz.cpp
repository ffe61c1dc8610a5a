// Where another member says its workers are: bytes from a stranger's link. What decodes is within
// its bounds, is encoded as it was, and goes on to a worker as it came.

#include "draco/base/assert.hpp"
#include "draco/consensus/worker_message.hpp"

namespace consensus = draco::consensus;
namespace bcs = draco::bcs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const draco::ByteView bytes(data, size);
    const auto theirs = bcs::decode<consensus::OwnWorkers>(bytes);
    if (!theirs) return 0;
    DRACO_ASSERT(bcs::encode(*theirs) == draco::Bytes(bytes.begin(), bytes.end()),
                 "one encoding of a message");
    DRACO_ASSERT(theirs->workers->size() <= consensus::kWorkersMax, "workers are bounded");
    consensus::PeerWorkers peers;
    for (const consensus::WorkerAddress& worker : *theirs->workers) {
        DRACO_ASSERT(worker.host->size() <= consensus::kHostBytesMax, "names are bounded");
        static_cast<void>(peers.workers.try_push_back(consensus::PeerWorker{{}, worker}));
    }
    const auto told =
        bcs::decode<consensus::ToWorkerProcess>(consensus::encode_to_process(peers)).value();
    DRACO_ASSERT(std::get<consensus::PeerWorkers>(told) == peers, "a worker gets what was said");
    return 0;
}
