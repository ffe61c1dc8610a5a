#pragma once
// Reads vectors/*.txt: lines of fields separated by ';', where '#' starts a comment line. Hex
// fields are decoded by the test that knows them.

#include "draco/base/text_encoding.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace draco::crypto::testing {

using VectorRow = std::vector<std::string>;

inline std::vector<VectorRow> read_vectors(const std::string& name, std::size_t fields) {
    std::ifstream file(std::string(DRACO_MODULE_DIR "/vectors/") + name);
    std::vector<VectorRow> rows;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        VectorRow row(1);
        for (const char c : line)
            if (c == ';')
                row.emplace_back();
            else
                row.back().push_back(c);
        EXPECT_EQ(row.size(), fields) << name << ": " << line;
        row.resize(fields);
        rows.push_back(row);
    }
    EXPECT_FALSE(rows.empty()) << name;
    return rows;
}

inline Bytes unhex(std::string_view hex) {
    auto bytes = from_hex(hex);
    EXPECT_TRUE(bytes) << hex;
    return bytes.value_or(Bytes{});
}

template <class Fixed>
Fixed fixed(std::string_view hex) {
    auto value = fixed_from_hex<Fixed>(hex);
    EXPECT_TRUE(value) << hex;
    return value.value_or(Fixed{});
}

template <class Secret>
Secret secret(std::string_view hex) {
    const Bytes bytes = unhex(hex);
    EXPECT_EQ(bytes.size(), Secret::kSize) << hex;
    return Secret::make([&](auto out) { std::ranges::copy(bytes, out.begin()); });
}

}  // namespace draco::crypto::testing
