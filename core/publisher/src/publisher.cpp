#include "draco/publisher/publisher.hpp"

#include "draco/base/text_encoding.hpp"

#include "answers.hpp"
#include "fetches.hpp"
#include "query.hpp"
#include "uploads.hpp"

#include <boost/json/array.hpp>

#include <charconv>
#include <optional>
#include <utility>

namespace draco::publisher {
namespace {

namespace json = boost::json;

using Answer = Result<http::Response>;

struct Place {
    std::string_view collection;  // "uploads"
    std::string_view name;        // "", or one of them
    std::string_view part;        // "", or what of it
};

// "uploads/3" below the prefix; nullopt if there is more.
std::optional<Place> place_of(std::string_view path) {
    if (!path.starts_with(kPathPrefix)) return std::nullopt;
    path.remove_prefix(kPathPrefix.size());
    Place place;
    std::string_view* const parts[] = {&place.collection, &place.name, &place.part};
    for (std::string_view* part : parts) {
        const std::size_t slash = path.find('/');
        *part = path.substr(0, slash);
        if (slash == std::string_view::npos) return place;
        path.remove_prefix(slash + 1);
    }
    return std::nullopt;
}

Result<types::ContentHash> hash_of(std::string_view text) {
    const auto hash = fixed_from_hex<types::ContentHash>(text);
    if (!hash)
        return fail(Errc::InvalidArgument,
                    "'" + std::string(text.substr(0, 80)) + "' is no address: 64 hex digits");
    return *hash;
}

Result<std::uint64_t> upload_id_of(std::string_view text) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return fail(Errc::InvalidArgument,
                    "'" + std::string(text.substr(0, 80)) + "' is no number of an upload");
    return id;
}

http::Response wrong_method(std::string_view allowed) {
    http::Response made = refusal(
        405, "this path does not take the request's method", "docs/formats/publish.md has them");
    made.fields.add("Allow", std::string(allowed));
    return made;
}

json::object object_of(const types::DirectoryEntry& entry) {
    json::object made{{"name", *entry.name}};
    if (const auto* hash = std::get_if<types::ContentHash>(&entry.target))
        made["hash"] = to_hex(hash->view());
    else
        made["link"] = *std::get<types::LinkTarget>(entry.target);
    return made;
}

}  // namespace

class Publisher::State : public std::enable_shared_from_this<State> {
public:
    State(PublisherParts parts, const PublisherLimits& limits)
        : parts_(std::move(parts)),
          limits_(limits),
          logger_(parts_.log, "publisher"),
          uploads_(parts_.store, parts_.executor.clock(), limits_),
          fetches_(
              std::make_shared<Fetches>(parts_.source, parts_.store, parts_.executor, limits_)) {}

    void on_request(http::Request request, std::unique_ptr<http::Responder> responder) {
        if (!parts_.is_owner(request.fields.find("Authorization").value_or(""))) {
            http::Response refused = refusal(
                401,
                "only the owner of this node may do this",
                "send the header 'Authorization: Bearer TOKEN' with the token of the node's home");
            refused.fields.add("WWW-Authenticate", "Bearer");
            return responder->respond(std::move(refused));
        }
        parts_.executor.post([self = shared_from_this(),
                              request = std::move(request),
                              responder = std::move(responder)]() mutable {
            self->answer(request, std::move(responder));
        });
    }

private:
    void answer(const http::Request& request, std::unique_ptr<http::Responder> responder) {
        const auto target = http::parse_target(request.target);
        const auto place = target ? place_of(target->path) : std::nullopt;
        if (place && place->part == "entries" && place->collection == "objects")
            return list_entries(request, *place, target->query, std::move(responder));
        Answer made = place ? route(request, *place, target->query) : Answer(nothing_here());
        responder->respond(made ? std::move(*made) : refusal(made.error()));
    }

    static http::Response nothing_here() {
        return refusal(
            404, "there is nothing at this path", "docs/formats/publish.md has the paths");
    }

    Answer route(const http::Request& request, const Place& place, std::string_view query) {
        if (!place.part.empty()) return nothing_here();
        if (place.collection == "uploads")
            return place.name.empty() ? begin(request, query) : upload(request, place.name, query);
        if (place.collection == "objects") {
            if (!place.name.empty()) return remove(request, place.name);
            return request.method == "POST" ? put(request, query) : list(request, query);
        }
        if (place.collection == "pins" && !place.name.empty()) return pin(request, place.name);
        return nothing_here();
    }

    // --- uploads ---

    static Result<types::ContentKind> kind_of(std::string_view query) {
        const std::string_view kind = query_value(query, "kind").value_or("file");
        if (kind == "file") return types::ContentKind::File;
        if (kind == "directory") return types::ContentKind::Directory;
        return fail(Errc::InvalidArgument, "'kind' is neither file nor directory");
    }

    Answer begin(const http::Request& request, std::string_view query) {
        if (request.method != "POST") return wrong_method("POST");
        DRACO_TRY_VOID(check_query(query, {"kind"}));
        DRACO_TRY(kind, kind_of(query));
        DRACO_TRY(id, uploads_.begin(kind));
        return json_answer(201, {{"upload", std::to_string(id)}});
    }

    Answer end(std::uint64_t id, bool pinned) {
        DRACO_TRY(info, uploads_.finish(id, pinned));
        announce(info.hash);
        json::object made = publisher::object_of(info);
        made["pinned"] = pinned;
        return json_answer(200, made);
    }

    // What fits into one request.
    Answer put(const http::Request& request, std::string_view query) {
        DRACO_TRY_VOID(check_query(query, {"kind", "pin"}));
        DRACO_TRY(kind, kind_of(query));
        DRACO_TRY(pinned, query_flag(query, "pin"));
        DRACO_TRY(id, uploads_.begin(kind));
        if (const auto taken = uploads_.append(id, 0, request.body); !taken) {
            static_cast<void>(uploads_.abandon(id));
            return std::unexpected(taken.error());
        }
        return end(id, pinned);
    }

    Answer upload(const http::Request& request, std::string_view name, std::string_view query) {
        DRACO_TRY(id, upload_id_of(name));
        if (request.method == "PUT") {
            DRACO_TRY_VOID(check_query(query, {"offset"}));
            DRACO_TRY(offset, query_number(query, "offset", 0));
            DRACO_TRY(bytes, uploads_.append(id, offset, request.body));
            return json_answer(200, {{"bytes", bytes}});
        }
        if (request.method == "POST") {
            DRACO_TRY_VOID(check_query(query, {"pin"}));
            DRACO_TRY(pinned, query_flag(query, "pin"));
            return end(id, pinned);
        }
        if (request.method == "DELETE") {
            DRACO_TRY_VOID(uploads_.abandon(id));
            return no_content();
        }
        return wrong_method("PUT, POST, DELETE");
    }

    // --- objects ---

    Answer list(const http::Request& request, std::string_view query) {
        if (request.method != "GET") return wrong_method("GET, POST");
        DRACO_TRY_VOID(check_query(query, {"after", "limit"}));
        std::optional<types::ContentHash> after;
        if (const auto text = query_value(query, "after")) {
            DRACO_TRY(hash, hash_of(*text));
            after = hash;
        }
        DRACO_TRY(limit, query_number(query, "limit", limits_.page_max));
        const std::size_t count =
            std::clamp<std::size_t>(static_cast<std::size_t>(limit), 1, limits_.page_max);
        const auto page = parts_.store.list(after, count);
        json::array objects;
        for (const interfaces::ListedContent& each : page) {
            json::object made = publisher::object_of(each.info);
            made["pinned"] = each.pinned;
            objects.push_back(std::move(made));
        }
        const interfaces::StoreUsage usage = parts_.store.usage();
        json::value next;
        if (page.size() == count) next = to_hex(page.back().info.hash.view());
        return json_answer(200,
                           {{"objects", std::move(objects)},
                            {"next", next},
                            {"usage",
                             {{"bytes", usage.bytes},
                              {"bytes_max", usage.bytes_max},
                              {"objects", usage.objects},
                              {"pinned_objects", usage.pinned_objects}}}});
    }

    Answer remove(const http::Request& request, std::string_view name) {
        if (request.method != "DELETE") return wrong_method("DELETE");
        DRACO_TRY(hash, hash_of(name));
        DRACO_TRY_VOID(parts_.store.remove(hash));
        parts_.providers.withdraw(hash);
        return no_content();
    }

    void list_entries(const http::Request& request,
                      const Place& place,
                      std::string_view query,
                      std::unique_ptr<http::Responder> responder) {
        const auto hash = hash_of(place.name);
        const auto known = check_query(query, {"first"});
        const auto first = query_number(query, "first", 0);
        if (request.method != "GET") return responder->respond(wrong_method("GET"));
        if (!hash) return responder->respond(refusal(hash.error()));
        if (!known) return responder->respond(refusal(known.error()));
        if (!first) return responder->respond(refusal(first.error()));
        parts_.source.open_for(
            {.kind = interfaces::AskerClass::Owner},
            *hash,
            parts_.executor.clock().now() + limits_.fetch_deadline,
            [self = shared_from_this(), first = *first, responder = std::move(responder)](
                auto content) mutable {
                self->parts_.executor.post(
                    [self, first, content = std::move(content), responder = std::move(responder)] {
                        responder->respond(
                            content
                                ? self->entries_page(**content, first)
                                : refusal(self->judged(content.error(), blake3_tree::kBlockBytes)));
                    });
            });
    }

    http::Response entries_page(const interfaces::Content& content, std::uint64_t first) const {
        const types::ContentInfo info = content.info();
        if (info.kind != types::ContentKind::Directory)
            return refusal(400, "the object is a file", "read it at /b3/HASH of the HTTP port");
        if (first > info.leaves)
            return refusal(400, "the directory has fewer entries", "begin at 0");
        const auto entries = content.entries(first, limits_.page_max);
        if (!entries) return refusal(entries.error());
        json::array listed;
        for (const types::DirectoryEntry& entry : *entries) listed.push_back(object_of(entry));
        json::value next;
        if (first + entries->size() < info.leaves && !entries->empty())
            next = first + entries->size();
        return json_answer(
            200, {{"entries", std::move(listed)}, {"next", next}, {"entry_count", info.leaves}});
    }

    // --- pins ---

    Answer pin(const http::Request& request, std::string_view name) {
        DRACO_TRY(hash, hash_of(name));
        if (request.method == "DELETE") {
            const bool was_coming = fetches_->give_up(hash);
            const auto unpinned = parts_.store.unpin(hash);
            if (!unpinned && !(was_coming && unpinned.error().code == Errc::NotFound))
                return std::unexpected(unpinned.error());
            return no_content();
        }
        if (request.method != "PUT") return wrong_method("PUT, DELETE");
        const auto pinned = parts_.store.pin(hash);
        if (pinned) return json_answer(200, {{"hash", to_hex(hash.view())}, {"pinned", true}});
        if (pinned.error().code != Errc::NotFound) return std::unexpected(pinned.error());
        DRACO_TRY(state, fetches_->advance(hash));
        if (state.ended && !state.outcome)
            return std::unexpected(judged(
                state.outcome.error(), state.info ? state.info->bytes : blake3_tree::kBlockBytes));
        json::object made{{"hash", to_hex(hash.view())}, {"pinned", false}};
        made["blocks_here"] = state.blocks;
        if (state.info) made["object"] = publisher::object_of(*state.info);
        return json_answer(202, made);
    }

    // A source is Exhausted when the store is full, or when too much is asked of it at once. The
    // first lasts until the owner acts: what is pinned leaves no room for so many bytes.
    Error judged(Error error, std::uint64_t bytes) const {
        if (error.code == Errc::Exhausted && has_room_beside_pins(bytes))
            error.code = Errc::Unavailable;
        return error;
    }

    // Costs O(objects).
    bool has_room_beside_pins(std::uint64_t bytes) const {
        constexpr std::uint64_t kLeafBytes = 64;  // of its tree, about
        std::uint64_t left = parts_.store.usage().bytes_max;
        std::optional<types::ContentHash> after;
        while (true) {
            const auto page = parts_.store.list(after, limits_.page_max);
            for (const interfaces::ListedContent& each : page)
                if (each.pinned)
                    left -= std::min(left, each.info.bytes + kLeafBytes * each.info.leaves);
            if (page.size() < limits_.page_max) return bytes <= left;
            after = page.back().info.hash;
        }
    }

    void announce(const types::ContentHash& hash) const {
        const auto said = parts_.providers.provide(hash);
        if (said) return;
        logger_.warn("content is not announced",
                     {{"hash", to_hex(hash.view())}, {"error", to_string(said.error())}});
    }

    const PublisherParts parts_;
    const PublisherLimits limits_;
    const log::Logger logger_;
    Uploads uploads_;
    const std::shared_ptr<Fetches> fetches_;
};

Publisher::Publisher(PublisherParts parts, PublisherLimits limits)
    : state_(std::make_shared<State>(std::move(parts), limits)) {}

Publisher::~Publisher() = default;

void Publisher::on_request(http::Request request,
                           const std::string& /*client*/,
                           std::unique_ptr<http::Responder> responder) {
    state_->on_request(std::move(request), std::move(responder));
}

}  // namespace draco::publisher
