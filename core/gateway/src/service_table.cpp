#include "service_table.hpp"

#include "draco/http/message.hpp"
#include "draco/types/commodity.hpp"

#include "answers.hpp"
#include "route.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace draco::gateway {
namespace {

constexpr std::string_view kOptions = "OPTIONS";

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= types::kServiceNameBytesMax &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

bool is_usage(std::string_view usage) {
    return usage.starts_with('/') && usage.size() <= sdk::kServiceUsageBytesMax &&
           std::ranges::all_of(usage, [](char c) { return c >= ' ' && c <= '~'; });
}

bool are_methods(const std::vector<std::string>& methods) {
    return !methods.empty() && methods.size() <= sdk::kServiceMethodsMax &&
           std::ranges::all_of(methods, [](const std::string& method) {
               return http::is_token(method) && method != kOptions;
           });
}

Result<> check(const sdk::ServiceInfo& info) {
    const std::string who = "service " + std::to_string(info.id.value()) + ": ";
    if (!is_name(info.name))
        return fail(Errc::InvalidArgument, who + "its name is not 1 to 32 of a-z, 0-9 and '-'");
    if (!is_usage(info.usage))
        return fail(Errc::InvalidArgument,
                    who + "its usage is not one line of ASCII that begins with '/', of at most " +
                        std::to_string(sdk::kServiceUsageBytesMax) + " bytes");
    if (!are_methods(info.methods))
        return fail(Errc::InvalidArgument,
                    who + "its methods are not 1 to " + std::to_string(sdk::kServiceMethodsMax) +
                        " names of methods without OPTIONS, which the front answers");
    return {};
}

template <class Names>
std::string listed(const Names& names) {
    std::string text;
    for (const std::string& name : names) text += name + ", ";
    return text.append(kOptions);
}

std::string describe(const sdk::ServiceInfo& info) {
    std::string methods;
    for (const std::string& method : info.methods)
        methods += (methods.empty() ? "" : ", ") + method;
    return info.name + " (" + methods + " " + root_of(info.id) + info.usage + ")";
}

}  // namespace

bool ServiceTable::Entry::takes(std::string_view method) const {
    return std::ranges::find(service->info().methods, method) != service->info().methods.end();
}

Result<ServiceTable> ServiceTable::make(Gateway::Services services) {
    if (services.size() > kServicesMax)
        return fail(Errc::InvalidArgument,
                    "a node runs at most " + std::to_string(kServicesMax) + " services, not " +
                        std::to_string(services.size()));
    ServiceTable table;
    for (auto& service : services) DRACO_TRY_VOID(table.add(std::move(service)));
    std::set<std::string> methods;
    std::string running;
    for (const auto& [id, entry] : table.entries_) {
        const sdk::ServiceInfo& info = entry.service->info();
        methods.insert(info.methods.begin(), info.methods.end());
        running += (running.empty() ? "" : "; ") + describe(info);
    }
    table.preflight_of_none_ = preflight_fields(listed(methods));
    table.directory_ =
        running.empty() ? "This node runs no services." : "This node runs: " + running + ".";
    if (table.find(kShortService) != nullptr)
        table.directory_ += " " + std::string(kShortRoot) + " is short for " +
                            root_of(kShortService) + std::string(kShortTarget) + ".";
    return table;
}

Result<> ServiceTable::add(std::unique_ptr<sdk::Service> service) {
    const sdk::ServiceInfo& info = service->info();
    DRACO_TRY_VOID(check(info));
    std::string methods = listed(info.methods);
    auto fields = preflight_fields(methods);
    const types::ServiceId id = info.id;
    if (!entries_.try_emplace(id, Entry{std::move(service), std::move(methods), std::move(fields)})
             .second)
        return fail(Errc::InvalidArgument,
                    "two services have the number " + std::to_string(id.value()));
    return {};
}

const ServiceTable::Entry* ServiceTable::find(types::ServiceId id) const {
    const auto entry = entries_.find(id);
    return entry == entries_.end() ? nullptr : &entry->second;
}

http::Answer ServiceTable::preflight(const Entry* entry) const {
    return {.status = 204,
            .shared_fields = entry == nullptr ? preflight_of_none_ : entry->preflight,
            .fields = {},
            .body = {}};
}

http::Answer ServiceTable::nothing_at(std::string_view target,
                                      const types::ServiceId* asked) const {
    const std::string what =
        asked == nullptr
            ? "there is nothing at " + sdk::printable(target.substr(0, target.find('?')))
            : "this node does not run service " + std::to_string(asked->value());
    return refusal(404, what + ". " + directory_);
}

}  // namespace draco::gateway
