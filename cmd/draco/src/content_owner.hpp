#pragma once
// A node whose content the user owns: one whose home, with the token in it, is on this machine.
// Blocks.

#include "draco/base/result.hpp"
#include "draco/types/content.hpp"

#include "http_exchange.hpp"
#include "invocation.hpp"
#include "rpc_client.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace draco {

class ContentOwner {
public:
    // The node of the home, or of a devnet the one that --node names (else the first that answers).
    static Result<ContentOwner> of(const Invocation& invocation);

    // Where people read content: the HTTP front of the node; of a devnet, of all its nodes.
    const std::vector<std::string>& front_urls() const { return front_urls_; }

    // The node's.
    const std::string& home() const { return home_; }

    std::string url() const { return url_.text(); }

    // For the node's admin_ methods.
    RpcClient rpc() const { return RpcClient(url_, token_); }

    struct Reply {
        unsigned status = 0;
        boost::json::value body;  // null if it is empty
    };

    // A request below /content/v0/. An error unless the status is of success.
    Result<Reply> ask(std::string_view method, std::string_view target, Bytes body = {}) const;

private:
    ContentOwner(std::string home,
                 HttpUrl url,
                 std::string token,
                 std::vector<std::string> front_urls)
        : home_(std::move(home)),
          url_(std::move(url)),
          token_(std::move(token)),
          front_urls_(std::move(front_urls)) {}

    static Result<ContentOwner> of_node(const Invocation& invocation, const std::string& home);
    static Result<ContentOwner> of_devnet(const Invocation& invocation, const std::string& home);

    std::string home_;
    HttpUrl url_;
    std::string token_;
    std::vector<std::string> front_urls_;
};

// The way to an object on a node's HTTP front; `is_directory` adds the slash of its index.
std::string content_url(const std::string& front_url, std::string_view hash, bool is_directory);

}  // namespace draco
