// CPU time of the whole process per byte and per message over loopback, beside the same work done
// with bare OpenSSL or bare Asio. The peers run in turn and medians are compared.

#include "network_bench.hpp"

#include "draco/io/network.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace draco::io {
namespace {

constexpr std::size_t kBulkBytes = std::size_t{64} << 20;
constexpr std::size_t kMessageBytes = 200;
constexpr int kMessages = 20'000;

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "network_bench: %s failed\n", what);
    std::abort();
}

TlsIdentity identity(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return TlsIdentity::create(crypto::Ed25519Seed(seed), "bench").value();
}

// One link between two streams of one Network. What the listening side does with bytes is `serve`,
// what the dialing side does, `hear`.
class Link {
public:
    using Hear = std::function<void(const Stream&, ByteView)>;

    Link(std::size_t threads, bool is_tls, Hear serve, Hear hear)
        : network_(Network::start({.name = "bench", .thread_count = threads}).value()) {
        ListenOptions listen;
        listen.stream = kStreamOptions;
        if (is_tls) listen.tls = ListenTls{identity(1), [](const TlsPublicKey&) { return true; }};
        listener_ =
            network_->listen(listen, std::make_unique<Accept>(std::move(serve), &idle_)).value();
        ConnectOptions connect{.host = "127.0.0.1", .port = listener_->port()};
        connect.stream = kStreamOptions;
        if (is_tls) connect.tls = ConnectTls{identity(2), identity(1).public_key()};
        stream_ =
            network_->connect(connect, std::make_unique<Receiver>(std::move(hear), &writable_))
                .value();
    }

    const Stream& stream() const { return *stream_; }

    void write(std::size_t size) {
        Bytes bytes(size);
        for (;;) {
            const int seen = writable_;
            if (stream_->write(std::move(bytes))) return;
            writable_.wait(seen);
        }
    }

private:
    static constexpr StreamOptions kStreamOptions{.send_bytes_max = std::size_t{1} << 20};

    class Receiver final : public StreamReceiver {
    public:
        Receiver(Hear hear, std::atomic<int>* writable)
            : hear_(std::move(hear)), writable_(writable) {}

        void on_open(const Stream& stream) override { stream_ = stream; }

        std::size_t on_bytes(ByteView bytes) override {
            hear_(*stream_, bytes);
            return bytes.size();
        }

        void on_end() override {}

        void on_writable() override {
            ++*writable_;
            writable_->notify_all();
        }

        void on_close(const Result<>&) override {}

    private:
        Hear hear_;
        std::atomic<int>* writable_;
        std::optional<Stream> stream_;
    };

    class Accept final : public Acceptor {
    public:
        Accept(Hear hear, std::atomic<int>* writable)
            : hear_(std::move(hear)), writable_(writable) {}

        std::unique_ptr<StreamReceiver> accept(const Stream&) override {
            return std::make_unique<Receiver>(hear_, writable_);
        }

    private:
        Hear hear_;
        std::atomic<int>* writable_;
    };

    std::atomic<int> idle_{0};
    std::atomic<int> writable_{0};
    std::unique_ptr<Network> network_;
    std::unique_ptr<Listener> listener_;
    std::optional<Stream> stream_;
};

// A count that one thread raises and another waits for.
class Goal {
public:
    void add(std::size_t count) {
        if (left_.fetch_sub(static_cast<std::ptrdiff_t>(count)) ==
            static_cast<std::ptrdiff_t>(count)) {
            left_.notify_all();
        }
    }

    void set(std::size_t count) { left_ = static_cast<std::ptrdiff_t>(count); }

    void wait() const {
        for (auto left = left_.load(); left != 0; left = left_.load()) left_.wait(left);
    }

private:
    std::atomic<std::ptrdiff_t> left_{0};
};

// ---------------------------------------------------------------- bare OpenSSL

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

Context bare_context() {
    Context context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
    EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    X509* const certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, nullptr);
    SSL_CTX_use_certificate(context.get(), certificate);
    SSL_CTX_use_PrivateKey(context.get(), key);
    SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

// Two threads, one writing and one reading, on two connected blocking sockets.
class BareTls {
public:
    explicit BareTls(std::array<int, 2> sockets) : sockets_(sockets), context_(bare_context()) {
        for (std::size_t i = 0; i < 2; ++i) {
            sessions_.emplace_back(SSL_new(context_.get()), SSL_free);
            SSL_set_fd(sessions_[i].get(), sockets_[i]);
        }
        std::thread server([&] {
            if (SSL_accept(sessions_[1].get()) != 1) give_up("SSL_accept");
        });
        if (SSL_connect(sessions_[0].get()) != 1) give_up("SSL_connect");
        server.join();
    }

    ~BareTls() {
        for (const int socket : sockets_) ::close(socket);
    }

    BareTls(const BareTls&) = delete;
    BareTls& operator=(const BareTls&) = delete;

    void transfer(std::size_t write_bytes) {
        std::thread reader([&] {
            Bytes buffer(std::size_t{64} << 10);
            for (std::size_t left = kBulkBytes; left > 0;) {
                const int count =
                    SSL_read(sessions_[1].get(), buffer.data(), static_cast<int>(buffer.size()));
                if (count <= 0) give_up("SSL_read");
                left -= static_cast<std::size_t>(count);
            }
        });
        for (std::size_t left = kBulkBytes; left > 0; left -= write_bytes) {
            const Bytes bytes(write_bytes);
            if (SSL_write(sessions_[0].get(), bytes.data(), static_cast<int>(write_bytes)) <= 0)
                give_up("SSL_write");
        }
        reader.join();
    }

private:
    std::array<int, 2> sockets_;
    Context context_;
    std::vector<Session> sessions_;
};

std::array<int, 2> unix_pair() {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) != 0) give_up("socketpair");
    return sockets;
}

using boost::asio::ip::tcp;

std::pair<tcp::socket, tcp::socket> tcp_pair(boost::asio::io_context& context) {
    tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
    tcp::socket client(context);
    client.connect(acceptor.local_endpoint());
    tcp::socket server = acceptor.accept();
    client.set_option(tcp::no_delay(true));
    server.set_option(tcp::no_delay(true));
    return {std::move(client), std::move(server)};
}

std::array<int, 2> tcp_pair() {
    boost::asio::io_context context;
    auto [client, server] = tcp_pair(context);
    return {::dup(client.native_handle()), ::dup(server.native_handle())};
}

// ---------------------------------------------------------------- bare Asio

// A message goes to and fro between two sockets of one thread.
class BareAsio {
public:
    BareAsio() : sockets_(tcp_pair(context_)) {}

    void run() {
        left_ = kMessages;
        context_.restart();
        echo();
        send();
        context_.run();
    }

private:
    void echo() {
        if (left_ == 0) return;
        sockets_.second.async_read_some(
            boost::asio::buffer(echo_bytes_), [this](auto error, std::size_t count) {
                if (error) give_up("Asio read");
                boost::asio::async_write(sockets_.second,
                                         boost::asio::buffer(echo_bytes_, count),
                                         [this](auto, std::size_t) { echo(); });
            });
    }

    void send() {
        const auto message = std::make_shared<Bytes>(kMessageBytes);
        boost::asio::async_write(sockets_.first,
                                 boost::asio::buffer(*message),
                                 [this, message](auto, std::size_t) { receive(kMessageBytes); });
    }

    void receive(std::size_t missing) {
        sockets_.first.async_read_some(boost::asio::buffer(bytes_),
                                       [this, missing](auto error, std::size_t count) {
                                           if (error) give_up("Asio read");
                                           if (count < missing) return receive(missing - count);
                                           if (--left_ > 0)
                                               send();
                                           else
                                               context_.stop();
                                       });
    }

    boost::asio::io_context context_{1};
    std::pair<tcp::socket, tcp::socket> sockets_;
    std::array<std::uint8_t, 4096> echo_bytes_{};
    std::array<std::uint8_t, 4096> bytes_{};
    int left_ = 0;
};

// ---------------------------------------------------------------- figures

double cpu_ns(const std::function<void()>& work) {
    timespec before{};
    timespec after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    work();
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return static_cast<double>(after.tv_sec - before.tv_sec) * 1e9 +
           static_cast<double>(after.tv_nsec - before.tv_nsec);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void compare(const std::string& name,
             const char* peer,
             const char* target,
             double unit_count,
             const std::function<void()>& ours,
             const std::function<void()>& theirs) {
    constexpr int kRounds = 7;
    std::vector<double> ours_ns;
    std::vector<double> theirs_ns;
    for (int i = 0; i < kRounds; ++i) {
        ours_ns.push_back(cpu_ns(ours));
        theirs_ns.push_back(cpu_ns(theirs));
    }
    std::printf("io %s: %.3f ns, peer %.3f ns\n",
                name.c_str(),
                median(ours_ns) / unit_count,
                median(theirs_ns) / unit_count);
    std::printf("ratio io %s: %.2f (target <= %s) peer=%s\n",
                name.c_str(),
                median(ours_ns) / median(theirs_ns),
                target,
                peer);
}

void compare_bulk() {
    Goal goal;
    Link link(
        2,
        true,
        [&](const Stream&, ByteView bytes) { goal.add(bytes.size()); },
        [](const Stream&, ByteView) {});
    BareTls over_unix(unix_pair());
    BareTls over_tcp(tcp_pair());
    for (const std::size_t write_bytes : {std::size_t{64} << 10, std::size_t{1} << 20}) {
        const auto ours = [&] {
            goal.set(kBulkBytes);
            for (std::size_t left = kBulkBytes; left > 0; left -= write_bytes)
                link.write(write_bytes);
            goal.wait();
        };
        const std::string name =
            "TLS CPU per byte, writes of " + std::to_string(write_bytes >> 10) + " KiB";
        compare(name + ", TCP",
                "OpenSSL SSL_write/SSL_read over a TCP pair",
                "1.1",
                kBulkBytes,
                ours,
                [&] { over_tcp.transfer(write_bytes); });
        compare(name, "OpenSSL SSL_write/SSL_read over a socketpair", "1.3", kBulkBytes, ours, [&] {
            over_unix.transfer(write_bytes);
        });
    }
}

void compare_messages() {
    Goal goal;
    std::atomic<int> left{0};
    std::size_t received = 0;
    Link link(
        1,
        false,
        [](const Stream& stream, ByteView bytes) {
            if (!stream.write(to_bytes(bytes))) give_up("echo");
        },
        [&](const Stream& stream, ByteView bytes) {
            received += bytes.size();
            if (received < kMessageBytes) return;
            received -= kMessageBytes;
            if (--left > 0 && !stream.write(Bytes(kMessageBytes))) give_up("write");
            goal.add(1);
        });
    BareAsio asio;
    compare(
        "200 B message and answer CPU",
        "boost::asio async_read_some and async_write",
        "1.2",
        kMessages,
        [&] {
            left = kMessages;
            goal.set(kMessages);
            link.write(kMessageBytes);
            goal.wait();
        },
        [&] { asio.run(); });
}

}  // namespace

void print_network_ratios() {
    compare_bulk();
    compare_messages();
}

}  // namespace draco::io
