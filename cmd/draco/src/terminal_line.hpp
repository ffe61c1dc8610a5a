#pragma once
// Text that fits into one line of a terminal: a line that wraps cannot be written over.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace draco {

// Of the terminal that standard error is; 80 if it does not say. The last one stays free, because a
// terminal may go on to the next line when it is written to.
std::size_t line_columns();

// What is too long loses its middle, which becomes one "…": the ends of a path say the most.
std::string shortened(std::string_view text, std::size_t columns);

// "LABEL  [####....]  TAIL" for a share from 0 to 1, "LABEL  TAIL" without one. What gives way when
// there is no room: first cells of the bar, then the middle of the label, then the bar, then the
// middle of what is left.
std::string progress_line(std::string_view label,
                          std::optional<double> share,
                          std::string_view tail,
                          std::size_t columns);

}  // namespace draco
