#pragma once
// What the code of a method may use.

#include "draco/rpc/service.hpp"

#include <memory>

namespace draco::rpc {

class TransactionWaiters;

struct Context {
    const ServiceDependencies& on;
    const ServiceLimits& limits;
    const std::shared_ptr<TransactionWaiters>& waiters;
};

}  // namespace draco::rpc
