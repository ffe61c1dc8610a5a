#include "system_error.hpp"

#include <system_error>

namespace draco::io {
namespace {

struct Meaning {
    Errc code;
    std::string_view remedy;
};

Meaning meaning_of(int number) {
    switch (number) {
        case ENOENT:
            return {Errc::NotFound, ""};
        case EEXIST:
            return {Errc::AlreadyExists, ""};
        case ENOSPC:
            return {Errc::Exhausted, "free space on this file system"};
        case EDQUOT:
            return {Errc::Exhausted, "raise the disk quota or remove files"};
        case EMFILE:
            return {Errc::Exhausted, "raise the limit on open files (ulimit -n)"};
        case ENFILE:
            return {Errc::Exhausted, "raise fs.file-max: the machine is out of files"};
        case EFBIG:
            return {Errc::Exhausted, "this file system cannot hold so large a file"};
        case ELOOP:
        case ENOTDIR:
            return {Errc::InvalidArgument, "symbolic links are not followed"};
        case ENAMETOOLONG:
            return {Errc::InvalidArgument, "use names of at most 255 bytes"};
        case EISDIR:
        case ENOTEMPTY:
        case EINVAL:
            return {Errc::InvalidArgument, ""};
        case EACCES:
        case EPERM:
            return {Errc::Io, "check owner and mode of the path"};
        case EROFS:
            return {Errc::Io, "the file system is mounted read-only; see the kernel log"};
        default:
            return {Errc::Io, "check the disk and the kernel log"};
    }
}

}  // namespace

std::unexpected<Error> system_error(std::string_view operation, std::string_view path, int number) {
    const Meaning meaning = meaning_of(number);
    std::string text(operation);
    text += " \"" + std::string(path) + "\": " + std::generic_category().message(number);
    if (!meaning.remedy.empty()) text += "; " + std::string(meaning.remedy);
    return fail(meaning.code, std::move(text));
}

}  // namespace draco::io
