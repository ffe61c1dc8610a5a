#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace draco::io::testing {

// A directory that is removed with all it holds.
class TemporaryDirectory {
public:
    TemporaryDirectory() : path_(::testing::TempDir() + "draco-io-XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) std::abort();
    }

    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace draco::io::testing
