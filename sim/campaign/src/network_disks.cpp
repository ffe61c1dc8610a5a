#include "draco/campaign/network.hpp"

#include "adversary.hpp"
#include "checker.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

// How soon a machine whose disk is full is started again.
constexpr Duration kFullDiskRestart = milliseconds(200);

}  // namespace

bool Network::write(std::size_t machine, std::vector<consensus::Persist>& records) {
    Machine& m = machines_[machine];
    for (consensus::Persist& record : records) {
        append(record.record, record.rest());
        note("persist", record.record);
        // Tag 0, an own header: its signature and that of the own vote for it.
        if (record.record[0] == 0) costs_.signatures_made += 2;
        m.log.push_back({record.round, std::move(record.record)});
        ++m.records_written;
        if (!crashes_here(machine)) continue;
        m.durable = m.log.size();
        stop(machine);
        forget_lost(machine);
        restart_after(machine, m.crash_down);
        return false;
    }
    return true;
}

// Released at once if nothing that came before waits for the disk.
void Network::hold_back(std::size_t machine, std::function<void()> release) {
    Machine& m = machines_[machine];
    if (options_.bug == PlantedBug::SentBeforeDurable ||
        (m.durable >= m.log.size() && m.held_back.empty()))
        release();
    else
        m.held_back.push_back({m.log.size(), std::move(release)});
}

void Network::sync_disk(std::size_t machine) {
    Machine& m = machines_[machine];
    m.syncing = true;
    at(draw(Duration(1), m.sync_max.value_or(options_.sync_max)),
       [this, machine, life = m.life, records = m.log.size(), prune = m.prune_below] {
           if (machines_[machine].life == life && is_up(machine)) synced(machine, records, prune);
       });
}

void Network::synced(std::size_t machine, std::size_t records, Round prune_below) {
    Machine& m = machines_[machine];
    const std::uint64_t life = m.life;
    if (m.disk_full) {
        crash(machine);
        return restart_after(machine, kFullDiskRestart);
    }
    m.syncing = false;
    m.durable = records;
    m.prunable = std::max(m.prunable, prune_below);
    std::vector<HeldBack> released;
    std::size_t count = 0;
    while (count < m.held_back.size() && m.held_back[count].records <= records)
        released.push_back(std::move(m.held_back[count++]));
    m.held_back.erase(m.held_back.begin(),
                      m.held_back.begin() + static_cast<std::ptrdiff_t>(count));
    if (!m.held_back.empty()) sync_disk(machine);
    for (const HeldBack& held : released) {
        if (crashes_here(machine)) {
            crash(machine);
            return restart_after(machine, m.crash_down);
        }
        held.run();
        if (machines_[machine].life != life) return;
    }
}

bool Network::crashes_here(std::size_t machine) {
    Machine& m = machines_[machine];
    ++m.points_passed;
    if (!m.crash_point || --*m.crash_point > 0) return false;
    m.crash_point.reset();
    return true;
}

void Network::crash_at_point(std::size_t machine, std::uint64_t n, Duration down) {
    machines_[machine].crash_point = n;
    machines_[machine].crash_down = down;
}

void Network::restart_after(std::size_t machine, Duration down) {
    at(down, [this, machine] {
        if (!is_up(machine)) restart(machine);
    });
}

void Network::stop(std::size_t machine) {
    Machine& m = machines_[machine];
    m.core.reset();
    ++m.life;
    ++changes_;
    m.syncing = false;
    m.held_back.clear();
    m.for_ledger.clear();
    m.handing_over = false;
    m.wake.reset();
    m.following = false;
    for (std::size_t peer = 0; peer < machines_.size(); ++peer)
        ++link_generation_[{std::min(machine, peer), std::max(machine, peer)}];
    for (Worker& worker : workers_)
        if (worker.machine == machine) ++worker.link;
}

// What the log still has is proposed again; what some machine has executed is not lost either.
void Network::forget_lost(std::size_t machine) {
    const Machine& m = machines_[machine];
    std::set<std::uint64_t> logged;
    const auto gather = [&](const std::vector<LogEntry>& log) {
        for (const LogEntry& entry : log) {
            const auto record = consensus::decode_record(entry.record).value();
            const auto* batch = std::get_if<types::Batch>(&record);
            if (batch == nullptr || batch->author != m.member) continue;
            for (const ByteView transaction : batch->transactions)
                logged.insert(load_le<std::uint64_t>(transaction.data()));
        }
    };
    gather(m.log);
    for (const Worker& worker : workers_)
        if (worker.machine == machine) gather(worker.log);
    std::erase_if(accepted_, [&](const auto& item) {
        return item.second == machine && !logged.contains(item.first) &&
               std::ranges::none_of(machines_, [&](const Machine& other) {
                   return other.transactions.contains(item.first);
               });
    });
}

void Network::crash(std::size_t machine) {
    Machine& m = machines_[machine];
    stop(machine);
    const std::size_t tail = m.log.size() - m.durable;
    m.log.resize(m.durable + (tail == 0 ? 0 : random_() % (tail + 1)));
    m.durable = m.log.size();
    forget_lost(machine);
}

std::size_t Network::records_needed(std::size_t machine) const {
    const Machine& m = machines_[machine];
    return static_cast<std::size_t>(std::ranges::count_if(
        m.log, [&](const LogEntry& entry) { return entry.round >= m.prunable; }));
}

// Forgets what it may, or less: whole segments go, and late.
void Network::prune_log(Machine& m) {
    const auto kept = std::ranges::find_if(
        m.log, [&](const LogEntry& entry) { return entry.round >= m.prunable; });
    const auto prunable = static_cast<std::size_t>(kept - m.log.begin());
    if (prunable == 0 || random_() % 2 == 0) return;
    const std::size_t pruned = random_() % (prunable + 1);
    m.log.erase(m.log.begin(), m.log.begin() + static_cast<std::ptrdiff_t>(pruned));
    m.durable = m.log.size();
}

std::vector<consensus::Record> Network::read_log(Machine& m) {
    prune_log(m);
    restore_blocks(m);
    std::vector<consensus::Record> records;
    std::map<types::Height, types::Block> blocks;
    for (const LogEntry& entry : m.log) {
        auto record = consensus::decode_record(entry.record).value();
        const bool forgotten = (options_.bug == PlantedBug::VotesForgotten &&
                                std::holds_alternative<consensus::OwnVote>(record)) ||
                               (options_.bug == PlantedBug::HeadersForgotten &&
                                std::holds_alternative<consensus::OwnHeader>(record));
        if (auto* block = std::get_if<types::Block>(&record))
            blocks.emplace(block->height, std::move(*block));
        else if (!forgotten)
            records.push_back(std::move(record));
    }
    for (auto& [height, block] : blocks) records.emplace_back(std::move(block));
    return records;
}

// Blocks are executed before their records are durable: as in a node, what the log has lost of them
// comes from the ledger, and is logged again.
void Network::restore_blocks(Machine& m) {
    std::set<std::uint64_t> logged;
    for (const LogEntry& entry : m.log) {
        const auto record = consensus::decode_record(entry.record).value();
        if (const auto* block = std::get_if<types::Block>(&record))
            logged.insert(block->height.value());
    }
    for (std::uint64_t height = logged.empty() ? 1 : *logged.begin(); height <= m.blocks.size();
         ++height) {
        const types::Block& block = m.blocks[height - 1];
        if (!logged.contains(height))
            m.log.push_back({block.anchor_round, consensus::encode_record(block)});
    }
}

void Network::restart(std::size_t machine, consensus::RecoveryMode mode) {
    Machine& m = machines_[machine];
    if (mode == consensus::RecoveryMode::Observer) {
        m.log.clear();
        m.durable = 0;
    }
    start(machine, {mode, read_log(m), types::Height(m.executed.size())});
}

}  // namespace draco::campaign
