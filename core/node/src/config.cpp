#include "draco/node/config.hpp"

#include "config_keys.hpp"
#include "disk_text.hpp"

#include <utility>

namespace draco::node {
namespace {

ConfigTable node_table(NodeConfig& config) {
    return {.sections = config_sections(),
            .keys = config_keys(config),
            .contradictions = [&config] { return contradictions(config); }};
}

}  // namespace

Result<NodeConfig> parse_config(std::string_view text, std::string_view name) {
    NodeConfig config;
    DRACO_TRY_VOID(read_config_table(text, name, node_table(config)));
    return config;
}

std::string render_config(const NodeConfig& config) {
    NodeConfig copy = config;
    return render_config_table(
        "# The configuration of a Draco node. Paths are relative to the folder of this file;\n"
        "# what is left out has the value that draco init writes.\n",
        node_table(copy));
}

Result<types::NodeEndpoints> endpoints_of(const NodeConfig& config) {
    types::NodeEndpoints endpoints;
    DRACO_TRY(host, decltype(endpoints.host)::make(config.node.advertised_host));
    endpoints.host = std::move(host);
    endpoints.link_port = config.links.port;
    endpoints.http_port = config.http.port;
    endpoints.session_port = config.session.port;
    endpoints.rpc_port = config.rpc.port;
    return endpoints;
}

Result<NodeConfig> load_config(Disk& home, std::string_view name) {
    DRACO_TRY(text, read_text(home, kConfigFile, kConfigBytesMax));
    return parse_config(text, name);
}

Result<> save_config(Disk& home, const NodeConfig& config) {
    return replace_text(home, kConfigFile, render_config(config));
}

}  // namespace draco::node
