#pragma once
// Where `draco get` writes to: a file that is there only when it is whole, a folder, or a stream.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/client/client.hpp"
#include "draco/io/file_descriptor.hpp"

#include "progress.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace draco {

struct OutputPlace {
    enum class Kind : std::uint8_t {
        Standard,  // output
        Special,   // a device, FIFO: written to as it is
        New,       // nothing is there
        File,      // to be replaced
        Folder     // to be filled; what has the name of an entry is replaced
    };

    Kind kind = Kind::Standard;
    std::string path;               // without a slash at its end; symbolic links followed
    bool is_folder_wanted = false;  // there was a slash

    bool is_stream() const { return kind == Kind::Standard || kind == Kind::Special; }
};

// What a path names before anything is fetched; "" and "-" are standard output. AlreadyExists: a
// file, a link to one, or a folder with something in it, and no `force`. InvalidArgument: nothing
// can be written there.
Result<OutputPlace> output_place(const std::string& path, bool force);

// Blocks go to PATH.part, which becomes PATH when it is whole. What such a file has from a
// transfer before, or PATH itself, is checked and not fetched again. A file that did not become
// whole stays when a block in it verifies.
class OutputFile final : public client::Sink {
public:
    struct Options {
        bool is_stream = false;
        bool may_replace = false;
        bool has_bar = true;
        std::uint64_t bytes_max = 0;  // of a file: more is refused before anything is written
        std::string note;             // beside the bar
    };

    // `clock` and `lines` outlive it. An empty path is standard output.
    OutputFile(std::string path, Options options, const Clock& clock, ProgressLines& lines);
    ~OutputFile() override;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    Result<> begin(const types::ContentInfo& info) override;
    Result<bool> has(std::uint64_t index,
                     const std::function<bool(ByteView block)>& verifies) override;
    Result<> write(std::uint64_t index, ByteView block) override;
    // All blocks are here. AlreadyExists: somebody else has made the file meanwhile.
    Result<> finish();

    const std::string& part_path() const { return part_path_; }

    // How many bytes the part has that verify.
    std::uint64_t part_bytes() const { return source_ == Source::Whole ? 0 : verified_bytes_; }

    // How many are still to come; nothing: not known.
    std::optional<std::uint64_t> bytes_left() const;

private:
    // Where blocks that verify have been found.
    enum class Source : std::uint8_t { None, Whole, Part };

    Result<> create_part();
    Result<> copy_whole(std::uint64_t bytes);
    Result<> write_at(std::uint64_t offset, ByteView bytes);
    Result<> failed(const std::string& what, const std::string& path) const;

    std::string name() const { return path_.empty() ? "standard output" : path_; }

    const std::string path_;
    const Options options_;
    const Clock& clock_;
    ProgressLines& lines_;
    std::string part_path_;
    types::ContentInfo info_{};
    bool is_begun_ = false;
    bool is_finished_ = false;
    io::FileDescriptor whole_;  // PATH, if it has the right length
    io::FileDescriptor out_;    // the part, or the stream
    Source source_ = Source::None;
    std::uint64_t verified_bytes_ = 0;
    Bytes block_;
    std::optional<Progress> progress_;
};

}  // namespace draco
