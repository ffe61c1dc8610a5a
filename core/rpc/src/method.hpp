#pragma once
// What a method is: its description, which is all there is to check its parameters by, and its
// code.

#include "context.hpp"
#include "exchange.hpp"
#include "parameters.hpp"

#include <boost/json/value.hpp>

#include <span>
#include <string_view>

namespace draco::rpc {

// Answers at once.
using Read = Outcome<boost::json::value> (*)(const Context&, const Parameters&);
// Answers later.
using Start = void (*)(const Context&, const Parameters&, Answer);

enum class Reach : std::uint8_t {
    Everybody,
    Admin,  // who sends the node's token
};

struct Method {
    std::string_view name;
    std::span<const ParameterSpec> parameters;
    std::string_view result;
    std::string_view doc;
    Read read = nullptr;    // either this
    Start start = nullptr;  // or this
    Reach reach = Reach::Everybody;
};

// One list for each file of methods.
std::span<const Method> account_methods();
std::span<const Method> node_methods();
std::span<const Method> chain_methods();
std::span<const Method> lane_methods();
std::span<const Method> transaction_methods();
std::span<const Method> system_methods();
std::span<const Method> admin_methods();

// All of them, in the order of names.
std::span<const Method> all_methods();
const Method* find_method(std::string_view name);
// The name with the fewest edits between.
std::string_view nearest_method(std::string_view name);

}  // namespace draco::rpc
