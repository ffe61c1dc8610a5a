#include "outgoing.hpp"

#include <algorithm>
#include <utility>

namespace draco::http {
namespace {

constexpr std::size_t kBufferBytesKept = 64 << 10;

}  // namespace

void Outgoing::add_body(Body body) {
    if (const auto* shared = std::get_if<SharedBytes>(&body);
        shared != nullptr && shared->bytes.size() <= kCopiedBodyBytesMax) {
        buffer_.append(as_text(shared->bytes));
        return;
    }
    body_left_ = body_bytes(body);
    if (body_left_ == 0) return;
    body_ = std::move(body);
    if (const auto* pull = std::get_if<std::unique_ptr<PullBody>>(&body_)) {
        pieces_.resize(pieces_max_);
        piece_bytes_max_ = (*pull)->piece_bytes_max();
    }
}

bool Outgoing::wants_piece() const {
    const auto* pull = std::get_if<std::unique_ptr<PullBody>>(&body_);
    return pull != nullptr && *pull != nullptr && pieces_asked_ - pieces_sent_ < pieces_max_ &&
           pieces_asked_ < (*pull)->pieces();
}

std::optional<Outgoing::Want> Outgoing::next_want() {
    if (!wants_piece()) return std::nullopt;
    return Want{.body = *std::get<std::unique_ptr<PullBody>>(body_), .piece = pieces_asked_++};
}

std::uint64_t Outgoing::held_bytes() const {
    if (!has_body()) return 0;
    if (const auto* shared = std::get_if<SharedBytes>(&body_)) return shared->bytes.size();
    return (pieces_asked_ - pieces_sent_) * piece_bytes_max_;
}

void Outgoing::let_go() {
    if (const auto* pull = std::get_if<std::unique_ptr<PullBody>>(&body_); pull && *pull)
        (*pull)->let_go();
}

bool Outgoing::put_piece(std::uint64_t number, SharedBytes bytes) {
    auto& place = pieces_[number % pieces_max_];
    if (bytes.bytes.empty() || place || bytes.bytes.size() > body_left_ - pieces_bytes_ ||
        bytes.bytes.size() > piece_bytes_max_)
        return false;
    pieces_bytes_ += bytes.bytes.size();
    place = std::move(bytes);
    return true;
}

void Outgoing::Gathered::add(ByteView bytes) {
    if (!bytes.empty())
        vectors[count++] = {.iov_base = const_cast<std::uint8_t*>(bytes.data()),
                            .iov_len = bytes.size()};
}

Outgoing::Gathered Outgoing::gather() const {
    Gathered gathered;
    gathered.add(as_bytes(buffer_).subspan(buffer_sent_));
    if (!has_body()) return gathered;
    if (const auto* shared = std::get_if<SharedBytes>(&body_)) {
        gathered.add(shared->bytes.last(static_cast<std::size_t>(body_left_)));
    } else if (std::holds_alternative<std::unique_ptr<PullBody>>(body_)) {
        std::size_t skipped = front_bytes_sent_;
        for (std::uint64_t piece = pieces_sent_; piece < pieces_asked_; ++piece) {
            const auto& bytes = pieces_[piece % pieces_max_];
            if (!bytes || gathered.count == kVectorsMax) break;
            gathered.add(bytes->bytes.subspan(std::exchange(skipped, 0)));
        }
    }
    return gathered;
}

Transfer Outgoing::send_some(Transport& transport) {
    const auto* region = std::get_if<FileRegion>(&body_);
    const bool is_file = has_body() && region != nullptr;
    if (is_file && buffer_sent_ == buffer_.size()) {
        constexpr std::uint64_t kFileBytesAtOnce = std::uint64_t{1} << 20;
        return transport.send_file(
            region->file->get(),
            region->offset + region->bytes - body_left_,
            static_cast<std::size_t>(std::min(body_left_, kFileBytesAtOnce)));
    }
    const Gathered gathered = gather();
    return transport.write(std::span(gathered.vectors).first(gathered.count), is_file);
}

Outgoing::Progress Outgoing::flush(Transport& transport, std::uint64_t bytes_max) {
    std::uint64_t sent = 0;
    while (!empty()) {
        if (sent >= bytes_max) return {.outcome = Outcome::Paused, .bytes = sent};
        if (is_starved())
            return {.outcome = is_cut_off() ? Outcome::CutOff : Outcome::Starved, .bytes = sent};
        const Transfer transfer = send_some(transport);
        switch (transfer.status) {
            case Transfer::Status::Some:
                sent += transfer.bytes;
                took(transfer.bytes);
                break;
            case Transfer::Status::Blocked:
                return {.outcome = Outcome::Blocked, .bytes = sent};
            case Transfer::Status::Ended:
                return {.outcome = Outcome::CutOff, .bytes = sent};
            case Transfer::Status::Failed:
                return {.outcome = Outcome::Failed, .bytes = sent};
        }
    }
    return {.outcome = Outcome::Sent, .bytes = sent};
}

// The next byte is one of a piece that is not there.
bool Outgoing::is_starved() const {
    return buffered_bytes() == 0 && std::holds_alternative<std::unique_ptr<PullBody>>(body_) &&
           !pieces_[pieces_sent_ % pieces_max_];
}

// Every piece was sent, and their sum is less than the head says.
bool Outgoing::is_cut_off() const {
    return pieces_sent_ == std::get<std::unique_ptr<PullBody>>(body_)->pieces();
}

void Outgoing::took(std::size_t bytes) {
    const std::size_t of_buffer = std::min(bytes, buffer_.size() - buffer_sent_);
    buffer_sent_ += of_buffer;
    if (buffer_sent_ == buffer_.size()) {
        buffer_.clear();
        buffer_sent_ = 0;
        if (buffer_.capacity() > kBufferBytesKept) buffer_.shrink_to_fit();
    }
    const std::size_t of_body = bytes - of_buffer;
    if (of_body == 0) return;
    body_left_ -= of_body;
    if (std::holds_alternative<std::unique_ptr<PullBody>>(body_)) took_pieces(of_body);
    if (body_left_ == 0) finish_body();
}

void Outgoing::took_pieces(std::size_t bytes) {
    pieces_bytes_ -= bytes;
    front_bytes_sent_ += bytes;
    while (true) {
        auto& front = pieces_[pieces_sent_ % pieces_max_];
        if (!front || front_bytes_sent_ < front->bytes.size()) break;
        front_bytes_sent_ -= front->bytes.size();
        front.reset();
        ++pieces_sent_;
    }
}

void Outgoing::finish_body() {
    body_ = SharedBytes{};
    pieces_.clear();
    piece_bytes_max_ = 0;
    pieces_asked_ = 0;
    pieces_sent_ = 0;
    pieces_bytes_ = 0;
    front_bytes_sent_ = 0;
}

}  // namespace draco::http
