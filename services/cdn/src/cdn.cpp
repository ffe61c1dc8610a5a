#include "draco/cdn/cdn.hpp"

#include "conditions.hpp"
#include "content_path.hpp"
#include "delivery.hpp"

#include <utility>

namespace draco::cdn {
namespace {

class Cdn final : public sdk::Service {
public:
    const sdk::ServiceInfo& info() const override { return info_; }

    void on_request(const sdk::Request& request,
                    std::shared_ptr<sdk::Host> host,
                    sdk::AnswerCallback answer) override {
        auto path = parse_content_path(request.target);
        if (!path)
            return answer(sdk::text_answer(path.error().status, std::move(path.error().text)));
        std::make_shared<Delivery>(std::move(host),
                                   *std::move(path),
                                   Delivery::Asked{.target = std::string(request.target_as_sent),
                                                   .is_head = request.method == "HEAD",
                                                   .fields = deciding_fields(request.fields)},
                                   std::move(answer))
            ->start();
    }

private:
    const sdk::ServiceInfo info_{
        .id = kServiceId,
        .name = "cdn",
        .methods = {"GET", "HEAD"},
        .usage =
            "/blake3/<hash>/<path>, where <hash> is the BLAKE3 address of a file or directory "
            "in 64 hex digits"};
};

}  // namespace

std::unique_ptr<sdk::Service> make_service() {
    return std::make_unique<Cdn>();
}

}  // namespace draco::cdn
