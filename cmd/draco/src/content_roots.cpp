#include "content_roots.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/types/content.hpp"

#include "node_home.hpp"
#include "rpc_client.hpp"
#include "shown_text.hpp"
#include "text_file.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::size_t kFileBytesMax = std::size_t{128} << 20;
constexpr int kLockAttempts = 50;
constexpr auto kLockPause = std::chrono::milliseconds(100);

std::string roots_path(const std::string& home) {
    return home + "/roots.json";
}

Result<> read_root(const json::value& value, ContentRoots& roots) {
    DRACO_TRY(hash, text_member(value, "hash"));
    DRACO_TRY(name, text_member(value, "name"));
    DRACO_TRY(put_ms, number_member(value, "put_ms"));
    if (!fixed_from_hex<types::ContentHash>(hash)) return fail(Errc::Corrupt, "no hash");
    roots[hash] = {.name = std::move(name), .put_ms = put_ms};
    return {};
}

std::string roots_text(const ContentRoots& roots) {
    json::array listed;
    for (const auto& [hash, root] : roots)
        listed.push_back({{"hash", hash}, {"name", root.name}, {"put_ms", root.put_ms}});
    return as_utf8(json::serialize(json::object{{"version", 1}, {"roots", listed}})) + "\n";
}

void drop_oldest(ContentRoots& roots) {
    while (roots.size() > kRootsMax)
        roots.erase(std::ranges::min_element(
            roots, {}, [](const auto& each) { return each.second.put_ms; }));
}

Result<> change(const std::string& home, const std::function<void(ContentRoots&)>& edit) {
    DRACO_TRY(opened, NodeHome::open(home));
    auto lock = opened.disk().lock("roots.lock");
    for (int attempt = 1;
         !lock && lock.error().code == Errc::Unavailable && attempt < kLockAttempts;
         ++attempt) {
        std::this_thread::sleep_for(kLockPause);
        lock = opened.disk().lock("roots.lock");
    }
    if (!lock) return std::unexpected(lock.error());
    DRACO_TRY(roots, read_roots(home));
    const ContentRoots before = roots;
    edit(roots);
    drop_oldest(roots);
    return roots == before ? Result<>() : replace_text_file(roots_path(home), roots_text(roots));
}

}  // namespace

Result<ContentRoots> read_roots(const std::string& home) {
    const std::string path = roots_path(home);
    if (!path_exists(path)) return ContentRoots();
    DRACO_TRY(text, read_text_file(path, kFileBytesMax));
    boost::system::error_code failed;
    const json::value value = json::parse(text, failed);
    const auto* object = value.if_object();
    const auto* listed = object == nullptr ? nullptr : object->if_contains("roots");
    bool is_sound = !failed && listed != nullptr && listed->is_array() &&
                    number_member(value, "version").value_or(0) == 1;
    ContentRoots roots;
    if (is_sound)
        for (const json::value& each : listed->get_array())
            is_sound = is_sound && read_root(each, roots).has_value();
    if (is_sound) return roots;
    return fail(Errc::Corrupt,
                path +
                    " is damaged: remove it, and the names of what was put are forgotten, "
                    "nothing else");
}

Result<> add_root(const std::string& home, const std::string& hash, const std::string& name) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return change(home, [&](ContentRoots& roots) {
        roots[hash] = {.name = as_utf8(name.substr(0, kRootNameBytesMax)),
                       .put_ms = static_cast<std::uint64_t>(now.count())};
    });
}

Result<> remove_root(const std::string& home, const std::string& hash) {
    return change(home, [&](ContentRoots& roots) { roots.erase(hash); });
}

}  // namespace draco
