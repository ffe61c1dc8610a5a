#include "content_getter.hpp"

#include "draco/base/text_encoding.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace draco {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGoesOn = ", and the same command goes on from there";

// What is written must stay below the folder that was named.
Result<> make_folder(const std::string& path, bool is_followed) {
    std::error_code error;
    if (!is_followed && fs::is_symlink(fs::symlink_status(path, error)))
        return fail(Errc::AlreadyExists,
                    path +
                        " is a symbolic link, and the content has a folder there: remove "
                        "it, or give another folder");
    fs::create_directories(path, error);
    if (error) return fail(Errc::Io, "cannot create " + path + ": " + error.message());
    return {};
}

Result<> make_link(const std::string& target, const std::string& path) {
    std::error_code error;
    if (!fs::is_directory(fs::symlink_status(path, error))) fs::remove(path, error);
    fs::create_symlink(target, path, error);
    if (error) return fail(Errc::Io, "cannot create " + path + ": " + error.message());
    return {};
}

// A device in a folder is nothing that a file takes the place of.
Result<> check_replaceable(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (!fs::exists(status) || fs::is_regular_file(status) || fs::is_symlink(status)) return {};
    return fail(Errc::AlreadyExists,
                path + (fs::is_directory(status) ? " is a folder" : " is a device or the like") +
                    ", and the content has a file there: remove it, or give another folder");
}

Result<> rename_new(const std::string& from, const std::string& to) {
    int outcome = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
    // A file system that cannot. A folder replaces only an empty one.
    if (outcome != 0 && errno == EINVAL) outcome = std::rename(from.c_str(), to.c_str());
    if (outcome == 0) return {};
    return fail(errno == EEXIST ? Errc::AlreadyExists : Errc::Io,
                "the folder is whole, but " + from + " cannot be renamed to " + to + ": " +
                    std::strerror(errno));
}

// The same content goes on in it, other content does not.
std::string part_folder(const std::string& path, const types::ContentHash& hash) {
    return path + "." + to_hex(hash.view().first(4)) + ".part";
}

}  // namespace

ContentGetter::ContentGetter(std::unique_ptr<client::Client> client,
                             std::vector<client::NodeAddress> nodes,
                             GetterOptions options)
    : client_(std::move(client)),
      nodes_(std::move(nodes)),
      options_(std::move(options)),
      lines_(clock_, "get", !options_.is_quiet && ::isatty(STDERR_FILENO) != 1),
      plan_(options_.limits),
      may_replace_(options_.force) {
    lines_.note(options_.note);
}

template <class Call>
auto ContentGetter::with_session(const types::ContentHash& what, const Call& call)
    -> decltype(call(std::declval<client::Session&>())) {
    std::vector<Error> answers;
    for (const client::NodeAddress& node : nodes_) {
        if (!session_) {
            auto connected = client_->connect(node);
            if (!connected) {
                answers.push_back(connected.error());
                answers.back().context.insert(0,
                                              node.host + ":" + std::to_string(node.port) + ": ");
                continue;
            }
            session_ = *std::move(connected);
        }
        auto answer = call(*session_);
        if (answer) return answer;
        session_.reset();
        if (answer.error().code == Errc::InvalidArgument) return answer;
        answers.push_back(answer.error());
    }
    if (answers.empty()) return fail(Errc::NotFound, "there is no node to ask");
    const bool is_unknown =
        std::ranges::all_of(answers, [](const Error& each) { return each.code == Errc::NotFound; });
    // A missing name in a folder is said by who has the folder.
    if (!is_unknown || answers.front().context.starts_with("there is no \""))
        return std::unexpected(answers.front());
    return fail(Errc::NotFound,
                (nodes_.size() == 1 ? "the node has" : "no node has") + std::string(" ") +
                    to_hex(what.view()) +
                    (nodes_.size() == 1 ? " and finds it nowhere: check the address"
                                        : ": check the address"));
}

Result<types::ContentHash> ContentGetter::resolve(const types::ContentHash& root,
                                                  const std::string& path) {
    if (path.empty()) return root;
    return with_session(root,
                        [&](client::Session& session) { return session.resolve(root, path); });
}

GetPlan::List ContentGetter::lister() {
    return [this](const types::ContentHash& hash) -> Result<std::optional<GetPlan::Entries>> {
        auto entries =
            with_session(hash, [&](client::Session& session) { return session.list(hash); });
        if (!entries && entries.error().code == Errc::InvalidArgument)
            return std::optional<GetPlan::Entries>();
        if (!entries) return std::unexpected(entries.error());
        return std::optional(*std::move(entries));
    };
}

Result<> ContentGetter::get(const types::ContentHash& hash, const OutputPlace& place) {
    if (place.is_stream()) return stream(hash, place);
    DRACO_TRY_VOID(plan_.add(hash, lister()));
    if (plan_.entries(hash) != nullptr) return folder(hash, place);
    if (place.kind == OutputPlace::Kind::Folder || place.is_folder_wanted)
        return fail(Errc::InvalidArgument,
                    "the content is a file and " + place.path +
                        " names a folder: give the file a "
                        "name in it, such as -o " +
                        place.path + "/NAME");
    return write(hash, place.path, 0);
}

// A list that verifies cannot be a lie: then it is a folder.
Result<> ContentGetter::stream(const types::ContentHash& hash, const OutputPlace& place) {
    DRACO_TRY(entries, lister()(hash));
    if (entries)
        return fail(Errc::InvalidArgument,
                    to_hex(hash.view()) + " is a folder" +
                        (place.path.empty() ? "" : ", and " + place.path + " is none") +
                        ": give -o FOLDER, or name a file in it as HASH/PATH");
    return file(hash, place.path, true);
}

Result<> ContentGetter::folder(const types::ContentHash& hash, const OutputPlace& place) {
    if (place.kind == OutputPlace::Kind::File)
        return fail(Errc::AlreadyExists,
                    place.path +
                        " is a file, and the content is a folder: remove it, or name "
                        "another");
    if (place.kind == OutputPlace::Kind::Folder) {
        auto written = write(hash, place.path, 0);
        if (!written && !kept_text_.empty() && !options_.force)
            kept_text_ =
                "; what has come of the folder is kept in " + place.path + ": go on with --force";
        return written;
    }
    const std::string part = part_folder(place.path, hash);
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(part, error)))
        return fail(Errc::AlreadyExists,
                    part + " is in the way, where the folder is written first: remove it");
    // It is this command's, as it was left.
    may_replace_ = true;
    auto written = write(hash, part, 0);
    if (written) return rename_new(part, place.path);
    std::error_code none;
    if (fs::is_empty(part, none)) {
        fs::remove(part, none);
        return written;
    }
    if (fs::exists(part, none))
        kept_text_ = "; what has come of the folder is kept in " + part + std::string(kGoesOn);
    return written;
}

Result<> ContentGetter::file(const types::ContentHash& hash,
                             const std::string& path,
                             bool is_stream) {
    const std::uint64_t bytes_max = options_.limits.bytes_max;
    OutputFile output(path,
                      {.is_stream = is_stream,
                       .may_replace = may_replace_,
                       .has_bar = ::isatty(STDERR_FILENO) == 1,
                       .bytes_max = bytes_max - std::min(got_.bytes, bytes_max),
                       .note = options_.note},
                      clock_,
                      lines_);
    auto transfer = client_->get(nodes_, hash, output);
    if (!transfer) {
        bytes_left_ = output.bytes_left();
        if (const auto kept = output.part_bytes(); kept > 0 && !is_stream)
            kept_text_ = "; " + human_bytes(static_cast<double>(kept)) + " are kept in " +
                         output.part_path() + std::string(kGoesOn);
        return std::unexpected(transfer.error());
    }
    DRACO_TRY_VOID(output.finish());
    ++got_.files;
    got_.bytes += transfer->bytes + transfer->bytes_kept;
    got_.bytes_kept += transfer->bytes_kept;
    got_.nodes_left += transfer->nodes_left;
    return {};
}

// The recursion is as deep as the plan allows.
Result<> ContentGetter::write(const types::ContentHash& hash,
                              const std::string& path,
                              std::size_t level) {
    const GetPlan::Entries* const entries = plan_.entries(hash);
    if (entries != nullptr) return write_entries(*entries, path, level);
    DRACO_TRY_VOID(check_replaceable(path));
    auto got = file(hash, path, false);
    if (got || nodes_.size() == 1) return got;
    // The one that said it is a file may have lied.
    nodes_.erase(nodes_.begin());
    session_.reset();
    plan_.forget(hash);
    DRACO_TRY_VOID(plan_.add(hash, lister()));
    return write(hash, path, level);
}

Result<> ContentGetter::write_entries(const GetPlan::Entries& entries,
                                      const std::string& path,
                                      std::size_t level) {
    DRACO_TRY_VOID(make_folder(path, level == 0));
    for (const types::DirectoryEntry& entry : entries) {
        const std::string below = path + "/" + *entry.name;
        if (const auto* target = std::get_if<types::LinkTarget>(&entry.target)) {
            DRACO_TRY_VOID(make_link(**target, below));
        } else {
            DRACO_TRY_VOID(write(std::get<types::ContentHash>(entry.target), below, level + 1));
        }
    }
    return {};
}

}  // namespace draco
