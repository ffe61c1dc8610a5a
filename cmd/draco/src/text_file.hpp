#pragma once
// Whole text files by any path, for commands.

#include "draco/base/result.hpp"

#include <string>
#include <string_view>

namespace draco {

// NotFound, Exhausted beyond bytes_max, Io.
Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max);
// Mode 0600, atomically and durably, in place of what is there.
Result<> replace_text_file(const std::string& path, std::string_view text);
// Whether create_text_file would find its place: a question to ask before long work. AlreadyExists;
// NotFound if there is no such folder.
Result<> check_can_create(const std::string& path);
// Mode 0600. AlreadyExists.
Result<> create_text_file(const std::string& path, std::string_view text);
// With its parents, mode 0700.
Result<> create_folder(const std::string& path);
bool path_exists(const std::string& path);
// At most the last `lines_max` lines of what a file ends with; empty if there is none.
std::string last_lines(const std::string& path, std::size_t lines_max);

}  // namespace draco
