#include "client_port.hpp"

#include "transaction_layout.hpp"

#include <optional>

namespace draco::consensus_bench {
namespace {

constexpr Duration kBusyPause = std::chrono::milliseconds(2);
constexpr std::size_t kReceiveBytes = std::size_t{256} << 10;

class ClientReceiver final : public io::StreamReceiver {
public:
    ClientReceiver(Executor& executor, interfaces::Consensus& consensus)
        : executor_(executor), consensus_(consensus) {}

    void on_open(const io::Stream& stream) override { stream_ = stream; }

    std::size_t on_bytes(ByteView bytes) override {
        std::size_t taken = 0;
        while (bytes.size() - taken >= kFrameHeaderBytes) {
            const auto size = load_le<std::uint32_t>(bytes.data() + taken);
            if (size < types::kTransactionBytesMin || size > types::kTransactionBytesMax) {
                stream_->abort();
                return bytes.size();
            }
            if (bytes.size() - taken - kFrameHeaderBytes < size) break;
            auto transaction = types::TransactionBytes::make(
                to_bytes(bytes.subspan(taken + kFrameHeaderBytes, size)));
            if (!consensus_.submit(std::move(*transaction))) {
                executor_.post_after(kBusyPause, [stream = *stream_] { stream.resume_reading(); });
                break;
            }
            taken += kFrameHeaderBytes + size;
        }
        return taken;
    }

    void on_end() override { stream_->close(); }

    void on_writable() override {}

    void on_close(const Result<>& /*why*/) override {}

private:
    Executor& executor_;
    interfaces::Consensus& consensus_;
    std::optional<io::Stream> stream_;
};

class ClientAcceptor final : public io::Acceptor {
public:
    ClientAcceptor(Executor& executor, interfaces::Consensus& consensus)
        : executor_(executor), consensus_(consensus) {}

    std::unique_ptr<io::StreamReceiver> accept(const io::Stream& /*stream*/) override {
        return std::make_unique<ClientReceiver>(executor_, consensus_);
    }

private:
    Executor& executor_;
    interfaces::Consensus& consensus_;
};

}  // namespace

Result<std::unique_ptr<io::Listener>> listen_for_clients(io::Network& network,
                                                         Executor& executor,
                                                         interfaces::Consensus& consensus) {
    io::ListenOptions options;
    options.stream.receive_bytes_max = kReceiveBytes;
    options.stream.idle_deadline = std::chrono::hours(1);
    return network.listen(options, std::make_unique<ClientAcceptor>(executor, consensus));
}

}  // namespace draco::consensus_bench
