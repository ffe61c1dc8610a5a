#include "draco/consensus/core.hpp"

#include "draco/base/assert.hpp"

#include "core_send.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace draco::consensus {

Core::Core(Seat seat, Parameters parameters, AuthorityIndex self, CommitRule rule)
    : parameters_(parameters),
      chain_(seat.chain),
      committee_(std::move(seat.committee)),
      key_(std::move(seat.key)),
      self_(self),
      maker_(parameters_, chain_, committee_.epoch(), self, seat.worker, committee_.quorum()),
      batches_(committee_.size(),
               parameters_.peer_bytes_max,
               parameters_.held_bytes_max,
               parameters_.window_rounds),
      voter_(committee_.size(), parameters_.header_lead_ms_max, parameters_.batch_age_rounds_max()),
      clock_check_(committee_, parameters_.header_lead_ms_max),
      aggregator_(committee_),
      dag_(committee_.size(), committee_.quorum(), parameters_.window_rounds),
      proposer_(parameters_, self, rule, committee_),
      committer_(LeaderSchedule(committee_.size(),
                                committee_.faulty_max(),
                                parameters_.reputation_rounds,
                                seat.start.height),
                 rule),
      builder_(chain_, committee_.epoch(), seat.start, parameters_.ordered_memory_rounds()),
      signatures_(committee_, seat.start.height),
      synchronizer_(parameters_, committee_.size(), self),
      desk_(seat.workers > 0
                ? std::optional<WorkerDesk>(std::in_place, committee_.epoch(), seat.workers)
                : std::nullopt),
      serving_(committee_.size(), parameters_.served_bytes_per_s),
      refusals_(committee_.size()),
      delivered_(seat.start.height),
      executed_(seat.start.height),
      retry_delay_(parameters_.retry) {}

Result<std::unique_ptr<Core>> Core::make(Seat seat, Parameters parameters, Recovery recovery) {
    DRACO_TRY_VOID(check(parameters));
    const auto self = seat.committee.index_of(seat.key.public_key());
    if (!self)
        return fail(Errc::InvalidArgument, "the node's key is not in the committee of this epoch");
    const CommitRule rule = CommitRule::fast(seat.committee);
    if (seat.workers > kWorkersMax)
        return fail(Errc::InvalidArgument,
                    "a node has at most " + std::to_string(kWorkersMax) + " worker processes");
    DRACO_ASSERT(rule.is_safe(seat.committee), "the thresholds of the commit rule are safe");
    std::unique_ptr<Core> core(new Core(std::move(seat), parameters, *self, rule));
    DRACO_TRY_VOID(core->recover(std::move(recovery)));
    return core;
}

void Core::step(const Event& event, Now now, Effects& out) {
    Turn turn{now, out};
    progressed_ = false;
    if (const auto quorum = dag_.quorum_round()) maker_.enter(Round(quorum->value() + 1));
    std::ranges::move(returned_, std::back_inserter(out.resubmit));
    returned_.clear();
    std::visit([&](const auto& happened) { on(happened, turn); }, event);
    settle(turn);
}

void Core::settle(Turn& turn) {
    do {
        count_proposals();
        commit_anchors(turn);
        cast_votes(turn);
    } while (propose(turn));
    if (desk_) fetch_contents();
    deliver_blocks(turn);
    if (desk_) watch_contents(turn);
    if (block_signature_due_ && turn.now.instant >= *block_signature_due_) sign_last_block(turn);
    request_missing(turn);
    retry(turn);
    forget(turn);
    if (desk_) tell_workers(turn);
    set_wake(turn);
}

// Own headers are in the log before anybody sees them, and stay there while their round is above
// the floor.
bool Core::is_forgotten_own(const CheckedCertificate& certificate) const {
    const types::Header& header = certificate.certificate->header;
    if (header.author != self_ || header.round < dag_.floor()) return false;
    const auto& last = proposer_.last();
    if (!last || header.round > last->header.header.round) return true;
    return header.round == last->header.header.round && certificate.digest != last->digest;
}

void Core::stop_signing(Turn& turn) {
    mode_ = RecoveryMode::Observer;
    turn.out.lost_records = true;
    turn.out.resubmit = maker_.unordered_after(builder_.tip().height);
    if (desk_) desk_->end_epoch();
}

void Core::add_certificate(AuthorityIndex from, const CheckedCertificate& certificate, Turn& turn) {
    if (participates() && is_forgotten_own(certificate)) stop_signing(turn);
    std::vector<VertexId> accepted;
    switch (dag_.add(certificate, accepted)) {
        case Dag::Addition::Accepted:
        case Dag::Addition::Suspended:
        case Dag::Addition::Known:
            break;
        case Dag::Addition::BelowFloor:
            refusals_.count(from, Refusal::Stale);
            break;
        case Dag::Addition::BeyondWindow:
            // A quorum stands behind it: it is this member who is late.
            turn.out.follow_blocks = true;
            refusals_.count(from, Refusal::TooFarAhead);
            break;
        case Dag::Addition::Conflict:
            refusals_.count(from, Refusal::Equivocation);
            break;
    }
    on_accepted(accepted, turn);
}

void Core::on_accepted(std::span<const VertexId> accepted, Turn& turn) {
    for (const VertexId vertex : accepted) {
        const types::Certificate* certificate = dag_.find(vertex);
        if (certificate == nullptr) continue;  // the floor has passed it since
        progressed_ = true;
        turn.out.persist.push_back({vertex.round, encode_record(*certificate)});
        check_clock(*certificate);
        if (dag_.settled(vertex.round).contains(vertex.author)) continue;
        for (const types::BatchReference& batch : *certificate->header.batches) {
            keep_until(batch.digest, vertex.round);
            if (batches_.find(batch.digest) == nullptr && batches_.has_room())
                synchronizer_.want_batch(batch,
                                         vertex.author,
                                         vertex.round,
                                         Synchronizer::Named::ByCertificate,
                                         turn.now.instant + patience_for(batch));
        }
    }
}

void Core::check_clock(const types::Certificate& certificate) {
    const types::Header& header = certificate.header;
    if (header.author == self_ || header.round.value() == 0) return;
    const Round before(header.round.value() - 1);
    const types::Certificate* followed = dag_.find({before, header.author});
    if (followed != nullptr && followed->signers.contains(self_))
        clock_check_.followed(header.author, before, header.created);
}

void Core::count_proposals() {
    voter_.for_each_founded(dag_, [&](const types::Header& header) { dag_.note_proposal(header); });
}

void Core::commit_anchors(Turn& turn) {
    while (const auto anchor = committer_.next(dag_)) {
        const types::Block block = builder_.build(dag_, *anchor, unsettled_history(dag_, *anchor));
        advance_to(block, turn);
        undelivered_.push_back({block, builder_.tip().digest});
        progressed_ = true;
    }
}

Round Core::floor_after(Round anchor) const {
    return Round(anchor.value() - std::min(anchor.value(), parameters_.gc_depth_rounds));
}

// What others' blocks must satisfy before they may become the tip.
bool Core::has_sound_rounds(const types::Block& block) const {
    return !block.vertices->empty() && block.vertices->size() <= block.anchor_round.value() + 1 &&
           (!committer_.last() || *committer_.last() < block.anchor_round);
}

void Core::settle_vertices(const types::Block& block, std::vector<VertexId>& accepted) {
    for (std::size_t depth = 0; depth < block.vertices->size(); ++depth)
        dag_.settle(Round(block.anchor_round.value() - depth), (*block.vertices)[depth], accepted);
}

Round Core::lowest_round(const types::Block& block) {
    return Round(block.anchor_round.value() - (block.vertices->size() - 1));
}

// The block becomes the tip, by the own DAG or by others' signatures: from here on it is the same.
void Core::advance_to(const types::Block& block, Turn& turn) {
    builder_.append(block);
    committer_.ordered(block);
    turn.out.persist.push_back({block.anchor_round, encode_record(block)});
    for (const types::BatchDigest& batch : *block.batches) maker_.ordered(batch, block.height);
    std::vector<VertexId> accepted;
    settle_vertices(block, accepted);
    unsecured_.push_back({block.height, lowest_round(block)});
    const Round floor = floor_after(block.anchor_round);
    dag_.raise_floor(floor, accepted);
    maker_.raise_floor(floor);
    voter_.prune(dag_);
    on_accepted(accepted, turn);
}

void Core::deliver_blocks(Turn& turn) {
    while (!undelivered_.empty() && !ended_ &&
           delivered_.value() < executed_.value() + parameters_.blocks_ahead_max) {
        Undelivered& next = undelivered_.front();
        CommittedBlock handed_over;
        for (const types::BatchDigest& digest : *next.block.batches) {
            if (const CheckedBatch* batch = content_of(digest))
                handed_over.batches.push_back(batch->batch);
            else if (!desk_)
                synchronizer_.want_batch({digest, {}, 0},
                                         self_,
                                         next.block.anchor_round,
                                         Synchronizer::Named::ByCertificate,
                                         turn.now.instant);
        }
        if (handed_over.batches.size() < next.block.batches->size()) return;
        forget_contents(next.block);
        const types::BlockStatement statement{
            next.block.epoch, next.block.height, next.block.parent, next.digest};
        handed_over.digest = next.digest;
        handed_over.block = std::move(next.block);
        undelivered_.pop_front();
        delivered_ = statement.height;
        progressed_ = true;
        committed(handed_over.block, statement, turn);
        turn.out.blocks.push_back(std::move(handed_over));
    }
}

void Core::committed(const types::Block& block,
                     const types::BlockStatement& statement,
                     Turn& turn) {
    const auto span_ms = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(parameters_.block_signature_interval)
            .count());
    const bool enters_span = delivered_time_.ms / span_ms != block.timestamp.ms / span_ms;
    delivered_time_ = block.timestamp;
    signatures_.committed(statement, self_, std::nullopt);
    block_signature_due_.reset();
    if (!participates()) return;
    // Where blocks are rare, none waits for the next one.
    const bool is_first_for_long =
        !block_signed_at_ ||
        turn.now.instant >= *block_signed_at_ + 2 * parameters_.block_signature_interval;
    if (enters_span || is_first_for_long)
        sign_last_block(turn);
    else
        block_signature_due_ = turn.now.instant + parameters_.block_signature_interval;
}

void Core::sign_last_block(Turn& turn) {
    block_signature_due_.reset();
    const types::BlockStatement* last = signatures_.own(delivered_);
    if (last == nullptr || mode_ != RecoveryMode::Participant ||
        signatures_.certified() >= delivered_)
        return;
    const types::BlockStatement statement = *last;
    block_signed_at_ = turn.now.instant;
    const auto signature = key_.sign(types::digest_of(chain_, statement).view());
    send(std::nullopt,
         BlockSignature{statement, signature, Reply::NotNeeded},
         Release::AfterPersist,
         turn);
    signatures_.committed(statement, self_, signature);
}

void Core::cast_votes(Turn& turn) {
    if (!upholds_dag()) return;
    bool cast = false;
    while (const auto header = voter_.next(dag_, batches_, turn.now.unix)) {
        const types::Header& content = header->header.header;
        dag_.note_proposal(content);
        cast = true;
        for (const types::BatchReference& batch : *content.batches) {
            keep_until(batch.digest, content.round);
            log_batch(batch.digest, content.round, turn);
        }
        voted_round_ = std::max(voted_round_.value_or(Round(0)), content.round);
        clock_check_.voted(content.author, content.round, turn.now.unix);
        turn.out.persist.push_back(
            {content.round, encode_record(OwnVote{content.round, content.author, header->digest})});
        send_vote(content.author, content.round, header->digest, turn);
    }
    if (cast) commit_anchors(turn);
}

void Core::send_vote(AuthorityIndex author, Round round, types::HeaderDigest header, Turn& turn) {
    const auto digest = types::digest_of(chain_, types::VoteContent{header});
    send(author,
         types::Vote{committee_.epoch(), round, author, header, self_, key_.sign(digest.view())},
         Release::AfterPersist,
         turn);
}

// A round that anybody began is completed by all, or who began it could not go on when it has
// something to say; a new one is begun only for payload.
bool Core::wants_round(Round round) {
    const bool has_reason =
        !ended_ && (maker_.has_ready() || maker_.has_open() || dag_.unsettled_payload() > 0);
    return has_reason || (dag_.highest_round() && *dag_.highest_round() >= round) ||
           (voted_round_ && *voted_round_ >= round);
}

bool Core::own_header_is_uncertified() const {
    const auto& last = proposer_.last();
    if (!last) return false;
    const Round round = last->header.header.round;
    return round >= dag_.floor() && !dag_.accepted(round).contains(self_);
}

// True if a header was proposed: that may have changed what is possible.
bool Core::propose(Turn& turn) {
    proposal_deadline_.reset();
    if (!upholds_dag()) return false;
    const auto decision = proposer_.decide(dag_, committer_, turn.now.instant);
    const auto round = proposer_.next_round(dag_);
    if (!round) return false;
    const bool is_due = decision.kind == Proposer::Decision::Kind::Propose;
    if (is_due && !ended_)
        if (const auto batch = maker_.seal(turn.now.instant)) announce_with_header(*batch, turn);
    if (participates())
        for (const CheckedBatch& batch :
             desk_ ? maker_.give_up(dag_.floor()) : maker_.renew(dag_.floor()))
            desk_ ? desk_->settle(batch, Settlement::Dissolved) : announce(batch, turn);
    if (!wants_round(*round)) return false;
    if (!is_due) {
        proposal_deadline_ = decision.deadline;
        return false;
    }
    // Votes for the header before this one are not counted any more.
    if (own_header_is_uncertified()) {
        maker_.abandon(proposer_.last()->header.header.round);
        clock_check_.passed_over();
    }
    CheckedHeader header;
    // What would be void is not proposed.
    auto batches = ended_ ? std::vector<types::BatchReference>{} : maker_.take(*round);
    header.header.header =
        make_header(dag_, committee_.epoch(), *round, self_, turn.now.unix, std::move(batches));
    for (const types::BatchReference& batch : *header.header.header.batches) {
        // One that is proposed again may be so old that all have forgotten it.
        if (batches_.find(batch.digest) == nullptr) announce(maker_.own(batch.digest), turn);
        keep_until(batch.digest, *round);
        log_batch(batch.digest, *round, turn);
    }
    header.digest = types::digest_of(chain_, header.header.header);
    header.header.signature = key_.sign(header.digest.view());
    turn.out.persist.push_back({*round, encode_record(OwnHeader{header.header})});
    send(std::nullopt, header.header, Release::AfterPersist, turn);
    const auto vote = types::digest_of(chain_, types::VoteContent{header.digest});
    aggregator_.start(header, self_, key_.sign(vote.view()));
    dag_.note_proposal(header.header.header);
    proposer_.proposed(std::move(header), turn.now.instant);
    progressed_ = true;
    certify_own(turn);
    return true;
}

void Core::certify_own(Turn& turn) {
    const auto certificate = aggregator_.take_certificate();
    if (!certificate) return;
    clock_check_.certified();
    send(std::nullopt, *certificate->certificate, Release::AtOnce, turn);
    add_certificate(self_, *certificate, turn);
}

void Core::announce(const CheckedBatch& batch, Turn& turn) {
    const Round round = dag_.quorum_round().value_or(Round(0));
    batches_.add(batch, round, BatchStore::Demand::Requested);
    if (desk_) return desk_->announce(batch);
    log_batch(batch.digest, round, turn);
    send(std::nullopt, *batch.batch, Release::AtOnce, turn);
}

// A small one saves a message to everybody: it travels in front of the header, in its channel.
void Core::announce_with_header(const CheckedBatch& batch, Turn& turn) {
    if (batch.bytes > parameters_.batch_bytes_with_header || committee_.size() == 1)
        return announce(batch, turn);
    const Round round = dag_.quorum_round().value_or(Round(0));
    batches_.add(batch, round, BatchStore::Demand::Requested);
    log_batch(batch.digest, round, turn);
    turn.out.sends.push_back({std::nullopt,
                              Channel::Consensus,
                              std::make_shared<const Bytes>(encode_message(*batch.batch)),
                              Release::AfterPersist});
}

// A batch is written when something is about to be signed or promised that rests on it, not when it
// comes: what a member pushes must not fill the others' logs.
void Core::log_batch(const types::BatchDigest& digest, Round round, Turn& turn) {
    if (const CheckedBatch* batch = batches_.to_log(digest, round))
        turn.out.persist.push_back(persist_batch(round, batch->batch));
}

bool Core::lacks_certificates() const {
    bool lacking = dag_.suspended_count() > 0;
    voter_.for_each_pending([&](const CheckedHeader& header, Instant) {
        lacking = lacking || !has_parents(dag_, header.header.header);
    });
    return lacking;
}

void Core::request_missing(Turn& turn) {
    const Instant now = turn.now.instant;
    if (desk_)
        hold_missing(turn);
    else
        for (const auto& query : synchronizer_.due_batches(committee_.epoch(), now))
            send(query.to, query.request, Release::AtOnce, turn);
    // What arrives out of order settles by itself in a moment.
    if (!lacks_certificates() || (ended_ && !upholds_dag()))
        lacking_since_.reset();
    else if (!lacking_since_ || progressed_)
        lacking_since_ = now;
    if (lacking_since_ && now >= *lacking_since_ + parameters_.batch_patience)
        if (const auto peer = synchronizer_.ask_certificates(now))
            ask_for_certificates(*peer, turn);
}

void Core::ask_for_certificates(AuthorityIndex peer, Turn& turn) {
    send(peer, certificates_lacking(dag_, committee_.epoch()), Release::AtOnce, turn);
}

// Whether something is under way that a lost message could hold up.
bool Core::is_busy() const {
    if (!signatures_.missing_for_last().empty() && mode_ == RecoveryMode::Participant) return true;
    if (ended_) return false;
    return dag_.unsettled_payload() > 0 || dag_.suspended_count() > 0 || !undelivered_.empty() ||
           signatures_.credible_height() > builder_.tip().height ||
           (participates() && (maker_.outstanding() || own_header_is_uncertified()));
}

void Core::retry(Turn& turn) {
    const Instant now = turn.now.instant;
    if (!is_busy()) {
        retry_at_.reset();
        return;
    }
    if (progressed_ || !retry_at_) {
        retry_delay_ = parameters_.retry;
        retry_at_ = now + retry_delay_;
        return;
    }
    if (now < *retry_at_) return;
    retry_delay_ = std::min(2 * retry_delay_, parameters_.retry_max);
    retry_at_ = now + retry_delay_;
    asked_contents_.clear();
    if (const types::BlockStatement* last = signatures_.own(delivered_); last != nullptr)
        signatures_.missing_for_last().for_each([&](AuthorityIndex member) {
            if (member != self_) send_block_signature(member, *last, Reply::Wanted, turn);
        });
    if (upholds_dag()) send_own_vertex(std::nullopt, turn);
    if (ended_) return;
    if (const auto peer = synchronizer_.ask_certificates(now)) ask_for_certificates(*peer, turn);
    if (!undelivered_.empty() || signatures_.credible_height() > builder_.tip().height)
        turn.out.follow_blocks = true;
}

// The last own header to who has not voted for it, or its certificate to who may not have it.
void Core::send_own_vertex(std::optional<AuthorityIndex> to, Turn& turn) {
    const auto& last = proposer_.last();
    if (!last) return;
    const Round round = last->header.header.round;
    if (const auto* certificate = dag_.find({round, self_})) {
        send(to, *certificate, Release::AtOnce, turn);
        return;
    }
    if (round < dag_.floor()) return;
    for (std::size_t i = 0; i < committee_.size(); ++i) {
        const AuthorityIndex member(static_cast<std::uint16_t>(i));
        if (member != self_ && (!to || *to == member) && !aggregator_.voters().contains(member))
            send(member, last->header, Release::AfterPersist, turn);
    }
}

void Core::send_block_signature(std::optional<AuthorityIndex> to,
                                const types::BlockStatement& statement,
                                Reply reply,
                                Turn& turn) {
    if (mode_ == RecoveryMode::Observer) return;
    const auto signature = key_.sign(types::digest_of(chain_, statement).view());
    send(to, BlockSignature{statement, signature, reply}, Release::AfterPersist, turn);
}

// The lowest round whose batches are still needed: to be ordered, to be executed here, or, by who
// has not executed them and can get the blocks from nobody while no certificate covers them.
Round Core::batch_floor() const {
    return unsecured_.empty() ? dag_.floor() : std::min(dag_.floor(), unsecured_.front().lowest);
}

void Core::forget(Turn& turn) {
    for (types::BlockCertificate& certificate : signatures_.take_complete())
        turn.out.certificates.push_back(std::move(certificate));
    settle_executed();
    const Round floor = batch_floor();
    batches_.raise_floor(floor);
    synchronizer_.raise_floor(floor);
    // A header up to a window later than a batch's record may name the batch.
    const Round prunable(floor.value() - std::min(floor.value(), parameters_.window_rounds));
    if (prunable > pruned_below_) {
        pruned_below_ = prunable;
        turn.out.prune_below = prunable;
    }
}

void Core::settle_executed() {
    for (const CheckedBatch& own : maker_.executed(executed_))
        if (desk_) desk_->settle(own, Settlement::Executed);
    const types::Height secured = std::min(executed_, signatures_.certified());
    while (!unsecured_.empty() && unsecured_.front().height <= secured) unsecured_.pop_front();
}

Duration Core::patience_for(const types::BatchReference& batch) const {
    return batch.bytes > parameters_.batch_bytes_small ? parameters_.batch_grace
                                                       : parameters_.batch_patience;
}

void Core::keep_until(const types::BatchDigest& digest, Round round) {
    if (batches_.keep_until(digest, round) && desk_) desk_->keep(*batches_.find(digest), round);
}

void Core::set_wake(Turn& turn) const {
    std::optional<Instant> wake;
    const auto by = [&](std::optional<Instant> time) {
        if (time && (!wake || *time < *wake)) wake = time;
    };
    by(retry_at_);
    by(proposal_deadline_);
    by(block_signature_due_);
    by(contents_due_);
    by(synchronizer_.batches_due_at());
    if (lacking_since_)
        by(std::max(*lacking_since_ + parameters_.batch_patience,
                    synchronizer_.certificates_due_at().value_or(Instant{})));
    if (participates()) {
        by(maker_.seal_deadline());
        by(maker_.grace_deadline());
    }
    if (upholds_dag())
        if (const auto delay = voter_.future_delay(turn.now.unix)) by(turn.now.instant + *delay);
    turn.out.wake = wake;
}

}  // namespace draco::consensus
