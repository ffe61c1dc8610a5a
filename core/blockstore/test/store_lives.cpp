#include "store_lives.hpp"

namespace draco::blockstore {
namespace {

constexpr std::size_t kArrivalsMax = 3;
constexpr std::size_t kReadersMax = 4;

std::string about(std::string_view what, std::size_t number) {
    return std::string(what) + ", content " + std::to_string(number);
}

}  // namespace

void StoreLives::crash_and_restart() {
    disk_.crash();
    readers_.clear();
    arrivals_.clear();
    store_.reset();
    disk_.restart();
    crashed_ = true;
}

std::string StoreLives::open() {
    readers_.clear();
    arrivals_.clear();
    store_.reset();
    auto opened = blockstore::open(disk_, options_, log_);
    if (!opened) return disk_.crashed() ? "" : "open: " + to_string(opened.error());
    store_ = *std::move(opened);
    evicted_ = store_->usage().evicted_objects;
    return settle();
}

// What was uncertain is now known; what was certain must hold.
std::string StoreLives::settle() {
    std::set<ContentHash> pinned;
    for (const auto& listed : store_->list(std::nullopt, ~std::size_t{0}))
        if (listed.pinned) pinned.insert(listed.info.hash);
    for (std::size_t i = 0; i < contents_.size(); ++i) {
        const ContentHash& hash = contents_[i].info.hash;
        Known& known = known_[i];
        const bool here = store_->has(hash);
        // By the call that crashed, or at the start, when a removal did not survive.
        const bool may_be_evicted =
            known.pinned != Here::Yes && (evicted_ > 0 || (crashed_ && evicts()));
        if (known.here == Here::Yes && !here && !may_be_evicted) return about("it is gone", i);
        // An eviction is not made durable.
        if (known.here == Here::No && here && !(crashed_ && evicts()))
            return about("it was removed", i);
        known.here = here ? Here::Yes : Here::No;
        if (here) {
            if (known.pinned == Here::Yes && !pinned.contains(hash)) return about("unpinned", i);
            if (known.pinned == Here::No && pinned.contains(hash)) return about("pinned", i);
            known.pinned = pinned.contains(hash) ? Here::Yes : Here::No;
            const auto object = store_->open(hash);
            if (!object) return about(to_string(object.error()), i);
            if (const auto wrong = difference(**object, contents_[i]); !wrong.empty())
                return about(wrong, i);
        }
    }
    crashed_ = false;
    if (!disk_.list(options_.directory + "/staging").value().empty()) return "staging is not clean";
    if (store_->usage().damaged_objects != 0) return "damage where there is none";
    return check();
}

std::string StoreLives::live(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps && store_ && !disk_.crashed(); ++i) {
        if (auto wrong = step(); !wrong.empty()) return wrong;
        if (disk_.crashed()) break;
        if (auto wrong = check(); !wrong.empty()) return wrong;
    }
    return "";
}

std::string StoreLives::step() {
    const std::size_t number = below(contents_.size());
    wrote_again_ = false;
    switch (below(16)) {
        case 0:
        case 1:
        case 2:
            return write(number);
        case 3:
            return begin_arrival(number);
        case 4:
        case 5:
            return arrivals_.empty() ? "" : go_on(arrivals_[below(arrivals_.size())]);
        case 6:
            return arrivals_.empty() ? "" : finish(below(arrivals_.size()));
        case 7:
            if (!arrivals_.empty() && below(4) == 0) arrivals_.erase(arrivals_.begin());
            return "";
        case 8:
        case 9:
            return read(number);
        case 10:
            if (!readers_.empty()) readers_.erase(readers_.begin());
            return "";
        case 11:
            return pin(number);
        case 12:
            return unpin(number);
        case 13:
            return remove(number);
        case 14:
            return scrub();
        default:
            return below(8) == 0 ? reopen() : "";
    }
}

// The content came, if that worked; a crash leaves it open.
std::string StoreLives::came(std::size_t number, const Result<>& done) {
    Known& known = known_[number];
    if (done) {
        known.here = Here::Yes;
        if (!store_->has(contents_[number].info.hash)) return about("not there", number);
        return "";
    }
    if (disk_.crashed()) {
        if (known.here == Here::No) known.here = Here::Perhaps;
        return "";
    }
    if (done.error().code == Errc::Exhausted && may_be_exhausted(number)) return "";
    return about(to_string(done.error()), number);
}

std::string StoreLives::write(std::size_t number) {
    const Content& content = contents_[number];
    if (content.info.kind == ContentKind::Directory) {
        const auto put = store_->put_directory(content.entries);
        return came(number, put ? Result<>() : std::unexpected(put.error()));
    }
    wrote_again_ = store_->has(content.info.hash);
    auto writer = store_->write_file();
    if (!writer) return came(number, std::unexpected(writer.error()));
    for (std::size_t at = 0; at < content.bytes.size();) {
        const auto piece = std::min<std::size_t>(1 + below(400'000), content.bytes.size() - at);
        const auto written = (*writer)->write(ByteView(content.bytes).subspan(at, piece));
        if (!written) return came(number, written);
        at += piece;
    }
    const auto info = (*writer)->finish();
    if (!info) return came(number, std::unexpected(info.error()));
    if (*info != content.info) return about("another info", number);
    return came(number, {});
}

std::string StoreLives::begin_arrival(std::size_t number) {
    const Content& content = contents_[number];
    if (content.info.kind == ContentKind::Directory || arrivals_.size() >= kArrivalsMax) return "";
    auto file = store_->arrive(content.info.hash, content.nodes, content.bytes.size());
    if (!file) return came(number, std::unexpected(file.error()));
    Arrival arrival{.content = number, .file = *std::move(file), .blocks = {}};
    // What is there already is held like by a reader.
    if (arrival.file->has_block(0)) {
        if (known_[number].here != Here::Yes) return about("blocks that never came", number);
        return "";
    }
    if (known_[number].here == Here::Yes && store_->has(content.info.hash))
        return about("the blocks are not there", number);
    arrivals_.push_back(std::move(arrival));
    return "";
}

std::string StoreLives::go_on(Arrival& arrival) {
    const Content& content = contents_[arrival.content];
    const std::uint64_t index = below(content.info.leaves);
    if (below(4) == 0 && !arrival.blocks.contains(index)) {
        Bytes wrong = to_bytes(content.block(index));
        if (wrong.empty())
            wrong.push_back(1);
        else
            wrong[below(wrong.size())] ^= 1U;
        const auto put = arrival.file->put_block(index, wrong);
        if (put || put.error().code != Errc::Corrupt)
            return about("a wrong block is taken", arrival.content);
    }
    if (const auto put = arrival.file->put_block(index, content.block(index)); !put) {
        if (disk_.crashed()) return "";
        if (put.error().code == Errc::Exhausted && may_be_exhausted(arrival.content)) return "";
        return about(to_string(put.error()), arrival.content);
    }
    arrival.blocks.insert(index);
    const auto block = arrival.file->read_block(index);
    if (!block) return about(to_string(block.error()), arrival.content);
    return equal(*block, content.block(index)) ? "" : about("another block", arrival.content);
}

std::string StoreLives::finish(std::size_t at) {
    Arrival& arrival = arrivals_[at];
    const auto done = arrival.file->finish();
    if (arrival.blocks.size() < contents_[arrival.content].info.leaves) {
        if (done || done.error().code != Errc::NotFound)
            return about("finished without all blocks", arrival.content);
        return "";
    }
    const std::size_t number = arrival.content;
    auto wrong = came(number, done);
    if (done) arrivals_.erase(arrivals_.begin() + static_cast<std::ptrdiff_t>(at));
    return wrong;
}

std::string StoreLives::read(std::size_t number) {
    auto object = store_->open(contents_[number].info.hash);
    if (!object) {
        if (object.error().code != Errc::NotFound) return about(to_string(object.error()), number);
        return known_[number].here == Here::Yes ? about("not found", number) : "";
    }
    if (known_[number].here == Here::No) return about("found", number);
    if (auto wrong = difference(**object, contents_[number]); !wrong.empty())
        return about(wrong, number);
    if (readers_.size() < kReadersMax)
        readers_.push_back({.content = number, .object = *std::move(object)});
    return "";
}

std::string StoreLives::pin(std::size_t number) {
    Known& known = known_[number];
    const auto done = store_->pin(contents_[number].info.hash);
    if (done) {
        if (known.here == Here::No) return about("pinned what is not there", number);
        known.pinned = Here::Yes;
    } else if (disk_.crashed()) {
        if (known.pinned == Here::No) known.pinned = Here::Perhaps;
    } else if (known.here != Here::No || done.error().code != Errc::NotFound) {
        return about(to_string(done.error()), number);
    }
    return "";
}

std::string StoreLives::unpin(std::size_t number) {
    Known& known = known_[number];
    const auto done = store_->unpin(contents_[number].info.hash);
    if (done) {
        if (known.here == Here::No) return about("unpinned what is not there", number);
        known.pinned = Here::No;
    } else if (disk_.crashed()) {
        if (known.pinned == Here::Yes) known.pinned = Here::Perhaps;
    } else if (known.here != Here::No || done.error().code != Errc::NotFound) {
        return about(to_string(done.error()), number);
    }
    return "";
}

std::string StoreLives::remove(std::size_t number) {
    Known& known = known_[number];
    const auto done = store_->remove(contents_[number].info.hash);
    if (done) {
        if (known.here == Here::No) return about("removed what is not there", number);
        known = {};
        for (Reader& reader : readers_)
            if (reader.content == number) reader.removed = true;
    } else if (disk_.crashed()) {
        if (known.here == Here::Yes) known.here = Here::Perhaps;
        if (known.pinned == Here::Yes) known.pinned = Here::Perhaps;
    } else if (known.here != Here::No || done.error().code != Errc::NotFound) {
        return about(to_string(done.error()), number);
    }
    return "";
}

std::string StoreLives::scrub() {
    const auto report = store_->scrub(below(600'000));
    return report.damaged_objects + report.unreadable_objects == 0 ? "" : "scrubbing found damage";
}

// The process ends, the machine does not.
std::string StoreLives::reopen() {
    for (std::size_t i = 0; i < contents_.size(); ++i)
        if (known_[i].here == Here::Yes && !store_->has(contents_[i].info.hash))
            known_[i].here = Here::No;
    return open();
}

bool StoreLives::is_held(std::size_t number) const {
    return std::ranges::any_of(readers_, [&](const Reader& reader) {
        return reader.content == number && !reader.removed;
    });
}

std::uint64_t StoreLives::size_of(std::size_t number) const {
    const Content& content = contents_[number];
    if (content.info.kind == ContentKind::File) return content.file_bytes();
    const auto seen = sizes_.find(number);
    return seen == sizes_.end() ? 100'000 : seen->second;
}

// Bytes of what is in no folder of objects.
std::uint64_t StoreLives::hidden_bytes() const {
    std::uint64_t bytes = 0;
    std::set<const StoredContent*> removed;
    for (const Reader& reader : readers_)
        if (reader.removed && removed.insert(reader.object.get()).second)
            bytes += size_of(reader.content);
    for (const Arrival& arrival : arrivals_)
        for (const std::uint64_t block : arrival.blocks)
            bytes += block_bytes(contents_[arrival.content].info, block);
    return bytes;
}

// Whether pins, readers and arrivals may have left no room for it.
bool StoreLives::may_be_exhausted(std::size_t number) const {
    std::uint64_t staying = hidden_bytes();
    for (std::size_t i = 0; i < contents_.size(); ++i)
        if (known_[i].here == Here::Yes && (known_[i].pinned != Here::No || is_held(i)))
            staying += size_of(i);
    return staying + size_of(number) > options_.bytes_max;
}

std::string StoreLives::check() {
    std::uint64_t missing = 0;
    std::uint64_t objects = 0;
    for (std::size_t i = 0; i < contents_.size(); ++i) {
        const ContentHash& hash = contents_[i].info.hash;
        const bool here = store_->has(hash);
        objects += here ? 1 : 0;
        if (here && known_[i].here == Here::No) return about("there", i);
        if (here && !sizes_.contains(i))
            sizes_[i] = disk_.open(Layout(options_.directory).object(hash), OpenMode::Read)
                            .value()
                            ->size()
                            .value();
        if (here || known_[i].here == Here::No) continue;
        if (known_[i].pinned == Here::Yes || is_held(i))
            return about("pinned or held, but gone", i);
        known_[i] = {};
        ++missing;
    }
    const auto usage = store_->usage();
    if (usage.objects != objects) return "objects are counted wrongly";
    if (usage.evicted_objects != evicted_ + missing &&
        (!wrote_again_ || usage.evicted_objects != evicted_ + missing + 1))
        return "evictions are counted wrongly";
    evicted_ = usage.evicted_objects;
    if (usage.bytes > options_.bytes_max) return "more bytes than the quota";
    const std::uint64_t bytes =
        bytes_below(disk_, options_.directory + "/objects") + hidden_bytes();
    if (usage.bytes != bytes)
        return "usage of " + std::to_string(usage.bytes) + " bytes instead of " +
               std::to_string(bytes);
    return "";
}

}  // namespace draco::blockstore
