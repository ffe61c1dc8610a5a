#include "draco/node/first_start.hpp"

#include "disk_text.hpp"

namespace draco::node {

Result<bool> take_first_start(Disk& home, const std::string& keys_directory) {
    const std::string path = keys_directory + "/" + std::string(kStartedFile);
    DRACO_TRY(started, home.exists(path));
    if (started) return false;
    DRACO_TRY_VOID(replace_text(
        home, path, "The node of these keys has started. Keep this file with the keys.\n"));
    return true;
}

}  // namespace draco::node
