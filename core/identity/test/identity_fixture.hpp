#pragma once

#include "draco/base/bytes.hpp"
#include "draco/identity/key_file.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace draco::identity::testing {

inline constexpr std::uint64_t kTestScryptN = 16;  // as cheap as it gets

inline Password password(std::string_view text) {
    return Password(as_bytes(text));
}

inline Bytes vector_file(const std::string& name) {
    std::ifstream file(std::string(DRACO_MODULE_DIR) + "/vectors/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace draco::identity::testing
