// Faults for clang-tidy to find, one for each way in which it looks: a matcher in a header, a
// matcher in a source file, a flow-sensitive check, and the static analyzer.
#include "planted.hpp"

#include <utility>
#include <vector>

std::size_t planted_move(const std::string& text) {
    return planted_length(std::move(text));
}

std::size_t planted_use_after_move(std::vector<int> numbers) {
    const std::vector<int> taken = std::move(numbers);
    return taken.size() + numbers.size();
}

int planted_null(bool absent) {
    const int number = 1;
    const int* pointer = absent ? nullptr : &number;
    return *pointer;
}
