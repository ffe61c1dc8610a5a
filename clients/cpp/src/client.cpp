#include "draco/client/client.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/system_rng.hpp"

#include "download.hpp"
#include "session_state.hpp"

#include <algorithm>
#include <string>

namespace draco::client {

namespace wire = types::session;

namespace {

// Above the node's own deadline for sessions in which nothing is said.
constexpr Duration kIdleDeadline = std::chrono::minutes(10);

std::string name_of(const NodeAddress& node) {
    return node.host + ":" + std::to_string(node.port);
}

std::unexpected<Error> nobody(std::span<const NodeAddress> nodes,
                              const std::vector<Error>& answers,
                              const Download& download) {
    const Errc code = answers.back().code;
    if (answers.size() == 1)
        return fail(code, name_of(nodes.front()) + ": " + answers.front().context);
    const bool is_unknown =
        std::ranges::all_of(answers, [](const Error& each) { return each.code == Errc::NotFound; });
    if (is_unknown)
        return fail(code,
                    "none of " + std::to_string(answers.size()) + " nodes has " +
                        to_hex(download.hash().view()));
    std::string all;
    for (std::size_t i = 0; i < answers.size(); ++i)
        all += (i == 0 ? "" : "; ") + name_of(nodes[i]) + ": " + to_string(answers[i]);
    return fail(code,
                "no node delivered the content" +
                    (download.next() == 0 ? std::string()
                                          : " beyond block " + std::to_string(download.next())) +
                    " (" + all + ")");
}

}  // namespace

Result<std::unique_ptr<Client>> Client::start(const ClientOptions& options) {
    if (options.blocks_ahead == 0 || options.blocks_ahead > wire::kRangesMax)
        return fail(Errc::InvalidArgument,
                    "blocks_ahead is 1 to " + std::to_string(wire::kRangesMax) + ", not " +
                        std::to_string(options.blocks_ahead));
    if (options.unverified_bytes_per_s_min == 0 || options.unverified_slow_bytes_per_s_min == 0)
        return fail(Errc::InvalidArgument,
                    "unverified_bytes_per_s_min and unverified_slow_bytes_per_s_min are above 0");
    crypto::SystemRng rng;
    // Nodes ask for no certificate; the key only satisfies the TLS of lib/io.
    DRACO_TRY(identity, io::TlsIdentity::create(crypto::Ed25519Seed::draw(rng), wire::kAlpn));
    std::unique_ptr<Client> client(new Client(options, identity));
    DRACO_TRY(network, io::Network::start({.name = "client", .thread_count = 1}));
    client->network_ = std::move(network);
    return client;
}

Client::Client(const ClientOptions& options, io::TlsIdentity identity)
    : options_(options), identity_(std::move(identity)) {}

Client::~Client() {
    if (network_) network_->stop();
}

Result<std::unique_ptr<Session>> Client::connect(const NodeAddress& node) {
    if (node.lane != nullptr && !node.key)
        return fail(Errc::InvalidArgument,
                    "a lane is with one node: say which key " + name_of(node) + " has");
    std::optional<io::TlsPublicKey> expected;
    if (node.key) expected.emplace(node.key->view());
    DRACO_TRY(connection,
              Connection::open(*network_,
                               {.host = node.host,
                                .port = node.port,
                                .deadline = options_.connect_deadline,
                                .tls = io::ConnectTls{.identity = identity_, .expected = expected},
                                .stream = {.receive_bytes_max =
                                               wire::kNodeMessageBytesMax + sizeof(std::uint32_t),
                                           .idle_deadline = kIdleDeadline}}));
    const types::NodeKey key = connection.key();
    auto state = std::make_unique<Session::State>(options_, std::move(connection), node.lane);
    DRACO_TRY_VOID(state->introduce(key));
    return std::unique_ptr<Session>(new Session(std::move(state)));
}

Result<Transfer> Client::get(std::span<const NodeAddress> nodes,
                             const types::ContentHash& hash,
                             Sink& sink,
                             const GetOptions& options) {
    if (nodes.empty()) return fail(Errc::InvalidArgument, "no node to get the content from");
    Download download(hash, options.first_block, options_.content_bytes_max);
    std::size_t nodes_left = 0;
    std::vector<Error> answers;
    std::uint64_t written_before = 0;
    do {
        written_before = download.blocks_written;
        answers.clear();
        for (const NodeAddress& node : nodes) {
            const auto outcome = try_node(node, download, sink, options);
            // All of it is here and verified, whatever came afterwards.
            if (outcome || (download.is_done() && !download.sink_error))
                return Transfer{.info = *download.info(),
                                .blocks = download.blocks_written,
                                .bytes = download.bytes_written,
                                .bytes_kept = download.bytes_kept,
                                .nodes_left = nodes_left};
            if (download.sink_error) return std::unexpected(*download.sink_error);
            ++nodes_left;
            answers.push_back(outcome.error());
        }
    } while (download.blocks_written > written_before);
    return nobody(nodes, answers, download);
}

// A node that fails against what another node said of the tree may be right: it gets a second try,
// with its own tree.
Result<> Client::try_node(const NodeAddress& node,
                          Download& download,
                          Sink& sink,
                          const GetOptions& options) {
    const bool is_tree_foreign = download.has_tree();
    Result<> outcome = fail(Errc::Unavailable, "");
    for (int attempt = 0; attempt < 2; ++attempt) {
        DRACO_TRY(session, connect(node));
        outcome = session->get(download, sink, options);
        if (outcome || !is_tree_foreign || download.sink_error ||
            outcome.error().code != Errc::Corrupt)
            return outcome;
        download.forget();
    }
    return outcome;
}

}  // namespace draco::client
