#pragma once

// What can be typed.

namespace draco {

// Parses, runs, and returns the exit status: 0 ok, 1 failed, 2 usage.
int run_command_line(int argc, char** argv);

}  // namespace draco
