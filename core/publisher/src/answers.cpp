#include "answers.hpp"

#include "draco/base/text_encoding.hpp"

#include <boost/json/serialize.hpp>

namespace draco::publisher {
namespace {

constexpr std::string_view kRetryAfterS = "5";

unsigned status_of(Errc code) {
    switch (code) {
        case Errc::NotFound:
            return 404;
        case Errc::AlreadyExists:
            return 409;
        case Errc::InvalidArgument:
            return 400;
        case Errc::Corrupt:
            return 422;
        case Errc::Unauthenticated:
            return 401;
        case Errc::Exhausted:
            return 507;
        case Errc::Unavailable:
            return 503;
        case Errc::DeadlineExceeded:
            return 504;
        case Errc::Abandoned:
        case Errc::Io:
            return 500;
    }
    return 500;
}

std::string_view hint_of(Errc code) {
    switch (code) {
        case Errc::NotFound:
            return "check the address; draco ls shows what this node holds";
        case Errc::Exhausted:
            return "unpin or remove content, or raise blockstore.bytes_max in config.toml";
        case Errc::Corrupt:
            return "the bytes are not what they should be: send or fetch them again";
        case Errc::InvalidArgument:
            return "correct the request; docs/formats/publish.md has its form";
        case Errc::Unavailable:
            return "this passes: try again a little later";
        case Errc::Io:
            return "the disk failed: look at the node's log and at the disk's space";
        default:
            return "try again; the node's log says more";
    }
}

}  // namespace

http::Response json_answer(unsigned status, const boost::json::object& value) {
    http::Response made =
        http::text_response(status, "application/json", boost::json::serialize(value) + "\n");
    made.fields.add("Cache-Control", "no-store");
    return made;
}

http::Response no_content() {
    http::Response made;
    made.status = 204;
    return made;
}

http::Response refusal(unsigned status, std::string_view error, std::string_view hint) {
    return json_answer(status, {{"error", error}, {"hint", hint}});
}

http::Response refusal(const Error& error) {
    http::Response made = refusal(status_of(error.code), error.context, hint_of(error.code));
    if (made.status == 503) made.fields.add("Retry-After", std::string(kRetryAfterS));
    return made;
}

std::string_view to_text(types::ContentKind kind) {
    return kind == types::ContentKind::File ? "file" : "directory";
}

boost::json::object object_of(const types::ContentInfo& info) {
    boost::json::object made{{"hash", to_hex(info.hash.view())}, {"kind", to_text(info.kind)}};
    if (info.kind == types::ContentKind::File) {
        made["bytes"] = info.bytes;
        made["blocks"] = info.leaves;
    } else {
        made["entries"] = info.leaves;
    }
    return made;
}

}  // namespace draco::publisher
