#include "download.hpp"
#include "session_state.hpp"

#include <algorithm>
#include <utility>

namespace draco::client {

namespace wire = types::session;

namespace {

// One file, or a part of it, over one session.
class FileFetch {
public:
    FileFetch(Session::State& state, Download& download, Sink& sink, const GetOptions& options)
        : state_(state), download_(download), sink_(sink), options_(options) {}

    Result<> run();

private:
    Result<> request_more();
    Result<> take(const wire::NodeMessage& message);
    Result<> take_block(const wire::Block& block);
    // What is in order goes to the sink.
    Result<> pour();
    Result<> announce();

    Session::State& state_;
    Download& download_;
    Sink& sink_;
    const GetOptions& options_;
    std::uint64_t id_ = 0;
    bool is_headed_ = false;
    std::uint64_t requested_ = 0;  // blocks below were asked for, or were here
    std::optional<Error> sink_error_;
};

Result<> FileFetch::run() {
    if (!download_.has_tree()) download_.forget();
    id_ = state_.next_id();
    requested_ = download_.next();
    DRACO_TRY_VOID(state_.send(
        wire::Open{.id = id_, .hash = download_.hash(), .with_tree = !download_.has_tree()}));
    while (!sink_error_ && !download_.is_done()) {
        DRACO_TRY_VOID(request_more());
        DRACO_TRY_VOID(state_.acknowledge_if_due());
        DRACO_TRY(message, state_.next());
        DRACO_TRY_VOID(take(message));
    }
    DRACO_TRY_VOID(
        state_.finish(id_, [this](const wire::Block& block) { return take_block(block); }));
    if (sink_error_) return std::unexpected(*sink_error_);
    return {};
}

// Half a window at a time.
Result<> FileFetch::request_more() {
    if (!is_headed_ || !download_.has_tree()) return {};
    const std::uint64_t ahead = state_.options().blocks_ahead;
    const std::uint64_t end = std::min(download_.info()->leaves, download_.next() + ahead);
    const bool is_last = end == download_.info()->leaves;
    if (requested_ >= end || (!is_last && end - requested_ < (ahead + 1) / 2)) return {};
    while (requested_ < end) {
        if (download_.has(requested_)) {
            ++requested_;
            continue;
        }
        const std::uint64_t first = requested_;
        while (requested_ < end && !download_.has(requested_)) ++requested_;
        DRACO_TRY_VOID(
            state_.send(wire::Blocks{.id = id_, .first = first, .count = requested_ - first}));
    }
    return {};
}

Result<> FileFetch::take(const wire::NodeMessage& message) {
    if (const auto* const head = std::get_if<wire::Head>(&message); head && head->id == id_) {
        if (is_headed_) return fail(Errc::Corrupt, "the node sent a head twice");
        DRACO_TRY_VOID(download_.take_head(head->info));
        is_headed_ = true;
        state_.progressed();
        return pour();
    }
    if (const auto* const piece = std::get_if<wire::TreePiece>(&message);
        piece && piece->id == id_) {
        DRACO_TRY_VOID(download_.take_nodes(piece->first, *piece->items));
        state_.unverified();
        return pour();
    }
    if (const auto* const block = std::get_if<wire::Block>(&message); block && block->id == id_) {
        DRACO_TRY_VOID(take_block(*block));
        return pour();
    }
    if (const auto* const end = std::get_if<wire::End>(&message); end && end->id == id_) {
        DRACO_TRY_VOID(state_.settle());
        const auto why = wire::outcome_of(end->code, end->text);
        if (!why) return std::unexpected(why.error());
        return fail(Errc::Corrupt, "the node ended a request that was not over");
    }
    return fail(Errc::Corrupt, "the node sent what was not asked for");
}

Result<> FileFetch::take_block(const wire::Block& block) {
    if (block.index >= requested_)
        return fail(Errc::Corrupt, "the node sent a block that was not asked for");
    DRACO_TRY_VOID(download_.take_block(block.index, block.bytes));
    state_.received(block.bytes.size());
    return {};
}

Result<> FileFetch::pour() {
    if (!download_.has_tree()) return {};
    if (!download_.is_announced) {
        download_.is_announced = true;
        if (auto begun = announce(); !begun) sink_error_ = begun.error();
    }
    while (!sink_error_) {
        const std::uint64_t index = download_.next();
        const auto block = download_.pop();
        if (!block) break;
        if (auto written = sink_.write(index, *block); !written) {
            sink_error_ = written.error();
            break;
        }
        ++download_.blocks_written;
        download_.bytes_written += block->size();
        if (options_.progress) options_.progress(*download_.info(), download_.blocks_written);
    }
    download_.sink_error = sink_error_;
    return {};
}

// What the sink has already is checked as what a node sends.
Result<> FileFetch::announce() {
    DRACO_TRY_VOID(sink_.begin(*download_.info()));
    while (!download_.is_done()) {
        const std::uint64_t index = download_.next();
        std::size_t bytes = 0;
        DRACO_TRY(is_kept, sink_.has(index, [&](ByteView block) {
            bytes = block.size();
            return download_.verifies(index, block);
        }));
        if (!is_kept) break;
        download_.keep(bytes);
    }
    return {};
}

}  // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}

Session::~Session() = default;

const types::NodeKey& Session::node() const {
    return state_->node();
}

const std::optional<wire::Standing>& Session::standing() const {
    return state_->standing();
}

Result<Transfer> Session::get(const types::ContentHash& hash,
                              Sink& sink,
                              const GetOptions& options) {
    Download download(hash, options.first_block, state_->options().content_bytes_max);
    DRACO_TRY_VOID(get(download, sink, options));
    return Transfer{.info = *download.info(),
                    .blocks = download.blocks_written,
                    .bytes = download.bytes_written,
                    .bytes_kept = download.bytes_kept};
}

Result<> Session::get(Download& download, Sink& sink, const GetOptions& options) {
    return FileFetch(*state_, download, sink, options).run();
}

}  // namespace draco::client
