#include "consensus_parameters.hpp"

#include <chrono>

namespace draco::node {

consensus::Parameters parameters_of(const NodeConfig::Consensus& config) {
    using std::chrono::milliseconds;
    consensus::Parameters made;
    made.batch_delay_max = milliseconds(config.batch_delay_ms);
    made.batch_bytes = config.batch_bytes;
    made.leader_timeout = milliseconds(config.leader_timeout_ms);
    made.leader_timeout_max = milliseconds(config.leader_timeout_max_ms);
    made.retry = milliseconds(config.retry_ms);
    made.retry_max = milliseconds(config.retry_max_ms);
    made.request_deadline = milliseconds(config.request_deadline_ms);
    made.own_bytes_max = config.own_bytes_max;
    made.held_bytes_max = config.held_bytes_max;
    made.served_bytes_per_s = config.served_bytes_per_s;
    return made;
}

}  // namespace draco::node
