#include "get_command.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/client/client.hpp"
#include "draco/io/system_clock.hpp"

#include "content_nodes.hpp"
#include "get_plan.hpp"
#include "paid_lane.hpp"
#include "progress.hpp"
#include "shown_text.hpp"
#include "transaction_sender.hpp"

#include <boost/json/object.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

namespace draco {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct CloseStream {
    void operator()(std::FILE* stream) const {
        if (stream != stdout) std::fclose(stream);
    }
};

// A file that is only there when it is whole; or standard output.
class Output final : public client::Sink {
public:
    Output(std::string path, const Clock& clock, bool quiet, std::uint64_t bytes_max)
        : path_(std::move(path)), clock_(clock), quiet_(quiet), bytes_max_(bytes_max) {}

    ~Output() override {
        if (stream_ && !temporary_.empty()) {
            stream_.reset();
            std::remove(temporary_.c_str());
        }
    }

    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    Result<> begin(const types::ContentInfo& info) override {
        if (info.bytes > bytes_max_)
            return fail(Errc::Exhausted,
                        (path_.empty() ? "the file" : path_) + " has " +
                            std::to_string(info.bytes) + " bytes, and " +
                            std::to_string(bytes_max_) +
                            " more are allowed; it was not written. Allow more with --max-bytes");
        if (!quiet_) progress_.emplace(clock_, path_.empty() ? "get" : path_, info.bytes);
        if (path_.empty()) {
            stream_.reset(stdout);
            return {};
        }
        // A link of that name, which an earlier content may have left, is not followed.
        temporary_ = path_ + ".part";
        std::remove(temporary_.c_str());
        stream_.reset(std::fopen(temporary_.c_str(), "wbx"));
        return stream_ ? Result<>() : failed("cannot create", temporary_);
    }

    Result<> write(std::uint64_t /*index*/, ByteView block) override {
        if (std::fwrite(block.data(), 1, block.size(), stream_.get()) != block.size())
            return failed("cannot write", path_.empty() ? "standard output" : temporary_);
        if (progress_) progress_->advance(block.size());
        return {};
    }

    Result<> finish() {
        if (!stream_) return {};
        if (std::fflush(stream_.get()) != 0)
            return failed("cannot write", path_.empty() ? "standard output" : temporary_);
        if (temporary_.empty()) return {};
        stream_.reset();
        if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
            return failed("cannot create", path_);
        temporary_.clear();
        return {};
    }

private:
    static Result<> failed(const std::string& what, const std::string& path) {
        return fail(Errc::Io, what + " " + path + ": " + std::strerror(errno));
    }

    std::string path_;
    const Clock& clock_;
    const bool quiet_;
    const std::uint64_t bytes_max_;
    std::string temporary_;
    std::unique_ptr<std::FILE, CloseStream> stream_;
    std::optional<Progress> progress_;
};

struct Got {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::size_t nodes_left = 0;
};

// What one command gets, from the nodes that there are.
class Getter {
public:
    Getter(std::unique_ptr<client::Client> client,
           std::vector<client::NodeAddress> nodes,
           const GetLimits& limits)
        : client_(std::move(client)), nodes_(std::move(nodes)), limits_(limits), plan_(limits) {}

    Result<types::ContentHash> resolve(const types::ContentHash& root, const std::string& path) {
        if (path.empty()) return root;
        return with_session([&](client::Session& session) { return session.resolve(root, path); });
    }

    Result<> file(const types::ContentHash& hash, const std::string& path, bool quiet) {
        Output output(
            path, clock_, quiet, limits_.bytes_max - std::min(got_.bytes, limits_.bytes_max));
        DRACO_TRY(transfer, client_->get(nodes_, hash, output));
        DRACO_TRY_VOID(output.finish());
        ++got_.files;
        got_.bytes += transfer.bytes;
        got_.nodes_left += transfer.nodes_left;
        return {};
    }

    // To standard output. A list that verifies cannot be a lie: then it is a folder.
    Result<> stream(const types::ContentHash& hash, bool quiet) {
        if (with_session([&](client::Session& session) { return session.list(hash); }))
            return fail(Errc::InvalidArgument,
                        to_hex(hash.view()) +
                            " is a folder: give -o FOLDER, or name a file in it as HASH/PATH");
        return file(hash, "", quiet);
    }

    // A file, or a folder with all that is in it; it is known what that is before any is written.
    Result<> tree(const types::ContentHash& hash, const std::string& path) {
        DRACO_TRY_VOID(plan_.add(hash, lister()));
        return write(hash, path, 0);
    }

    const Got& got() const { return got_; }

private:
    GetPlan::List lister() {
        return [this](const types::ContentHash& hash) -> Result<std::optional<GetPlan::Entries>> {
            auto entries =
                with_session([&](client::Session& session) { return session.list(hash); });
            if (!entries && entries.error().code == Errc::InvalidArgument)
                return std::optional<GetPlan::Entries>();
            if (!entries) return std::unexpected(entries.error());
            return std::optional(*std::move(entries));
        };
    }

    // The recursion is as deep as the plan allows.
    Result<> write(const types::ContentHash& hash, const std::string& path, std::size_t level) {
        const GetPlan::Entries* const entries = plan_.entries(hash);
        if (entries == nullptr) {
            auto got = file(hash, path, false);
            if (got || nodes_.size() == 1) return got;
            // The one that said it is a file may have lied.
            nodes_.erase(nodes_.begin());
            session_.reset();
            plan_.forget(hash);
            DRACO_TRY_VOID(plan_.add(hash, lister()));
            return write(hash, path, level);
        }
        DRACO_TRY_VOID(make_folder(path, level));
        for (const types::DirectoryEntry& entry : *entries) {
            const std::string below = path + "/" + *entry.name;
            if (const auto* target = std::get_if<types::LinkTarget>(&entry.target)) {
                DRACO_TRY_VOID(make_link(**target, below));
            } else {
                DRACO_TRY_VOID(write(std::get<types::ContentHash>(entry.target), below, level + 1));
            }
        }
        return {};
    }

    // What is written must stay below the folder that was named.
    static Result<> make_folder(const std::string& path, std::size_t level) {
        std::error_code error;
        if (level > 0 && fs::is_symlink(fs::symlink_status(path, error)))
            return fail(Errc::AlreadyExists,
                        path +
                            " is a symbolic link, and the content has a folder there: remove "
                            "it, or give another folder");
        fs::create_directories(path, error);
        if (error) return fail(Errc::Io, "cannot create " + path + ": " + error.message());
        return {};
    }

    static Result<> make_link(const std::string& target, const std::string& path) {
        std::error_code error;
        if (!fs::is_directory(fs::symlink_status(path, error))) fs::remove(path, error);
        fs::create_symlink(target, path, error);
        if (error) return fail(Errc::Io, "cannot create " + path + ": " + error.message());
        return {};
    }

    // From the first node that answers.
    template <class Call>
    auto with_session(const Call& call) -> decltype(call(std::declval<client::Session&>())) {
        std::optional<Error> last;
        for (const client::NodeAddress& node : nodes_) {
            if (!session_) {
                auto connected = client_->connect(node);
                if (!connected) {
                    last = connected.error();
                    continue;
                }
                session_ = *std::move(connected);
            }
            auto answer = call(*session_);
            if (answer) return answer;
            session_.reset();
            if (answer.error().code == Errc::InvalidArgument) return answer;
            last = answer.error();
        }
        return std::unexpected(last.value_or(Error{Errc::NotFound, "there is no node to ask"}));
    }

    const io::SystemClock clock_;
    std::unique_ptr<client::Client> client_;
    std::vector<client::NodeAddress> nodes_;
    const GetLimits limits_;
    GetPlan plan_;
    std::unique_ptr<client::Session> session_;
    Got got_;
};

struct Wanted {
    types::ContentHash root;
    std::string path;
};

Result<Wanted> parse_wanted(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string hash = text.substr(0, slash);
    const auto root = fixed_from_hex<types::ContentHash>(hash);
    if (!root)
        return fail(Errc::InvalidArgument,
                    "\"" + hash + "\" is no address: 64 hex digits, as draco put shows");
    std::string path = slash == std::string::npos ? "" : text.substr(slash + 1);
    while (path.ends_with('/')) path.pop_back();
    return Wanted{.root = *root, .path = std::move(path)};
}

Result<std::vector<client::NodeAddress>> addresses(const std::vector<ContentNode>& nodes) {
    std::vector<client::NodeAddress> made;
    made.reserve(nodes.size());
    for (const ContentNode& node : nodes) {
        DRACO_TRY(key, parse_node_key(node.key));
        made.push_back({.host = node.host, .port = node.session_port, .key = key});
    }
    return made;
}

void print_got(const Invocation& invocation, const GetCommandOptions& options, const Got& got) {
    if (invocation.json)
        return print_value(invocation,
                           json::object{{"files", got.files},
                                        {"bytes", got.bytes},
                                        {"nodes_left", got.nodes_left},
                                        {"output", options.output}});
    if (::isatty(STDERR_FILENO) == 1)
        std::fprintf(stderr,
                     "%llu file%s, %s, verified\n",
                     static_cast<unsigned long long>(got.files),
                     got.files == 1 ? "" : "s",
                     human_bytes(static_cast<double>(got.bytes)).c_str());
}

Result<> get(const Invocation& invocation, const GetCommandOptions& options) {
    DRACO_TRY(wanted, parse_wanted(options.what));
    const bool to_standard_output = options.output.empty() || options.output == "-";
    if (to_standard_output && invocation.json)
        return fail(Errc::InvalidArgument,
                    "--json describes what was written to a file: give -o FILE");
    if (to_standard_output && options.output.empty() && ::isatty(STDOUT_FILENO) == 1)
        return fail(Errc::InvalidArgument,
                    "content may be anything, and standard output is a terminal: give -o FILE, or "
                    "-o - to see it here");
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(listed, content_nodes(client));
    DRACO_TRY(nodes, addresses(listed));
    DRACO_TRY(chain, chain_of(client));
    std::optional<NodeHome> home;
    std::unique_ptr<PaidLane> lane;
    if (options.pay) {
        DRACO_TRY(opened, sender_home(invocation));
        home = std::move(opened);
        DRACO_TRY(account, sender_key(*home, options.sender));
        DRACO_TRY(paid, PaidLane::of(client, *home, account, listed[0].key, options.reserve_usd));
        lane = std::move(paid);
        nodes.resize(1);
        nodes[0].lane = &lane->credentials();
    }
    DRACO_TRY(started, client::Client::start({.chain = chain.id}));
    Getter getter(std::move(started), std::move(nodes), options.limits);
    DRACO_TRY(hash, getter.resolve(wanted.root, wanted.path));
    DRACO_TRY_VOID(to_standard_output ? getter.stream(hash, ::isatty(STDERR_FILENO) != 1)
                                      : getter.tree(hash, options.output));
    print_got(invocation, options, getter.got());
    return {};
}

}  // namespace

// A node chooses names, and what its refusals say.
Result<> run_get(const Invocation& invocation, const GetCommandOptions& options) {
    auto got = get(invocation, options);
    if (!got) got.error().context = shown(got.error().context);
    return got;
}

}  // namespace draco
