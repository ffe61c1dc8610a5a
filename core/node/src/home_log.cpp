#include "home_log.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace draco::node {
namespace {

bool wants_colours() {
    return ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

}  // namespace

Result<std::unique_ptr<HomeLog>> HomeLog::open(Disk& home,
                                               Executor& executor,
                                               const NodeConfig::Log& config,
                                               bool to_standard_error) {
    const auto level = log::parse_level(config.level);
    if (!level) return fail(Errc::InvalidArgument, "there is no log level " + config.level);
    DRACO_TRY_VOID(home.create_directory(config.directory));
    DRACO_TRY(file,
              log::RotatingLog::open(
                  home,
                  executor,
                  {.path = config.directory + "/draco.log",
                   .level = *level,
                   .format = config.json ? log::LineFormat::Json : log::LineFormat::Text,
                   .file_bytes_max = config.file_bytes_max,
                   .files_max = config.files_max}));
    auto made = std::unique_ptr<HomeLog>(new HomeLog);
    made->file_ = std::move(file);
    std::vector<log::Log*> sinks = {made->file_.get()};
    if (to_standard_error) {
        made->standard_error_ =
            std::make_unique<log::TerminalLog>(executor.clock(), *level, wants_colours());
        sinks.push_back(made->standard_error_.get());
    }
    made->both_ = std::make_unique<log::TeeLog>(std::move(sinks));
    return made;
}

}  // namespace draco::node
