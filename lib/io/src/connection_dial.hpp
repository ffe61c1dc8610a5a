#pragma once
#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <vector>

namespace draco::io::detail {

// The way to a connected socket.
struct Dial {
    explicit Dial(boost::asio::io_context& context) : resolver(context) {}

    boost::asio::ip::tcp::resolver resolver;
    std::string target;  // as the owner named it
    std::vector<boost::asio::ip::tcp::endpoint> addresses;
    std::size_t next = 0;
    int last_error = 0;
};

// "192.0.2.1:80", "[2001:db8::1]:80"
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace draco::io::detail
