#pragma once
// What `devnet up --demo FOLDER` adds: the folder is published on the first node, and a reader
// fetches it from one node after the other in paid sessions, until it is told to end.

#include "draco/base/result.hpp"

#include "devnet_record.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace draco {

class DevnetDemo {
public:
    // The development account that pays.
    static constexpr std::uint32_t kAccount = 7;

    // Returns when the folder is published.
    static Result<std::unique_ptr<DevnetDemo>> start(const std::string& devnet_home,
                                                     const DevnetRecord& record,
                                                     const std::string& folder);
    // Ends the reader.
    ~DevnetDemo();
    DevnetDemo(const DevnetDemo&) = delete;
    DevnetDemo& operator=(const DevnetDemo&) = delete;

    const std::string& folder() const;
    const std::string& hash() const;

private:
    class Reader;

    explicit DevnetDemo(std::unique_ptr<Reader> reader);

    std::unique_ptr<Reader> reader_;
};

}  // namespace draco
