#include "draco/fetcher/fetcher.hpp"

#include "fetching.hpp"
#include "server.hpp"

#include <optional>
#include <utility>

namespace draco::fetcher {

using interfaces::Protocol;

class Fetcher::State final : public interfaces::RequestHandler {
public:
    State(Parts parts, const Options& options)
        : parts_(std::move(parts)),
          shared_(std::make_shared<Shared>(options)),
          budget_(std::make_shared<ServeBudget>(options.serve)) {}

    ~State() override {
        parts_.links.set_handler(Protocol::Content, nullptr);
        server_.reset();
        fetching_.reset();
        disk_.reset();
        shared_->close();
    }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start(affair::Registry& registry) {
        const Options& options = shared_->options;
        DRACO_TRY(disk,
                  registry.spawn_concurrent<DiskWorker>(
                      {.name = "fetcher-disk", .capacity = disk_tasks_waiting_max(options)},
                      {.messages = options.disk_tasks_max},
                      [] { return std::make_unique<DiskWorker>(); }));
        disk_.emplace(std::move(disk));
        shared_->set_disk(disk_->address());
        DRACO_TRY(fetching,
                  registry.spawn<Fetching>(
                      {.name = "fetcher", .capacity = 4}, [this](affair::Self<Fetching> self) {
                          return std::make_unique<Fetching>(parts_, shared_, std::move(self));
                      }));
        fetching_.emplace(std::move(fetching));
        shared_->board.set_object(fetching_->address());
        DRACO_TRY(server,
                  registry.spawn_concurrent<Server>(
                      {.name = "fetcher-server", .capacity = options.serve.serves_max},
                      {.messages = options.serve.readers_max},
                      [this](affair::Self<const Server> self) {
                          return std::make_unique<Server>(std::move(self),
                                                          ServeSource{.store = parts_.store,
                                                                      .providers = parts_.providers,
                                                                      .shared = shared_});
                      }));
        server_.emplace(std::move(server));
        parts_.links.set_handler(Protocol::Content, this);
        shared_->board.note([](Fetching*) {});  // its first look
        return {};
    }

    interfaces::OpenId open(const interfaces::Asker& asker,
                            const types::ContentHash& hash,
                            Instant deadline,
                            OpenCallback callback) {
        if (!shared_->opens->take(asker)) {
            callback(fail(Errc::Exhausted, "too many wait for content; come back"));
            return {};
        }
        const interfaces::OpenId id(++shared_->number_last);
        shared_->openings.begin(id, {.hash = hash, .place = Place(shared_->opens, asker)});
        Opener opener{.asker = asker,
                      .deadline = deadline,
                      .answer = answer_of(id, std::move(callback)),
                      .id = id};
        shared_->board.note([hash, opener = std::move(opener)](Fetching* object) mutable {
            object->open(hash, std::move(opener));
        });
        return id;
    }

    void cancel(interfaces::OpenId id) {
        auto opening = shared_->openings.end(id);
        if (!opening) return;
        // Callbacks are not called by who cancels, perhaps under a lock of its own.
        shared_->board.note([id,
                             hash = opening->hash,
                             waiting = shared_->take_back(opening->place.asker().kind, id.value())](
                                Fetching* object) mutable {
            for (auto& task : waiting) task(Go::Cancel);
            object->cancelled(hash, id);
        });
    }

    Counts counts() const {
        Counts counts = shared_->counts();
        budget_->add_to(counts);
        return counts;
    }

private:
    // What comes for a call that was taken back meanwhile is dropped.
    OpenAnswer answer_of(interfaces::OpenId id, OpenCallback callback) const {
        return OpenAnswer([shared = shared_, id, callback = std::move(callback)](
                              Result<std::shared_ptr<interfaces::Content>> content) mutable {
            if (!shared->openings.end(id)) content = std::unexpected(nobody_waits());
            callback(std::move(content));
        });
    }

    // What bounds the tasks bounds their queue, so none is refused: chunks that are judged, files
    // that are finished, those who run what askers want, and a look at the store.
    static std::size_t disk_tasks_waiting_max(const Options& options) {
        constexpr std::size_t kChunksOfAsk = 4;
        return kChunksOfAsk * options.asks_max + 2 * options.downloads.sum() +
               options.disk_tasks_max + 2;
    }

    void on_request(const types::NodeKey& from,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        auto decoded = decode_request(request);
        if (!decoded) {
            responder->finish(fail(Errc::InvalidArgument, decoded.error().context));
            return;
        }
        if (!budget_->begin(from)) {
            responder->finish(fail(Errc::Exhausted, "too many answers are under way; come back"));
            return;
        }
        auto serve = std::make_shared<Serve>(budget_, from, *decoded, std::move(responder));
        static_cast<void>(server_->address().tell(ServeStep{std::move(serve)}));
    }

    Parts parts_;
    std::shared_ptr<Shared> shared_;
    std::shared_ptr<ServeBudget> budget_;
    std::optional<affair::Owner<DiskWorker>> disk_;
    std::optional<affair::Owner<Fetching>> fetching_;
    std::optional<affair::Owner<Server>> server_;
};

Fetcher::Fetcher(std::unique_ptr<State> state) : state_(std::move(state)) {}

Fetcher::~Fetcher() = default;

Result<std::unique_ptr<Fetcher>> Fetcher::make(interfaces::Links& links,
                                               interfaces::Blockstore& store,
                                               interfaces::Providers& providers,
                                               affair::Registry& registry,
                                               log::Log& log,
                                               const Options& options) {
    Parts parts{
        .links = links, .store = store, .providers = providers, .log = log::Logger(log, "fetcher")};
    auto state = std::make_unique<State>(std::move(parts), options);
    DRACO_TRY_VOID(state->start(registry));
    return std::unique_ptr<Fetcher>(new Fetcher(std::move(state)));
}

void Fetcher::open(const types::ContentHash& hash, Instant deadline, OpenCallback callback) {
    state_->open({}, hash, deadline, std::move(callback));
}

interfaces::OpenId Fetcher::open_for(const interfaces::Asker& asker,
                                     const types::ContentHash& hash,
                                     Instant deadline,
                                     OpenCallback callback) {
    return state_->open(asker, hash, deadline, std::move(callback));
}

void Fetcher::cancel(interfaces::OpenId call) {
    state_->cancel(call);
}

Counts Fetcher::counts() const {
    return state_->counts();
}

}  // namespace draco::fetcher
