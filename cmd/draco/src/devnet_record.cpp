#include "devnet_record.hpp"

#include "text_file.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <limits>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::size_t kRecordBytesMax = std::size_t{1} << 20;

json::value to_json(const DevnetNodeRecord& node) {
    return {{"index", node.index},
            {"key", node.key},
            {"link_port", node.link_port},
            {"http_port", node.http_port},
            {"session_port", node.session_port},
            {"rpc_port", node.rpc_port},
            {"pid", node.process.pid},
            {"started_ticks", node.process.started_ticks}};
}

DevnetNodeRecord node_from(const json::value& value) {
    DevnetNodeRecord node;
    node.index = json::value_to<std::size_t>(value.at("index"));
    node.key = json::value_to<std::string>(value.at("key"));
    node.link_port = json::value_to<std::uint16_t>(value.at("link_port"));
    node.http_port = json::value_to<std::uint16_t>(value.at("http_port"));
    node.session_port = json::value_to<std::uint16_t>(value.at("session_port"));
    node.rpc_port = json::value_to<std::uint16_t>(value.at("rpc_port"));
    node.process.pid = json::value_to<pid_t>(value.at("pid"));
    node.process.started_ticks = json::value_to<std::uint64_t>(value.at("started_ticks"));
    if (node.process.pid < 0) node.process = {};
    return node;
}

DevnetRecord record_from(const json::value& value) {
    DevnetRecord record;
    record.epoch_s = json::value_to<std::uint64_t>(value.at("epoch_s"));
    for (const json::value& node : value.at("nodes").as_array()) {
        record.nodes.push_back(node_from(node));
        if (record.nodes.back().index != record.nodes.size() - 1 ||
            record.nodes.size() > kDevnetNodesMax)
            throw std::out_of_range("nodes");
    }
    return record;
}

}  // namespace

Result<DevnetRecord> load_devnet_record(const std::string& home) {
    const std::string path = home + "/" + std::string(kDevnetRecordFile);
    auto text = read_text_file(path, kRecordBytesMax);
    if (!text && text.error().code == Errc::NotFound)
        return fail(Errc::NotFound, "there is no devnet in " + home + "; run draco devnet up");
    if (!text) return std::unexpected(text.error());
    try {
        return record_from(json::parse(*text));
    } catch (const std::exception&) {  // Boost.JSON's way to say that it is another document
        return fail(Errc::Corrupt,
                    path + " is damaged; stop the nodes, remove " + home + " and start anew");
    }
}

Result<> save_devnet_record(const std::string& home, const DevnetRecord& record) {
    json::array nodes;
    for (const DevnetNodeRecord& node : record.nodes) nodes.push_back(to_json(node));
    const json::value document{{"epoch_s", record.epoch_s}, {"nodes", std::move(nodes)}};
    return replace_text_file(home + "/" + std::string(kDevnetRecordFile),
                             json::serialize(document) + "\n");
}

std::string node_home(const std::string& devnet_home, std::size_t index) {
    return devnet_home + "/node" + std::to_string(index);
}

}  // namespace draco
