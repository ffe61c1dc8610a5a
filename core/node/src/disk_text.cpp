#include "disk_text.hpp"

namespace draco::node {

Result<std::string> read_text(Disk& disk, std::string_view path, std::size_t bytes_max) {
    DRACO_TRY(file, disk.open(path, OpenMode::Read));
    DRACO_TRY(size, file->size());
    if (size > bytes_max)
        return fail(Errc::Exhausted,
                    std::string(path) + " has " + std::to_string(size) + " bytes, more than the " +
                        std::to_string(bytes_max) + " allowed");
    std::string text(size, '\0');
    DRACO_TRY(count, file->read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
    text.resize(count);
    return text;
}

Result<> replace_text(Disk& disk, std::string_view path, std::string_view text) {
    const std::string staged = std::string(path) + ".new";
    {
        DRACO_TRY(file, disk.open(staged, OpenMode::Truncate));
        DRACO_TRY_VOID(file->write_at(0, as_bytes(text)));
        DRACO_TRY_VOID(file->sync());
    }
    DRACO_TRY_VOID(disk.rename(staged, path));
    const auto slash = path.rfind('/');
    return disk.sync_directory(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

}  // namespace draco::node
