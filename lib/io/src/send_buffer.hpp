#pragma once
#include "draco/base/bytes.hpp"

#include <memory>
#include <utility>

namespace draco::io::detail {

// Bytes that wait to be sent: of one connection, or shared with others.
class SendBuffer {
public:
    explicit SendBuffer(Bytes own) : own_(std::move(own)) {}

    explicit SendBuffer(std::shared_ptr<const Bytes> shared) : shared_(std::move(shared)) {}

    ByteView view() const { return shared_ ? *shared_ : own_; }

    std::size_t size() const { return view().size(); }

private:
    Bytes own_;
    std::shared_ptr<const Bytes> shared_;
};

}  // namespace draco::io::detail
