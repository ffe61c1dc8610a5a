#include "method.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace draco::rpc {
namespace {

constexpr std::size_t kComparedBytesMax = 64;

std::vector<Method> sorted_methods() {
    std::vector<Method> all;
    for (const auto list : {account_methods(),
                            node_methods(),
                            chain_methods(),
                            lane_methods(),
                            transaction_methods(),
                            system_methods(),
                            admin_methods()})
        all.insert(all.end(), list.begin(), list.end());
    std::ranges::sort(all, {}, &Method::name);
    return all;
}

std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::span<const Method> all_methods() {
    static const std::vector<Method> kSorted = sorted_methods();
    return kSorted;
}

const Method* find_method(std::string_view name) {
    const auto methods = all_methods();
    const auto found = std::ranges::lower_bound(methods, name, {}, &Method::name);
    return found != methods.end() && found->name == name ? &*found : nullptr;
}

std::string_view nearest_method(std::string_view name) {
    name = name.substr(0, kComparedBytesMax);
    const auto edits = [&](const Method& method) { return edits_between(name, method.name); };
    return std::ranges::min_element(all_methods(), {}, edits)->name;
}

std::vector<MethodDescription> describe_methods() {
    std::vector<MethodDescription> described;
    for (const Method& method : all_methods()) {
        MethodDescription entry{.name = std::string(method.name),
                                .parameters = {},
                                .result = std::string(method.result),
                                .doc = std::string(method.doc)};
        for (const ParameterSpec& parameter : method.parameters)
            entry.parameters.push_back({.name = std::string(parameter.name),
                                        .type = std::string(type_name(parameter.type)),
                                        .required = parameter.required,
                                        .doc = std::string(parameter.doc)});
        described.push_back(std::move(entry));
    }
    return described;
}

}  // namespace draco::rpc
