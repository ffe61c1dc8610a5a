#pragma once
// The services that a node runs, by number, and what is said in their place.

#include "draco/base/result.hpp"
#include "draco/gateway/gateway.hpp"
#include "draco/http/answer.hpp"
#include "draco/sdk/service.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace draco::gateway {

// Immutable once made.
class ServiceTable {
public:
    struct Entry {
        std::unique_ptr<sdk::Service> service;
        std::string methods;  // "GET, HEAD, OPTIONS"
        std::shared_ptr<const http::FieldBlock> preflight;

        bool takes(std::string_view method) const;
    };

    // As Gateway::start.
    static Result<ServiceTable> make(Gateway::Services services);

    const Entry* find(types::ServiceId id) const;

    // 204 with what a page of another origin may do. `entry`: or null, for a target that no service
    // has.
    http::Answer preflight(const Entry* entry) const;

    // 404: which services there are instead. `asked`: the number in the target, if there is one.
    http::Answer nothing_at(std::string_view target, const types::ServiceId* asked) const;

private:
    ServiceTable() = default;

    Result<> add(std::unique_ptr<sdk::Service> service);

    std::map<types::ServiceId, Entry> entries_;
    std::shared_ptr<const http::FieldBlock> preflight_of_none_;
    std::string directory_;  // what they are, for a person
};

}  // namespace draco::gateway
