#pragma once
// What the code of a method may use.

#include "draco/rpc/service.hpp"

#include <memory>
#include <string_view>

namespace draco::rpc {

class AdminWaits;
class TransactionWaiters;

struct Context {
    const ServiceDependencies& on;
    const ServiceLimits& limits;
    const std::shared_ptr<TransactionWaiters>& waiters;
    const std::shared_ptr<AdminWaits>& admin_waits;
    std::string_view client{};  // that asks
};

}  // namespace draco::rpc
