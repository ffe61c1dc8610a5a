# Warnings are errors, for our code only: every target of ours links draco_warnings privately.
add_library(draco_warnings INTERFACE)
target_compile_options(draco_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wdouble-promotion -Wformat=2 -Wextra-semi -Wsuggest-override -Wimplicit-fallthrough
  -Wunused -Wcast-align -Wnull-dereference)
