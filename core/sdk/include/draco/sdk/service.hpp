#pragma once
// A program that runs on nodes and answers requests. It sees the node only through this module
// (docs/decisions/022), and the node sees it only as a Service.
//
// Life. The node owns the service, and calls info() before all else. on_request() is called on
// several threads at the same time. When the node stops, it calls on_request() no more, destroys
// the bodies it has, then the service. What the service has asked of a Host, and answers that it
// has not given, may be left: callbacks that come later own what they touch.
//
// A service has no clock, disk or network, and should have no thread: it goes on in the callbacks
// of what it asked for.

#include "draco/base/bytes.hpp"
#include "draco/sdk/answer.hpp"
#include "draco/sdk/host.hpp"
#include "draco/types/ids.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace draco::sdk {

inline constexpr std::size_t kServiceMethodsMax = 16;
inline constexpr std::size_t kServiceUsageBytesMax = 256;

struct ServiceInfo {
    types::ServiceId id{};
    std::string name;  // 1..types::kServiceNameBytesMax of a-z, 0-9, '-'
    // Of those, requests come: "GET", "HEAD". Never OPTIONS, which the node answers.
    std::vector<std::string> methods;
    // For a person who asks for what is not there: a path below the root, and what it gives. One
    // line of printable ASCII: "/blake3/<hash>, where <hash> is ...".
    std::string usage;

    bool operator==(const ServiceInfo&) const = default;
};

struct FieldView {
    std::string_view name;  // as sent; compared without case
    std::string_view value;
};

// Foreign, and bounded by the front: a target of 8 KiB, 100 fields of together 32 KiB, a body of
// 64 KiB. All of it is valid during on_request() only.
struct Request {
    std::string_view method;
    // Below the service's root, with its query; begins with '/'. Still percent-encoded, and not
    // normalised.
    std::string_view target;
    // What the client wrote: for a redirect to it.
    std::string_view target_as_sent;
    std::span<const FieldView> fields;  // in the order sent
    ByteView body;
    // Whom the request comes from, as far as clients are told apart: an IPv4 address, or an IPv6
    // /64. Opaque.
    std::uint64_t client_network = 0;
};

class Service {
public:
    virtual ~Service() = default;

    // Constant.
    virtual const ServiceInfo& info() const = 0;

    // On a thread of the front, which waits: does not block or throw. `host` is that of this
    // request alone.
    virtual void on_request(const Request& request,
                            std::shared_ptr<Host> host,
                            AnswerCallback answer) = 0;
};

}  // namespace draco::sdk
