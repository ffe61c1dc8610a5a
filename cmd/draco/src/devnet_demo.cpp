#include "devnet_demo.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/client/client.hpp"
#include "draco/node/devnet_genesis.hpp"

#include "content_owner.hpp"
#include "content_roots.hpp"
#include "local_tree.hpp"
#include "paid_lane.hpp"
#include "rpc_client.hpp"
#include "shown_text.hpp"
#include "told_failures.hpp"
#include "transaction_sender.hpp"
#include "upload.hpp"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace draco {
namespace {

constexpr auto kPause = std::chrono::seconds(2);  // between two visits
constexpr std::string_view kReserveUsd = "5";

class Discard final : public client::Sink {
public:
    Result<> write(std::uint64_t /*index*/, ByteView /*block*/) override { return {}; }
};

void list_files(const LocalEntry& entry, const std::string& path, std::vector<std::string>& files) {
    if (entry.kind == LocalEntry::Kind::File) files.push_back(path);
    for (const LocalEntry& each : entry.entries) {
        std::string below = path;
        if (!below.empty()) below += "/";
        list_files(each, below.append(each.name), files);
    }
}

}  // namespace

class DevnetDemo::Reader {
public:
    Reader(NodeHome home,
           types::AccountSecretKey account,
           std::unique_ptr<client::Client> client,
           std::vector<DevnetNodeRecord> nodes,
           std::string folder,
           std::string hash,
           std::vector<std::string> files)
        : home_(std::move(home)),
          account_(std::move(account)),
          client_(std::move(client)),
          nodes_(std::move(nodes)),
          folder_(std::move(folder)),
          hash_(std::move(hash)),
          files_(std::move(files)),
          thread_([this](const std::stop_token& stop) { run(stop); }) {}

    const std::string& folder() const { return folder_; }

    const std::string& hash() const { return hash_; }

private:
    void run(const std::stop_token& stop) {
        ToldFailures told;
        for (std::size_t i = 0; !stop.stop_requested(); ++i) {
            const DevnetNodeRecord& node = nodes_[i % nodes_.size()];
            const auto visited = visit(node, stop);
            if (visited && told.works(node.index))
                std::fprintf(stderr, "the reader at node %zu reads again\n", node.index);
            else if (!visited && !stop.stop_requested() &&
                     told.is_new(node.index, visited.error().code))
                std::fprintf(stderr,
                             "the reader at node %zu: %s; it goes on trying\n",
                             node.index,
                             shown(to_string(visited.error())).c_str());
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, kPause, [] { return false; });
        }
    }

    Result<> visit(const DevnetNodeRecord& node, const std::stop_token& stop) {
        const RpcClient rpc(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
        DRACO_TRY(key, parse_node_key(node.key));
        DRACO_TRY(root, root_hash());
        DRACO_TRY(lane,
                  PaidLane::of(rpc,
                               home_,
                               account_,
                               node.key,
                               {.reserve_usd = std::string(kReserveUsd), .is_quiet = true}));
        DRACO_TRY(session,
                  client_->connect({.host = "127.0.0.1",
                                    .port = node.session_port,
                                    .key = key,
                                    .lane = &lane->credentials()}));
        for (const std::string& file : files_) {
            if (stop.stop_requested()) return {};
            DRACO_TRY(
                hash,
                file.empty() ? Result<types::ContentHash>(root) : session->resolve(root, file));
            Discard sink;
            DRACO_TRY_VOID(session->get(hash, sink));
        }
        return {};
    }

    Result<types::ContentHash> root_hash() const {
        const auto hash = fixed_from_hex<types::ContentHash>(hash_);
        if (!hash) return fail(Errc::Corrupt, "the node answered with no address");
        return *hash;
    }

    const NodeHome home_;
    const types::AccountSecretKey account_;
    const std::unique_ptr<client::Client> client_;
    const std::vector<DevnetNodeRecord> nodes_;
    const std::string folder_;
    const std::string hash_;
    const std::vector<std::string> files_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

Result<std::unique_ptr<DevnetDemo>> DevnetDemo::start(const std::string& devnet_home,
                                                      const DevnetRecord& record,
                                                      const std::string& folder) {
    DRACO_TRY(tree, read_local_tree(folder));
    DRACO_TRY(owner, ContentOwner::of({.command = "put", .home = devnet_home, .node = {}}));
    DRACO_TRY(hash, upload(owner, tree, folder, true));
    // It is published, whatever becomes of its name.
    if (const auto named = add_root(owner.home(), hash, folder); !named)
        std::fprintf(stderr,
                     "the name of what is published is not kept: %s\n",
                     shown(to_string(named.error())).c_str());
    DRACO_TRY(chain, chain_of(owner.rpc()));
    DRACO_TRY(home, NodeHome::create(devnet_home + "/reader"));
    DRACO_TRY(account, node::devnet_account(kAccount));
    DRACO_TRY(client, client::Client::start({.chain = chain.id}));
    std::vector<std::string> files;
    list_files(tree.root, "", files);
    return std::unique_ptr<DevnetDemo>(new DevnetDemo(std::make_unique<Reader>(std::move(home),
                                                                               std::move(account),
                                                                               std::move(client),
                                                                               record.nodes,
                                                                               folder,
                                                                               std::move(hash),
                                                                               std::move(files))));
}

DevnetDemo::DevnetDemo(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}

DevnetDemo::~DevnetDemo() = default;

const std::string& DevnetDemo::folder() const {
    return reader_->folder();
}

const std::string& DevnetDemo::hash() const {
    return reader_->hash();
}

}  // namespace draco
