#pragma once
// What is typed wrong: what it was, in one line, and what would be right.

#include "invocation.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace draco {

// "account balance": the words that name a command.
std::string words_of(const CLI::App* command);

// After a parse that has thrown. Prints help that was asked for, or says what is wrong. Returns the
// exit status.
int explain_usage(
    CLI::App& app, Invocation invocation, const CLI::ParseError& error, int argc, char** argv);

}  // namespace draco
