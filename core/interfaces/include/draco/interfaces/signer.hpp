#pragma once
// Sends this node's own transactions, each with the next nonce, until they are executed.

#include "draco/base/result.hpp"
#include "draco/types/receipt.hpp"

#include <cstdint>
#include <functional>

namespace draco::interfaces {

struct SignerStatus {
    types::Nonce executed{};       // by the chain
    types::Nonce signed_last{};    // the highest nonce that was ever signed
    std::uint64_t pending = 0;     // signed and not executed
    std::uint64_t sent_again = 0;  // submissions beyond the first
};

class NodeSigner {
public:
    using Done = std::move_only_function<void(Result<types::Receipt>)>;

    virtual ~NodeSigner() = default;
    // Thread-safe. Queues the method; `done` is called once, as a task of its own, when it is
    // executed, whatever the receipt says. Exhausted: too many wait. Never signs two transactions
    // with one nonce, in this life or another.
    virtual void execute(types::Method method, Done done) = 0;
    virtual SignerStatus status() const = 0;
};

}  // namespace draco::interfaces
