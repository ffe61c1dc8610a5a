#include "inbox.hpp"

namespace draco::consensus {

CreditShare CreditShare::take(std::shared_ptr<PeerCredit> credit,
                              std::size_t bytes,
                              std::size_t messages_max,
                              std::size_t bytes_max) {
    CreditShare share;
    const std::size_t messages = credit->messages.fetch_add(1) + 1;
    const std::size_t total = credit->bytes.fetch_add(bytes) + bytes;
    share.credit_ = std::move(credit);
    share.bytes_ = bytes;
    if (messages > messages_max || total > bytes_max) return {};
    return share;
}

CreditShare::~CreditShare() {
    if (!credit_) return;
    credit_->messages.fetch_sub(1);
    credit_->bytes.fetch_sub(bytes_);
}

std::optional<types::Epoch> epoch_of(ByteView message) {
    constexpr std::size_t kTagBytes = 1;
    if (message.size() < kTagBytes + sizeof(std::uint64_t)) return std::nullopt;
    return types::Epoch(load_le<std::uint64_t>(message.data() + kTagBytes));
}

void Inbox::handle(Incoming incoming) {
    auto message = decode_message(incoming.message);
    if (!message) return refuse();
    const types::Epoch epoch = incoming.route->committee.epoch();
    const Route& route = *incoming.route;
    // Most rounds bring votes that nobody needs, and checking one costs more than all the rest.
    const auto* vote = std::get_if<types::Vote>(&*message);
    if (vote != nullptr && vote->round.value() < route.votes_awaited_from->load()) return;
    auto checked =
        verify(*std::move(message), incoming.from, route.committee, route.chain, route.signatures);
    if (!checked) return refuse();
    if (!conductor_.tell(
            Verified{epoch, incoming.from, *std::move(checked), std::move(incoming.credit)}))
        refuse();
}

}  // namespace draco::consensus
