#pragma once
// What the owner of a node does with its content, over HTTP (docs/formats/publish.md):
//
//     POST   /content/v0/objects?kind=file|directory[&pin=true]   what fits into one request
//     POST   /content/v0/uploads?kind=file|directory     begins an upload of pieces
//     PUT    /content/v0/uploads/ID?offset=N             its next piece
//     POST   /content/v0/uploads/ID[?pin=true]           ends it: the address
//     DELETE /content/v0/uploads/ID                      gives it up
//     GET    /content/v0/objects[?after=HASH&limit=N]    what is stored, and how much of it
//     GET    /content/v0/objects/HASH/entries[?first=N]  of a directory, fetched if need be
//     DELETE /content/v0/objects/HASH
//     PUT    /content/v0/pins/HASH                       fetches it if need be: 202 until it is
//     here DELETE /content/v0/pins/HASH
//
// Every request is authorised as the owner's; others learn nothing but that. Errors are
// {"error", "hint"}. The network is told at once of what is stored or removed here.

#include "draco/base/clock.hpp"
#include "draco/base/executor.hpp"
#include "draco/http/server.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/interfaces/providers.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace draco::publisher {

inline constexpr std::string_view kPathPrefix = "/content/v0/";

// All outlive the publisher and the last answer that it owes.
struct PublisherParts {
    interfaces::Blockstore& store;
    interfaces::ContentSource& source;
    interfaces::Providers& providers;
    Executor& executor;  // whose tasks may wait for the disk
    log::Log& log;
    // Whether the value of an Authorization header is the owner's.
    std::function<bool(std::string_view authorization)> is_owner;
};

struct PublisherLimits {
    std::size_t uploads_max = 64;  // under way
    std::size_t directory_uploads_max = 4;
    std::size_t directory_bytes_max = std::size_t{32} << 20;  // of an encoded directory, in memory
    Duration upload_idle_max = std::chrono::minutes(10);      // then it is given up
    std::size_t fetches_max = 64;                             // for pins, under way
    Duration fetch_deadline = std::chrono::seconds(30);       // until the object is found
    std::size_t page_max = 1'000;
};

// Thread-safe.
class Publisher final : public http::Handler {
public:
    explicit Publisher(PublisherParts parts, PublisherLimits limits = {});
    // Requests whose work has not begun are answered with 500.
    ~Publisher() override;
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    void on_request(http::Request request,
                    const std::string& client,
                    std::unique_ptr<http::Responder> responder) override;

private:
    class State;

    std::shared_ptr<State> state_;
};

}  // namespace draco::publisher
