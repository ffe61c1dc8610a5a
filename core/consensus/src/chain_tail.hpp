#pragma once
// How a core joins an epoch that is under way: by the last blocks that the ledger has of it, in
// place of those that its log may lack.

#include "draco/consensus/core.hpp"
#include "draco/interfaces/ledger.hpp"

#include <optional>
#include <vector>

namespace draco::consensus {

// The blocks of one epoch up to the ledger's head: as many as a core remembers.
struct ChainTail {
    Tip start;  // the block before the first of them
    std::vector<types::Block> blocks;
};

// `head` is the last executed block. nullopt if the ledger does not have the blocks any more, or is
// damaged there; errors: Io.
Result<std::optional<ChainTail>> read_tail(const interfaces::Ledger& ledger,
                                           types::Epoch epoch,
                                           const Tip& head,
                                           const Parameters& parameters);

// The last block of an ended epoch, if it is near below `head` and the ledger has no certificate of
// this very block, which others need to go on beyond it. Errors: Io.
Result<std::optional<Tip>> uncertified_end(const interfaces::Ledger& ledger,
                                           types::Epoch ended,
                                           types::Height head,
                                           types::ChainId chain);

// What a core is made from.
struct JoinedLog {
    Tip start;  // the block before the first one in the records
    std::vector<Record> records;
    // The ledger's that the log lacks, in order. It must have them before anything else is logged:
    // they say which of the own batches are ordered, and the ledger's tail moves on.
    std::vector<types::Block> missing;
};

// The log's records with one unbroken sequence of blocks: the ledger's up to the head, the log's
// above it, and those of the log below, where they reach the ledger's. Corrupt if the two have
// different blocks of one height, or the log goes on where the ledger has not got.
Result<JoinedLog> join_tail(std::vector<Record> records,
                            const ChainTail& tail,
                            types::ChainId chain);

std::vector<Record> records_of(const ChainTail& tail);

}  // namespace draco::consensus
