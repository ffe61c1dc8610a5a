#pragma once
// What every command gets from the command line, and how it answers.

#include "draco/base/result.hpp"

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace draco {

struct Invocation {
    std::string command;  // "account balance"
    std::string home;     // --home or DRACO_HOME; empty: ~/.draco
    std::string node;     // --node; empty: the home's
    bool json = false;
};

// The home's folder. InvalidArgument if there is no HOME either.
Result<std::string> home_path(const Invocation& invocation);

// --json: one line of JSON. Otherwise the members with their names aligned; those inside an object
// or a list are indented below it.
void print_value(const Invocation& invocation, const boost::json::value& value);

// Columns aligned; numbers to the right. What is foreign in them is shown (shown_text.hpp), as it
// is by print_value and print_error.
void print_table(const std::vector<std::string>& columns,
                 std::vector<std::vector<std::string>> rows);

// "draco account balance: what happened, where, what to do" on standard error; with --json one line
// of {"error": {"code", "command", "message"}}, where code is the name of the Errc.
void print_error(const Invocation& invocation, const Error& error);
// What is typed wrong: the same with code "Usage", and where the help is.
void print_usage_error(const Invocation& invocation, const std::string& what);

// 0, or 1 after print_error.
int exit_status(const Invocation& invocation, const Result<>& outcome);

}  // namespace draco
