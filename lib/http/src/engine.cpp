#include "draco/http/engine.hpp"

#include "draco/base/assert.hpp"

#include "admission.hpp"
#include "engine_thread.hpp"
#include "listening_socket.hpp"

#include <system_error>
#include <utility>
#include <vector>

namespace draco::http {

struct Engine::Threads {
    Threads(const Clock& engine_clock, const EngineOptions& engine_options)
        : clock(engine_clock),
          options(engine_options),
          admission(options.connections_max, options.connections_per_client_max, [this] {
              for (const auto& thread : threads) thread->wake();
          }) {}

    const Clock& clock;
    const EngineOptions options;
    Admission admission;
    std::uint16_t port = 0;
    std::vector<std::unique_ptr<EngineThread>> threads;
    bool is_stopped = false;
};

Result<std::unique_ptr<Engine>> Engine::start(EngineHandler& handler,
                                              const Clock& clock,
                                              const EngineOptions& options) {
    if (options.thread_count == 0 || options.pieces_in_flight_max == 0)
        return fail(Errc::InvalidArgument,
                    "an HTTP engine without threads or pieces in flight: give at least 1 of each");
    if (options.stall_deadline <= Duration{0})
        return fail(Errc::InvalidArgument,
                    "an HTTP engine that gives its clients no time to read: give it a positive "
                    "stall_deadline");
    DRACO_TRY(listeners, listen_on(options.address, options.port, options.thread_count));
    auto threads = std::make_unique<Threads>(clock, options);
    threads->port = local_port(listeners.front());
    for (io::FileDescriptor& listener : listeners) {
        DRACO_TRY(thread,
                  EngineThread::create(
                      handler, clock, threads->options, threads->admission, std::move(listener)));
        threads->threads.push_back(std::move(thread));
    }
    std::unique_ptr<Engine> engine(new Engine(std::move(threads)));
    try {
        std::size_t number = 0;
        for (const auto& thread : engine->threads_->threads)
            thread->start("http-" + std::to_string(number++));
    } catch (const std::system_error& error) {
        return fail(Errc::Exhausted,
                    std::string("starting a thread: ") + error.what() +
                        "; raise the limit on processes (ulimit -u)");
    }
    return engine;
}

Engine::Engine(std::unique_ptr<Threads> threads) : threads_(std::move(threads)) {}

Engine::~Engine() {
    stop();
}

void Engine::stop(Duration grace) {
    if (std::exchange(threads_->is_stopped, true)) return;
    const Instant deadline = threads_->clock.now() + grace;
    for (const auto& thread : threads_->threads) {
        DRACO_ASSERT(!thread->is_this_thread(), "a thread of the engine cannot wait for its end");
        thread->request_stop(deadline);
    }
    for (const auto& thread : threads_->threads) thread->join();
}

std::uint16_t Engine::port() const {
    return threads_->port;
}

EngineCounters Engine::counters() const {
    EngineCounters sum;
    for (const auto& thread : threads_->threads) {
        const ThreadCounters& counts = thread->counts();
        sum.connections += counts.connections.get();
        sum.accepted += counts.accepted.get();
        sum.refused += counts.refused.get();
        sum.requests += counts.requests.get();
        sum.malformed += counts.malformed.get();
        sum.timed_out += counts.timed_out.get();
        sum.stalled += counts.stalled.get();
        sum.too_slow += counts.too_slow.get();
        sum.crowded_out += counts.crowded_out.get();
        sum.room_waits += counts.room_waits.get();
        sum.no_room += counts.no_room.get();
        sum.unanswered += counts.unanswered.get();
        sum.gone += counts.gone.get();
        sum.cut_off += counts.cut_off.get();
        sum.accept_pauses += counts.accept_pauses.get();
        sum.bytes_sent += counts.bytes_sent.get();
        sum.body_bytes += counts.body_bytes.get();
        for (std::size_t i = 0; i < sum.answers.size(); ++i)
            sum.answers[i] += counts.answers[i].get();
    }
    return sum;
}

}  // namespace draco::http
