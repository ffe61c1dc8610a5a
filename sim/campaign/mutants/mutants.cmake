# Bugs planted in the core's sources: name, where, what, which scenario finds it within how many seeds.
# For commit-rule the number is that of the rounds.

function(plant name source scenario seeds text by)
  draco_mutant(${name} SOURCE core/consensus/src/${source} REPLACE "${text}" BY "${by}"
               HUNTER draco_campaign_hunt ARGUMENTS ${scenario} ${seeds})
endfunction()

# --- votes and certificates ---
plant(own_vote_counted_twice vote_aggregator.cpp consensus/default 1
      "voters_.count() < quorum_" "voters_.count() + 1 < quorum_")
plant(two_votes_in_a_round voter.cpp consensus/equivocation 20
      "author.last_round && round <= *author.last_round" "author.last_round && round < *author.last_round")
plant(vote_not_logged core.cpp consensus/equivocation 100
      "turn.out.persist.push_back(\n            {content.round, encode_record(OwnVote"
      "static_cast<void>(\n            Persist{content.round, encode_record(OwnVote")
plant(vote_without_batches voter.cpp consensus/withheld 20
      "return batch != nullptr && batch->bytes" "return batch == nullptr || batch->bytes")
plant(vote_for_false_parents voter.cpp consensus/equivocation 20
      "digest != nullptr && *digest == (*header.parents)[next]" "digest != nullptr")
plant(parents_counted_twice verify.cpp consensus/equivocation 20
      "parents > 0 && parents < committee_.quorum()" "parents > 0 && 2 * parents < committee_.quorum()")
plant(round_left_without_quorum dag.cpp consensus/default 1
      "here.accepted.count() >= quorum_" "here.accepted.count() + 1 >= quorum_")
plant(header_forgotten core_recovery.cpp consensus/default 20
      "proposer_.proposed(last, {});" "")

# --- what is ordered ---
plant(commit_on_f_votes committer.cpp commit-rule 5
      "votes >= rule_.certified" "votes + 1 >= rule_.certified")
plant(commit_on_2f_headers committer.cpp commit-rule 5
      "dag.proposed_votes(slot) >= *rule_.proposed" "dag.proposed_votes(slot) + 1 >= *rule_.proposed")
plant(skip_with_a_vote_to_come committer.cpp commit-rule 5
      "others >= *rule_.skip" "others + 1 >= *rule_.skip")
plant(judge_too_near committer.cpp commit-rule 5
      "next_standing(i + 2)" "next_standing(i + 1)")
plant(collected_a_round_too_early core.cpp consensus/stragglers 50
      "std::min(anchor.value(), parameters_.gc_depth_rounds)"
      "std::min(anchor.value(), parameters_.gc_depth_rounds - 1)")
plant(history_ordered_again committer.cpp consensus/default 1
      ".without(dag.settled(Round(round)))" "")
plant(ordered_batches_forgotten block_builder.cpp consensus/repeats 5
      "fits && !ordered_.contains(batch.digest)" "fits")
plant(ordered_memory_too_short core.cpp consensus/repeats 5
      "seat.start, parameters_.ordered_memory_rounds()" "seat.start, parameters_.gc_depth_rounds")
plant(batches_of_any_age voter.cpp consensus/repeats 20
      "is_of_age(*batch->batch, content.round, batch_age_rounds_max_)" "batch_age_rounds_max_ > 0")
plant(upper_median block_builder.cpp consensus/default 5
      "(created.size() - 1) / 2" "created.size() / 2")
plant(block_without_content core.cpp consensus/withheld 20
      "if (handed_over.batches.size() < next.block.batches->size()) return;" "")

# --- between a node and its workers ---
plant(reported_before_durable worker_core.cpp consensus/workers 100
      "tell_node(Channel::Consensus, report_, Release::AfterPersist, turn)"
      "tell_node(Channel::Consensus, report_, Release::AtOnce, turn)")
plant(ordered_batch_adopted core_workers.cpp consensus/workers 100
      "= builder_.has_ordered(batch.digest);" "= false;")
plant(settled_told_once worker_desk.cpp consensus/workers 100
      "for (const auto& [digest, how] : l.unsettled) l.settle[how].push_back(digest);" "")
plant(worker_asks_once worker_core.cpp consensus/workers 100
      "synchronizer_.batch_arrived(item.first)" "return true")

# --- what must go on ---
plant(abandoned_batches_lost batch_maker.cpp consensus/default 50
      "    make_ready_again(found->second);" "")
plant(header_sent_once core.cpp consensus/default 60
      "if (upholds_dag()) send_own_vertex(std::nullopt, turn);" "")
