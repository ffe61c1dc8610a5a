#include "draco/base/result.hpp"

namespace draco {

std::string_view to_string(Errc code) {
    switch (code) {
        case Errc::NotFound:
            return "NotFound";
        case Errc::AlreadyExists:
            return "AlreadyExists";
        case Errc::InvalidArgument:
            return "InvalidArgument";
        case Errc::Corrupt:
            return "Corrupt";
        case Errc::Unauthenticated:
            return "Unauthenticated";
        case Errc::Unavailable:
            return "Unavailable";
        case Errc::Exhausted:
            return "Exhausted";
        case Errc::DeadlineExceeded:
            return "DeadlineExceeded";
        case Errc::Abandoned:
            return "Abandoned";
        case Errc::Io:
            return "Io";
    }
    return "unknown";
}

std::string to_string(const Error& error) {
    return std::string(to_string(error.code)) + ": " + error.context;
}

}  // namespace draco
