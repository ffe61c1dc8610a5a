#include "hash_command.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/blake3_tree/parallel.hpp"
#include "draco/io/path_file.hpp"
#include "draco/io/system_clock.hpp"

#include "progress.hpp"

#include <boost/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

namespace draco {
namespace {

struct HashedContent {
    blake3_tree::Hash hash;
    std::uint64_t bytes = 0;
};

// Tells a progress bar what is read from a file.
class WatchedFile final : public File {
public:
    WatchedFile(const File& file, Progress& progress) : file_(file), progress_(progress) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override {
        auto count = file_.read_at(offset, out);
        if (count) progress_.advance(*count);
        return count;
    }

    Result<std::uint64_t> size() const override { return file_.size(); }

    Result<> write_at(std::uint64_t, ByteView) override { return read_only(); }

    Result<> truncate(std::uint64_t) override { return read_only(); }

    Result<> preallocate(std::uint64_t) override { return read_only(); }

    Result<> sync() override { return read_only(); }

private:
    static Result<> read_only() {
        return fail(Errc::InvalidArgument, "a watched file is only read");
    }

    const File& file_;
    Progress& progress_;
};

Result<HashedContent> hash_stream(std::FILE* stream, const std::string& name, const Clock& clock) {
    Progress progress(clock, name, 0);
    blake3_tree::Hasher hasher;
    Bytes buffer(blake3_tree::kBlockBytes);
    while (std::feof(stream) == 0 && std::ferror(stream) == 0) {
        const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), stream);
        hasher.update(ByteView(buffer).first(count));
        progress.advance(count);
    }
    if (std::ferror(stream) != 0)
        return fail(Errc::Io, "cannot read " + name + ": " + std::strerror(errno));
    return HashedContent{hasher.finish(), hasher.bytes()};
}

struct CloseStream {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
};

// Pipes and devices have no size and no positions.
Result<HashedContent> hash_unseekable(const std::string& path, const Clock& clock) {
    const std::unique_ptr<std::FILE, CloseStream> stream(std::fopen(path.c_str(), "rb"));
    if (!stream) return fail(Errc::Io, "cannot open \"" + path + "\": " + std::strerror(errno));
    return hash_stream(stream.get(), path, clock);
}

Result<HashedContent> hash_path(const std::string& path, unsigned threads, const Clock& clock) {
    if (path == "-") return hash_stream(stdin, "standard input", clock);
    const auto file = io::open_for_reading(path);
    if (!file && file.error().code == Errc::Unavailable) return hash_unseekable(path, clock);
    if (!file) return std::unexpected(file.error());
    DRACO_TRY(bytes, (*file)->size());
    Progress progress(clock, path, bytes);
    DRACO_TRY(hash, blake3_tree::hash_file(WatchedFile(**file, progress), threads));
    return HashedContent{hash, bytes};
}

// A line break in a name would forge a line of output; b3sum and sha256sum mark such a line with a
// backslash and escape the name.
std::string output_line(const std::string& path, const blake3_tree::Hash& hash) {
    std::string name;
    bool escaped = false;
    for (const char c : path) {
        if (c == '\n' || c == '\\') {
            escaped = true;
            name += c == '\n' ? "\\n" : "\\\\";
        } else {
            name += c;
        }
    }
    return (escaped ? "\\" : "") + to_hex(hash.view()) + "  " + name;
}

}  // namespace

int run_hash(const Invocation& invocation, const HashOptions& options) {
    const io::SystemClock clock;
    const unsigned threads =
        options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
    boost::json::array rows;
    int status = 0;
    for (const std::string& path : options.paths) {
        const auto content = hash_path(path, threads, clock);
        if (!content) {
            print_error(invocation, content.error());
            status = 1;
        } else if (invocation.json) {
            rows.push_back({{"path", path},
                            {"hash", to_hex(content->hash.view())},
                            {"bytes", content->bytes}});
        } else {
            std::puts(output_line(path, content->hash).c_str());
        }
    }
    if (invocation.json) std::puts(boost::json::serialize(rows).c_str());
    if (std::fflush(stdout) != 0) {
        print_error(invocation,
                    {Errc::Io, std::string("cannot write the result: ") + std::strerror(errno)});
        status = 1;
    }
    return status;
}

}  // namespace draco
