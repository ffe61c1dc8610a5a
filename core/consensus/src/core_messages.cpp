#include "draco/consensus/core.hpp"

#include "core_send.hpp"

#include <algorithm>

namespace draco::consensus {

void Core::on(const TransactionsSubmitted& event, Turn& turn) {
    std::vector<CheckedBatch> sealed;
    const bool is_given = desk_ && !ended_ && participates() && desk_->submit(event.transactions);
    if (is_given) return;
    for (const types::TransactionBytes& transaction : event.transactions) {
        if (ended_)
            turn.out.resubmit.push_back(transaction);
        else if (!participates() || desk_ || !maker_.submit(transaction, turn.now.instant, sealed))
            turn.out.busy.push_back(transaction);
    }
    for (const CheckedBatch& batch : sealed) announce(batch, turn);
}

void Core::on(const WakeUp& /*event*/, Turn& turn) {
    if (!participates()) return;
    const Instant now = turn.now.instant;
    const auto deadline = maker_.seal_deadline();
    if (deadline && now >= *deadline)
        if (const auto batch = maker_.seal(now)) announce(*batch, turn);
    maker_.end_grace(now);
}

void Core::on(const LinkUp& event, Turn& turn) {
    const AuthorityIndex peer = event.peer;
    if (!committee_.has(peer) || peer == self_) return;
    ask_for_certificates(peer, turn);
    if (upholds_dag()) send_own_vertex(peer, turn);
    const types::BlockStatement* last = signatures_.own(delivered_);
    if (last != nullptr)
        send_block_signature(
            peer,
            *last,
            signatures_.missing_for_last().contains(peer) ? Reply::Wanted : Reply::NotNeeded,
            turn);
}

void Core::on(const BlockExecuted& event, Turn& /*turn*/) {
    executed_ = std::max(executed_, std::min(event.height, delivered_));
    settle_executed();
}

void Core::on(const EpochEnded& event, Turn& turn) {
    if (ended_) return;
    ended_ = true;
    last_height_ = event.height;
    undelivered_.clear();
    signatures_.end_at(event.height);
    delivered_ = std::min(delivered_, event.height);
    // It may not have been its turn to be signed, or certificates of void blocks have taken the
    // place of its own.
    sign_last_block(turn);
    turn.out.resubmit = maker_.unordered_after(event.height);
    contents_.clear();
    asked_contents_.clear();
    if (desk_) desk_->end_epoch();
}

void Core::on(const BlockFollowed& event, Turn& turn) {
    const types::Block& block = event.block;
    if (ended_ || block.epoch != committee_.epoch()) return;
    if (block.height <= builder_.tip().height) {
        // Known here, but its content came from elsewhere first.
        if (undelivered_.empty() || undelivered_.front().block.height != block.height) return;
        if (types::digest_of(chain_, block) != undelivered_.front().digest) {
            turn.out.fork = true;
            return;
        }
        undelivered_.pop_front();
        forget_contents(block);
    } else if (builder_.extends_tip(block) && has_sound_rounds(block)) {
        undelivered_.clear();
        contents_.clear();
        asked_contents_.clear();
        advance_to(block, turn);
    } else {
        return;
    }
    // Its content is not needed here, and those who have executed it may have forgotten it.
    for (const types::BatchDigest& batch : *block.batches) synchronizer_.batch_arrived(batch);
    delivered_ = block.height;
    delivered_time_ = block.timestamp;
    block_signature_due_.reset();
    progressed_ = true;
    signatures_.followed(
        {block.epoch, block.height, block.parent, types::digest_of(chain_, block)});
}

void Core::on(const MessageReceived& event, Turn& turn) {
    if (!committee_.has(event.from) || event.from == self_) return;
    std::visit([&](const auto& message) { receive(event.from, message, turn); }, event.message);
}

void Core::receive(AuthorityIndex from, const CheckedBatch& batch, Turn& turn) {
    if (desk_) return refusals_.count(from, Refusal::NotAskedFor);  // the workers' affair
    const AuthorityIndex author = batch.batch->author;
    const bool wanted = synchronizer_.wants(batch.digest);
    if (!wanted && author != from) return refusals_.count(from, Refusal::NotAskedFor);
    const Round round = dag_.quorum_round().value_or(Round(0));
    switch (batches_.add(
        batch, round, wanted ? BatchStore::Demand::Requested : BatchStore::Demand::Pushed)) {
        case BatchStore::Addition::OverQuota:
            return refusals_.count(from, Refusal::OverQuota);
        case BatchStore::Addition::Known:
            break;
        case BatchStore::Addition::Added:
            progressed_ = progressed_ || wanted;
            break;
    }
    synchronizer_.batch_arrived(batch.digest);
    if (batch.bytes <= parameters_.batch_bytes_small || author != from) return;
    // Its vote is what says that it is durable.
    send(from, BatchStored{committee_.epoch(), batch.digest}, Release::AtOnce, turn);
}

void Core::receive(AuthorityIndex from, const CheckedHeader& header, Turn& turn) {
    if (!upholds_dag()) return;
    const types::Header& content = header.header.header;
    const auto reception = voter_.receive(header, dag_, turn.now.instant);
    if (!reception) return refusals_.count(from, reception.error());
    if (*reception == Voter::Reception::VotedBefore)
        return send_vote(content.author, content.round, header.digest, turn);
    synchronizer_.forget_uncertified(content.author);
    for (const types::BatchReference& batch : *content.batches)
        if (batches_.find(batch.digest) == nullptr && batches_.has_room())
            synchronizer_.want_batch(batch,
                                     content.author,
                                     content.round,
                                     Synchronizer::Named::ByHeader,
                                     turn.now.instant + patience_for(batch));
}

void Core::receive(AuthorityIndex from, const types::Vote& vote, Turn& turn) {
    if (vote.author != self_) return refusals_.count(from, Refusal::WrongSender);
    // A vote that comes after the certificate is nobody's fault.
    if (!aggregator_.add(vote)) return;
    progressed_ = true;
    certify_own(turn);
}

void Core::receive(AuthorityIndex from, const CheckedCertificate& certificate, Turn& turn) {
    add_certificate(from, certificate, turn);
}

void Core::receive(AuthorityIndex from, const BatchStored& stored, Turn& /*turn*/) {
    maker_.stored(stored.batch, from);
}

void Core::receive(AuthorityIndex from, const BatchRequest& request, Turn& turn) {
    for (const types::BatchDigest& digest : *request.batches) {
        const CheckedBatch* batch = batches_.find(digest);
        if (batch == nullptr || !batch->has_content()) continue;
        if (!serving_.spend(from, batch->bytes, turn.now.instant))
            return refusals_.count(from, Refusal::OverQuota);
        send(from, *batch->batch, Release::AtOnce, turn);
    }
}

void Core::receive(AuthorityIndex from, const CertificateRequest& request, Turn& turn) {
    const CertificateResponse response =
        certificates_for(request, dag_, committee_.epoch(), builder_.tip().height);
    if (!serving_.spend(from, bcs::encoded_size(response), turn.now.instant))
        return refusals_.count(from, Refusal::OverQuota);
    send(from, response, Release::AtOnce, turn);
}

void Core::receive(AuthorityIndex from, const CheckedResponse& response, Turn& turn) {
    synchronizer_.answered(from);
    for (const CheckedCertificate& certificate : response.certificates)
        add_certificate(from, certificate, turn);
    if (ended_) return;
    // There is more where this came from.
    if (progressed_ && response.certificates.size() == kResponseCertificatesMax)
        ask_for_certificates(from, turn);
    const Round quorum = dag_.quorum_round().value_or(Round(0));
    const Round needed = std::min(dag_.lowest_missing().value_or(quorum), quorum);
    if (response.height > builder_.tip().height && response.floor > needed)
        turn.out.follow_blocks = true;
}

void Core::receive(AuthorityIndex from, const BlockSignature& signature, Turn& turn) {
    const auto added = signatures_.add(from, signature);
    if (!added && added.error() != Refusal::Stale) refusals_.count(from, added.error());
    const types::BlockStatement* own = signatures_.own(signature.statement.height);
    if (signature.reply == Reply::Wanted && own != nullptr)
        send_block_signature(from, *own, Reply::NotNeeded, turn);
}

}  // namespace draco::consensus
