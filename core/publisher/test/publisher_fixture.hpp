#pragma once
// A publisher on a store on a simulated disk, whose tasks run when a test asks something.

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/blockstore/blockstore.hpp"
#include "draco/log/sinks.hpp"
#include "draco/publisher/publisher.hpp"
#include "draco/simulon/disk.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace draco::publisher {

namespace json = boost::json;

// Runs its tasks in order when it is told to, in a time that stands still until it is told.
class TaskQueue final : public Executor, private Clock {
public:
    void post(Task task) override { tasks_.push_back(std::move(task)); }

    TimerId post_at(Instant /*when*/, Task task) override {
        post(std::move(task));
        return TimerId{};
    }

    bool cancel(TimerId /*timer*/) override { return false; }

    const Clock& clock() const override { return *this; }

    void run() {
        while (!tasks_.empty()) {
            Task task = std::move(tasks_.front());
            tasks_.pop_front();
            task();
        }
    }

    void advance(Duration by) { now_ = now_ + by; }

private:
    Instant now() const override { return now_; }

    UnixTime unix_now() const override { return {1'700'000'000'000}; }

    std::deque<Task> tasks_;
    Instant now_{};
};

// What is in the store.
class StoredSource final : public interfaces::Content {
public:
    explicit StoredSource(std::shared_ptr<const interfaces::StoredContent> stored)
        : stored_(std::move(stored)) {}

    const types::ContentInfo& info() const override { return stored_->info(); }

    void read_block(std::uint64_t index, BlockCallback callback) override {
        auto block = stored_->read_block(index);
        if (!block) return callback(std::unexpected(block.error()));
        callback(std::make_shared<const Bytes>(std::move(*block)));
    }

    Result<std::vector<blake3_tree::Hash>> tree_nodes(std::uint64_t /*first*/,
                                                      std::size_t /*count_max*/) const override {
        return fail(Errc::InvalidArgument, "nobody asks for it here");
    }

    Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                       std::size_t count_max) const override {
        return stored_->entries(first, count_max);
    }

    Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const override {
        return stored_->find(name);
    }

private:
    std::shared_ptr<const interfaces::StoredContent> stored_;
};

// Stores what others have when it is asked for.
class NetworkSource final : public interfaces::ContentSource {
public:
    explicit NetworkSource(interfaces::Blockstore& store) : store_(store) {}

    void open(const types::ContentHash& hash,
              Instant /*deadline*/,
              OpenCallback callback) override {
        if (refuses_with) return callback(std::unexpected(*refuses_with));
        if (waits) {
            waiting.push_back([this, hash, callback = std::move(callback)]() mutable {
                open(hash, Instant{}, std::move(callback));
            });
            return;
        }
        if (const auto away = elsewhere_.find(hash); away != elsewhere_.end()) {
            auto writer = store_.write_file().value();
            EXPECT_TRUE(writer->write(away->second));
            EXPECT_TRUE(writer->finish());
        }
        auto stored = store_.open(hash);
        if (!stored) return callback(fail(Errc::NotFound, "nobody has it"));
        callback(std::make_shared<StoredSource>(std::move(*stored)));
    }

    void offer(const types::ContentHash& hash, Bytes bytes) {
        elsewhere_.emplace(hash, std::move(bytes));
    }

    interfaces::OpenId open_for(const interfaces::Asker& /*asker*/,
                                const types::ContentHash& hash,
                                Instant deadline,
                                OpenCallback callback) override {
        open(hash, deadline, std::move(callback));
        return interfaces::OpenId(++open_last_);
    }

    void cancel(interfaces::OpenId call) override { cancelled.push_back(call.value()); }

    std::vector<std::uint64_t> cancelled;  // calls, counted from 1
    std::optional<Error> refuses_with;
    bool waits = false;  // answers nothing until `waiting` is called
    std::vector<std::move_only_function<void()>> waiting;

private:
    interfaces::Blockstore& store_;
    std::map<types::ContentHash, Bytes> elsewhere_;
    std::uint64_t open_last_ = 0;
};

// The store, with something happening right before each pin.
class WatchedStore final : public interfaces::Blockstore {
public:
    explicit WatchedStore(interfaces::Blockstore& store) : store_(store) {}

    Result<std::shared_ptr<const interfaces::StoredContent>> open(
        const types::ContentHash& hash) override {
        return store_.open(hash);
    }

    bool has(const types::ContentHash& hash) const override { return store_.has(hash); }

    Result<std::unique_ptr<interfaces::FileWriter>> write_file() override {
        return store_.write_file();
    }

    Result<std::unique_ptr<interfaces::ArrivingFile>> arrive(const types::ContentHash& hash,
                                                             std::vector<blake3_tree::Hash> nodes,
                                                             std::uint64_t bytes) override {
        return store_.arrive(hash, std::move(nodes), bytes);
    }

    Result<types::ContentInfo> put_directory(
        const std::vector<types::DirectoryEntry>& entries) override {
        return store_.put_directory(entries);
    }

    Result<> pin(const types::ContentHash& hash) override {
        if (before_pin) DRACO_TRY_VOID(std::exchange(before_pin, nullptr)());
        return store_.pin(hash);
    }

    Result<> unpin(const types::ContentHash& hash) override { return store_.unpin(hash); }

    Result<> remove(const types::ContentHash& hash) override { return store_.remove(hash); }

    std::vector<interfaces::ListedContent> list(const std::optional<types::ContentHash>& after,
                                                std::size_t count_max) const override {
        return store_.list(after, count_max);
    }

    interfaces::StoreUsage usage() const override { return store_.usage(); }

    interfaces::ScrubReport scrub(std::uint64_t bytes_max) override {
        return store_.scrub(bytes_max);
    }

    // Once; its error is the pin's.
    std::function<Result<>()> before_pin;

private:
    interfaces::Blockstore& store_;
};

class ProvidersRecord final : public interfaces::Providers {
public:
    Result<> provide(const types::ContentHash& hash) override {
        provided.push_back(to_hex(hash.view()));
        return {};
    }

    void withdraw(const types::ContentHash& hash) override {
        withdrawn.push_back(to_hex(hash.view()));
    }

    void find(const types::ContentHash& /*hash*/,
              Instant /*deadline*/,
              FindCallback callback) override {
        callback(fail(Errc::NotFound, "nobody has it"));
    }

    interfaces::ProvidersStatus status() const override { return {}; }

    std::vector<std::string> provided;
    std::vector<std::string> withdrawn;
};

class Answered final : public http::Responder {
public:
    explicit Answered(std::optional<http::Response>& answer) : answer_(answer) {}

    void respond(http::Response response) override {
        EXPECT_FALSE(answer_) << "answered twice";
        answer_ = std::move(response);
    }

private:
    std::optional<http::Response>& answer_;
};

class PublisherFixture : public ::testing::Test {
protected:
    explicit PublisherFixture(std::uint64_t bytes_max = blockstore::Options{}.bytes_max)
        : store_(blockstore::open(disk_, {.bytes_max = bytes_max}, log_).value()) {}

    static constexpr std::string_view kOwner = "Bearer owner";

    http::Response ask(std::string_view method,
                       std::string_view target,
                       ByteView body = {},
                       std::string_view authorization = kOwner) {
        http::Request request;
        request.method = method;
        request.target = target;
        request.fields.add("Authorization", std::string(authorization));
        request.body = to_bytes(body);
        std::optional<http::Response> answer;
        publisher_->on_request(
            std::move(request), "127.0.0.1:1", std::make_unique<Answered>(answer));
        tasks_.run();
        EXPECT_TRUE(answer) << method << " " << target << " has no answer";
        return answer.value_or(http::Response{});
    }

    static std::string text_of(const http::Response& response, std::string_view member) {
        boost::system::error_code failed;
        const json::value value = json::parse(std::string(as_text(response.body)), failed);
        const auto* object = failed ? nullptr : value.if_object();
        const auto* found = object == nullptr ? nullptr : object->if_contains(member);
        return found == nullptr || !found->is_string() ? "" : std::string(found->get_string());
    }

    static Bytes pattern_bytes(std::size_t count) {
        Bytes bytes(count);
        for (std::size_t i = 0; i < count; ++i)
            bytes[i] = static_cast<std::uint8_t>((i * 31 + i / 251) & 0xffU);
        return bytes;
    }

    std::string put(std::string_view kind, const Bytes& bytes) {
        const auto id =
            text_of(ask("POST", "/content/v0/uploads?kind=" + std::string(kind)), "upload");
        EXPECT_EQ(ask("PUT", "/content/v0/uploads/" + id + "?offset=0", bytes).status, 200U);
        return text_of(ask("POST", "/content/v0/uploads/" + id), "hash");
    }

    std::string put_file(const Bytes& bytes) { return put("file", bytes); }

    std::string put_directory(const std::vector<types::DirectoryEntry>& entries) {
        return put("directory", bcs::encode(entries));
    }

    static auto name(std::string text) {
        return decltype(types::DirectoryEntry::name)::make(std::move(text)).value();
    }

    static types::LinkTarget link(std::string text) {
        return types::LinkTarget::make(std::move(text)).value();
    }

    std::string offer_elsewhere(Bytes bytes) {
        const types::ContentHash hash(blake3_tree::hash(bytes).bytes);
        source_.offer(hash, std::move(bytes));
        return to_hex(hash.view());
    }

    interfaces::Blockstore& store() { return *store_; }

    const std::vector<std::string>& provided() const { return providers_.provided; }

    const std::vector<std::string>& withdrawn() const { return providers_.withdrawn; }

    void pass(Duration time) { tasks_.advance(time); }

    // Somebody else writes, until there is no more room: what may be evicted is.
    Result<> crowd_out() {
        const auto writer = store_->write_file().value();
        const Bytes piece(4'096);
        while (writer->write(piece)) {
        }
        return {};
    }

    NetworkSource& source() { return source_; }

    WatchedStore& watched() { return watched_; }

    void go_on() {
        source_.waits = false;
        for (auto& call : source_.waiting) call();
        source_.waiting.clear();
        tasks_.run();
    }

private:
    simulon::SimulatedDisk disk_{1};
    log::MemoryLog log_;
    TaskQueue tasks_;
    std::unique_ptr<interfaces::Blockstore> store_;
    WatchedStore watched_{*store_};
    NetworkSource source_{*store_};
    ProvidersRecord providers_;
    std::unique_ptr<Publisher> publisher_ = std::make_unique<Publisher>(
        PublisherParts{.store = watched_,
                       .source = source_,
                       .providers = providers_,
                       .executor = tasks_,
                       .log = log_,
                       .is_owner = [](std::string_view given) { return given == kOwner; }});
};

}  // namespace draco::publisher
