#include "transaction_stream.hpp"

#include "draco/base/text_encoding.hpp"

#include "shown_text.hpp"

#include <algorithm>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kPendingMax = 32;  // of an account; nodes take 64
constexpr std::uint64_t kSubmitMs = 5000;
constexpr Duration kAnswerPatience = std::chrono::seconds(10);
constexpr Duration kStatusEvery = std::chrono::seconds(1);
constexpr Duration kNoncesEvery = std::chrono::milliseconds(100);
constexpr Duration kTurn = std::chrono::milliseconds(20);
constexpr Duration kRefusedPause = std::chrono::milliseconds(200);
constexpr int kHttpOk = 200;
constexpr int kHttpTooMany = 429;

}  // namespace

TransactionStream::TransactionStream(const Clock& clock,
                                     const DevnetRecord& devnet,
                                     std::vector<StreamSource> sources,
                                     const StreamLimits& limits)
    : clock_(clock), limits_(limits), now_(clock.now()), chain_(now_) {
    for (const DevnetNodeRecord& node : devnet.nodes) {
        Node made;
        made.url = {.host = "127.0.0.1", .port = node.rpc_port};
        nodes_.push_back(std::move(made));
    }
    for (StreamSource& source : sources) {
        Account account;
        account.node = accounts_.size() % nodes_.size();
        account.source = std::move(source);
        account.patience = resend_timeout_.current();
        accounts_.push_back(std::move(account));
    }
}

Result<StreamOutcome> TransactionStream::run(const std::function<void(std::uint64_t)>& progress) {
    started_ = progressed_at_ = now_ = clock_.now();
    chain_ = ChainTime(now_);
    std::uint64_t told = 0;
    while (!is_done()) {
        if (now_ - started_ > limits_.sending_max) stop_sending();
        if (now_ - progressed_at_ > limits_.patience)
            return fail(
                Errc::DeadlineExceeded,
                "no transaction was executed for " +
                    std::to_string(limits_.patience / std::chrono::seconds(1)) +
                    " s; the nodes said last: " + (last_error_.empty() ? "nothing" : last_error_));
        settle_accounts();
        ask_all();
        wait();
        std::deque<Arrival> arrivals;
        {
            const std::scoped_lock lock(inbox_->mutex);
            arrivals.swap(inbox_->arrivals);
        }
        now_ = clock_.now();
        for (Arrival& arrival : arrivals) DRACO_TRY_VOID(take(std::move(arrival)));
        if (outcome_.total > told) progress(outcome_.total - told);
        told = outcome_.total;
    }
    outcome_.seconds = std::chrono::duration<double>(progressed_at_ - started_).count();
    for (const Account& account : accounts_) outcome_.executed.push_back(account.executed);
    return outcome_;
}

bool TransactionStream::is_done() const {
    return std::ranges::all_of(
        accounts_, [](const Account& account) { return account.executed == account.source.count; });
}

void TransactionStream::stop_sending() {
    for (Account& account : accounts_) account.source.count = account.sent;
}

std::size_t TransactionStream::in_flight() const {
    std::size_t sum = 0;
    for (const Account& account : accounts_) sum += account.next - account.executed;
    return sum;
}

void TransactionStream::wait() {
    std::unique_lock lock(inbox_->mutex);
    inbox_->changed.wait_for(lock, kTurn, [&] { return !inbox_->arrivals.empty(); });
}

// --- questions ---

void TransactionStream::ask(std::size_t node,
                            Asked what,
                            std::vector<std::size_t> accounts,
                            const std::vector<RpcCall>& calls) {
    begin_http_exchange(
        nodes_[node].url,
        kRpcPath,
        batch_body(calls),
        kAnswerPatience,
        [inbox = inbox_, node, what, accounts = std::move(accounts)](
            Result<HttpAnswer> answer) mutable {
            const std::scoped_lock lock(inbox->mutex);
            inbox->arrivals.push_back({node, what, std::move(accounts), std::move(answer)});
            inbox->changed.notify_one();
        });
}

void TransactionStream::ask_all() {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
        ask_status(node);
        send_from(node);
    }
    ask_nonces();
}

void TransactionStream::ask_status(std::size_t node) {
    Node& at = nodes_[node];
    if (at.asked_status || now_ < at.status_at) return;
    at.asked_status = true;
    at.status_at = now_ + kStatusEvery;
    ask(node, Asked::Status, {}, {{"flk_node_status", {}}});
}

void TransactionStream::ask_nonces() {
    if (asked_nonces_ || now_ < nonces_at_) return;
    std::vector<std::size_t> asked;
    std::vector<RpcCall> calls;
    for (std::size_t i = 0; i < accounts_.size() && calls.size() < kRpcBatchMax; ++i) {
        nonces_cursor_ = (nonces_cursor_ + 1) % accounts_.size();
        const Account& account = accounts_[nonces_cursor_];
        if (account.sent == account.executed) continue;
        asked.push_back(nonces_cursor_);
        calls.push_back({"flk_get_account_info", {account.source.address}});
    }
    if (calls.empty()) return;
    const auto node = node_for(nonces_cursor_);
    if (!node) return;
    asked_nonces_ = true;
    nonces_at_ = now_ + kNoncesEvery;
    ask(*node, Asked::Nonces, std::move(asked), calls);
}

std::uint64_t TransactionStream::new_allowed() const {
    if (limits_.rate_tps == 0) return UINT64_MAX;
    const double seconds = std::chrono::duration<double>(now_ - started_).count();
    return static_cast<std::uint64_t>(seconds * static_cast<double>(limits_.rate_tps)) + 1;
}

bool TransactionStream::may_send(const Account& account) const {
    const bool one_by_one = account.probing || !nodes_[account.node].member;
    return !account.asked && now_ >= account.not_before && account.next < account.source.count &&
           account.next - account.executed < (one_by_one ? 1 : kPendingMax) &&
           (account.next < account.sent || new_sent_ < new_allowed());
}

void TransactionStream::send_from(std::size_t node) {
    Node& at = nodes_[node];
    if (!at.alive || at.asked_transactions || now_ < at.not_before) return;
    std::size_t flying = in_flight();
    std::vector<std::size_t> chosen;
    std::vector<RpcCall> calls;
    const std::size_t start = send_cursor_++;
    for (std::size_t i = 0; i < accounts_.size() && calls.size() < kRpcBatchMax; ++i) {
        const std::size_t index = (start + i) % accounts_.size();
        Account& account = accounts_[index];
        if (account.node != node || flying >= limits_.in_flight_max || !may_send(account)) continue;
        calls.push_back({"flk_send_txn",
                         {"0x" + to_hex(account.source.bytes(account.next)),
                          json::object{{"timeout_ms", kSubmitMs}}}});
        if (account.next == account.sent) {
            if (!account.timed) {
                account.timed = account.next;
                account.timed_at = chain_now();
            }
            ++account.sent;
            ++new_sent_;
        }
        if (account.next == account.executed) account.stalled_at = chain_now() + account.patience;
        account.asked = true;
        ++flying;
        chosen.push_back(index);
    }
    if (calls.empty()) return;
    at.asked_transactions = true;
    ask(node, Asked::Transactions, std::move(chosen), calls);
}

// --- answers ---

Result<> TransactionStream::take(Arrival arrival) {
    Node& node = nodes_[arrival.node];
    if (arrival.asked == Asked::Transactions) {
        node.asked_transactions = false;
        for (const std::size_t index : arrival.accounts) accounts_[index].asked = false;
    } else if (arrival.asked == Asked::Nonces) {
        asked_nonces_ = false;
    } else {
        node.asked_status = false;
    }
    if (arrival.answer && arrival.answer->status == kHttpTooMany) {
        node.not_before = now_ + kRefusedPause;
        if (arrival.asked == Asked::Transactions)
            outcome_.refused_and_resent += arrival.accounts.size();
        return {};
    }
    // Where nobody gets on, silence says nothing of one node.
    if (!arrival.answer && arrival.answer.error().code == Errc::DeadlineExceeded &&
        chain_.stands(now_)) {
        last_error_ = arrival.answer.error().context;
        return {};
    }
    if (!arrival.answer || arrival.answer->status != kHttpOk) {
        last_error_ = arrival.answer ? node.url.text() + ": " + shown(arrival.answer->body)
                                     : arrival.answer.error().context;
        leave(arrival.node);
        return {};
    }
    const std::size_t count = arrival.asked == Asked::Status ? 1 : arrival.accounts.size();
    const auto outcomes = batch_outcomes(node.url, *arrival.answer, count);
    if (!outcomes) {
        last_error_ = outcomes.error().context;
        leave(arrival.node);
        return {};
    }
    if (arrival.asked == Asked::Nonces) return take_nonces(arrival, *outcomes);
    if (arrival.asked == Asked::Transactions) {
        take_transactions(arrival, *outcomes);
        return {};
    }
    const auto role = outcomes->front() ? text_member(*outcomes->front(), "role")
                                        : Result<std::string>(std::string());
    const auto height =
        outcomes->front() ? number_member(*outcomes->front(), "height") : Result<std::uint64_t>(0);
    if (height && *height > height_) {
        height_ = *height;
        chain_.saw_block(now_, false);
    }
    node.alive = outcomes->front().has_value();
    node.member = role && *role == "member";
    return {};
}

Result<> TransactionStream::take_nonces(const Arrival& arrival,
                                        const std::vector<RpcOutcome>& outcomes) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        Account& account = accounts_[arrival.accounts[i]];
        const auto nonce =
            outcomes[i] ? number_member(*outcomes[i], "nonce") : Result<std::uint64_t>(0);
        // A node that is behind says less than is known.
        if (!nonce || *nonce <= account.source.executed.value() + account.executed) continue;
        const std::uint64_t executed = *nonce - account.source.executed.value();
        if (executed > account.sent)
            return fail(Errc::Corrupt,
                        account.source.address + " has nonce " + std::to_string(*nonce) +
                            ", which was not sent from here: does another load run?");
        chain_.saw_block(now_, true);
        outcome_.total += executed - account.executed;
        account.executed = executed;
        if (!account.asked) account.next = std::max(account.next, executed);
        if (account.timed && executed > *account.timed) {
            resend_timeout_.measured(chain_now() - account.timed_at);
            account.timed.reset();
        }
        account.patience = resend_timeout_.current();
        account.probing = false;
        account.stalled_at = chain_now() + account.patience;
        progressed_at_ = now_;
    }
    return {};
}

void TransactionStream::take_transactions(const Arrival& arrival,
                                          const std::vector<RpcOutcome>& outcomes) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        Account& account = accounts_[arrival.accounts[i]];
        if (outcomes[i])
            account.next = std::max(account.next + 1, account.executed);
        else
            take_refusal(account, outcomes[i].error());
    }
    for (const RpcOutcome& outcome : outcomes)
        if (!outcome && outcome.error().code == kRpcUnavailable) return leave(arrival.node);
}

void TransactionStream::take_refusal(Account& account, const CallError& error) {
    account.next = std::max(account.next, account.executed);
    // Of what was sent before it is executed by now; the nonces tell.
    account.not_before = now_ + kRefusedPause;
    ++outcome_.refused_and_resent;
    last_error_ = error.error.context;
}

// --- nodes that come and go ---

void TransactionStream::leave(std::size_t node) {
    nodes_[node].alive = false;
}

std::optional<std::size_t> TransactionStream::node_for(std::size_t account) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const std::size_t node = (account + i) % nodes_.size();
        if (nodes_[node].alive) return node;
    }
    return std::nullopt;
}

void TransactionStream::rewind(Account& account) {
    outcome_.lost_and_resent += account.next - account.executed;
    account.next = account.executed;
    account.timed.reset();
}

void TransactionStream::settle_accounts() {
    for (std::size_t index = 0; index < accounts_.size(); ++index) {
        Account& account = accounts_[index];
        if (account.asked) continue;
        account.next = std::max(account.next, account.executed);
        const bool pending = account.next > account.executed;
        const auto wanted = node_for(index);
        if (wanted && *wanted != account.node) {
            const bool is_left = !nodes_[account.node].alive;
            if (pending && is_left) rewind(account);
            // What a node took is executed before the next one gets more, or nonces would overtake.
            if (pending && !is_left) account.not_before = now_ + kTurn;
            if (!pending || is_left) account.node = *wanted;
        }
        if (pending && chain_now() >= account.stalled_at) {
            rewind(account);
            account.probing = true;
            account.patience = ResendTimeout::backed_off(account.patience);
            account.stalled_at = chain_now() + account.patience;
        }
    }
    probe_if_chain_stands();
}

void TransactionStream::probe_if_chain_stands() {
    if (in_flight() == 0 || !chain_.take_probe(now_)) return;
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
        Account& account = accounts_[probe_cursor_++ % accounts_.size()];
        if (account.asked || account.next == account.executed) continue;
        rewind(account);
        account.probing = true;
        return;
    }
}

}  // namespace draco
