#pragma once
// Files and folders from nodes to this machine, verified block by block.

#include "draco/client/client.hpp"
#include "draco/io/system_clock.hpp"

#include "get_plan.hpp"
#include "output_file.hpp"
#include "progress.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco {

struct Got {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;       // of all files
    std::uint64_t bytes_kept = 0;  // of them, what was here before
    std::size_t nodes_left = 0;
};

struct GetterOptions {
    GetLimits limits{};
    bool force = false;  // what has the name of something that is written is replaced
    bool is_quiet = false;
    std::string note;  // of what limits the pace
};

// What one command gets, from the nodes that there are. Blocks.
class ContentGetter {
public:
    ContentGetter(std::unique_ptr<client::Client> client,
                  std::vector<client::NodeAddress> nodes,
                  GetterOptions options);

    Result<types::ContentHash> resolve(const types::ContentHash& root, const std::string& path);

    // A file, or a folder with all that is in it; it is known what that is before any is written.
    Result<> get(const types::ContentHash& hash, const OutputPlace& place);

    const Got& got() const { return got_; }

    // What is there for the next time after an error, as a part of a sentence: empty, or "; ...".
    const std::string& kept_text() const { return kept_text_; }

    // Of the file that failed; nothing: not known.
    std::optional<std::uint64_t> bytes_left() const { return bytes_left_; }

private:
    GetPlan::List lister();
    Result<> stream(const types::ContentHash& hash, const OutputPlace& place);
    Result<> folder(const types::ContentHash& hash, const OutputPlace& place);
    Result<> file(const types::ContentHash& hash, const std::string& path, bool is_stream);
    Result<> write(const types::ContentHash& hash, const std::string& path, std::size_t level);
    Result<> write_entries(const GetPlan::Entries& entries,
                           const std::string& path,
                           std::size_t level);
    // From the first node that answers.
    template <class Call>
    auto with_session(const types::ContentHash& what, const Call& call)
        -> decltype(call(std::declval<client::Session&>()));

    const io::SystemClock clock_;
    std::unique_ptr<client::Client> client_;
    std::vector<client::NodeAddress> nodes_;
    const GetterOptions options_;
    ProgressLines lines_;
    GetPlan plan_;
    std::unique_ptr<client::Session> session_;
    bool may_replace_;
    Got got_;
    std::string kept_text_;
    std::optional<std::uint64_t> bytes_left_;
};

}  // namespace draco
