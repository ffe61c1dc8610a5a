#include "durable_file.hpp"

namespace draco::identity {

std::string directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

Result<> replace_file(Disk& disk, const std::string& path, ByteView content) {
    const std::string temporary = path + ".new";
    {
        DRACO_TRY(file, disk.open(temporary, OpenMode::Truncate));
        DRACO_TRY_VOID(file->write_at(0, content));
        DRACO_TRY_VOID(file->sync());
    }
    DRACO_TRY_VOID(disk.rename(temporary, path));
    return disk.sync_directory(directory_of(path));
}

Result<Bytes> read_file(Disk& disk, const std::string& path, std::size_t bytes_max) {
    DRACO_TRY(file, disk.open(path, OpenMode::Read));
    DRACO_TRY(size, file->size());
    if (size > bytes_max)
        return fail(Errc::Exhausted,
                    "\"" + path + "\" has " + std::to_string(size) + " bytes, and at most " +
                        std::to_string(bytes_max) + " are allowed");
    Bytes content(size);
    DRACO_TRY(read, file->read_at(0, content));
    if (read != size) return fail(Errc::Io, "\"" + path + "\" became shorter while it was read");
    return content;
}

}  // namespace draco::identity
