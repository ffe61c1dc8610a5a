// CPU time of the server for each request, beside nginx's for the same files, over kept connections
// on loopback. Both have one thread that serves, and caches of open files; they run in turn, and
// the median of their ratios is told. What a client costs is not counted.

#include "draco/http/engine.hpp"
#include "draco/http/parser.hpp"
#include "draco/io/system_clock.hpp"

#include "load_bench.hpp"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::http::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSmallBytes = 1 << 10;
constexpr std::size_t kLargeBytes = 1 << 20;
constexpr int kRounds = 21;

class ScratchFolder {
public:
    ScratchFolder() {
        std::string path = (fs::temp_directory_path() / "draco_http_bench_XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) give_up("making a folder");
        path_ = path;
        // nginx's worker is another user when it is started by root.
        fs::permissions(path_, fs::perms::all);
        std::ofstream(path_ / "small.html") << std::string(kSmallBytes, 's');
        std::ofstream(path_ / "large.bin") << std::string(kLargeBytes, 'l');
    }

    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    ~ScratchFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

// A child process, ended with this object or with this process.
class Child {
public:
    explicit Child(const std::function<void()>& run) : process_(::fork()) {
        if (process_ < 0) give_up("fork");
        if (process_ > 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        run();
        std::_Exit(1);
    }

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    ~Child() {
        ::kill(process_, SIGTERM);
        ::waitpid(process_, nullptr, 0);
    }

    pid_t process() const { return process_; }

private:
    const pid_t process_;
};

// The two files, with the fields that nginx sends: one in memory, one by its descriptor; and as
// much as the large one in pieces of 256 KiB, always the same, so what it costs to have them is not
// told.
class FileHandler final : public EngineHandler {
public:
    explicit FileHandler(const fs::path& folder) {
        auto fields = std::make_shared<FieldBlock>();
        fields->add("Server", "draco");
        fields->add("Content-Type", "application/octet-stream");
        fields->add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
        fields->add("ETag", "\"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\"");
        fields->add("Accept-Ranges", "bytes");
        fields_ = std::move(fields);
        large_ = std::make_shared<io::FileDescriptor>(
            ::open((folder / "large.bin").c_str(), O_RDONLY | O_CLOEXEC));
    }

    void on_request(const Request& request, const Peer& /*peer*/, Reply reply) override {
        Answer answer{.status = 200, .shared_fields = fields_, .fields = {}, .body = {}};
        if (request.target == "/small.html") {
            answer.body = small_;
        } else if (request.target == "/large.bin") {
            answer.body = FileRegion{.file = large_, .offset = 0, .bytes = kLargeBytes};
        } else {
            answer.body = std::make_unique<Pieces>(piece_);
        }
        reply.answer(std::move(answer));
    }

private:
    static constexpr std::size_t kPieceBytes = 256 << 10;

    class Pieces final : public PullBody {
    public:
        explicit Pieces(const SharedBytes& piece) : piece_(piece) {}

        std::uint64_t bytes() const override { return kLargeBytes; }

        std::uint64_t pieces() const override { return kLargeBytes / kPieceBytes; }

        std::uint64_t piece_bytes_max() const override { return kPieceBytes; }

        void pull(PieceReply reply) override { reply.deliver(piece_); }

    private:
        const SharedBytes& piece_;
    };

    std::shared_ptr<const FieldBlock> fields_;
    SharedBytes small_ = share(std::string(kSmallBytes, 's'));
    SharedBytes piece_ = share(std::string(kPieceBytes, 'p'));
    std::shared_ptr<const io::FileDescriptor> large_;
};

void run_engine(std::uint16_t port, const fs::path& folder) {
    FileHandler handler(folder);
    const io::SystemClock clock;
    const auto engine = Engine::start(handler, clock, {.port = port, .thread_count = 1});
    if (!engine) give_up(engine.error().context.c_str());
    while (true) ::pause();
}

std::optional<std::string> find_nginx() {
    std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
    path += ":/usr/sbin";
    while (!path.empty()) {
        const std::size_t colon = std::min(path.find(':'), path.size());
        const std::string program = path.substr(0, colon) + "/nginx";
        if (::access(program.c_str(), X_OK) == 0) return program;
        path.erase(0, colon + 1);
    }
    return std::nullopt;
}

void run_nginx(const std::string& program, std::uint16_t port, const fs::path& folder) {
    const fs::path config = folder / "nginx.conf";
    const std::string root = folder.string();
    std::ofstream(config) << "daemon off; worker_processes 1; pid " << root
                          << "/nginx.pid; error_log " << root
                          << "/error.log;\n"
                             "events { worker_connections 1024; }\n"
                             "http { access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;\n"
                             "  open_file_cache max=100; keepalive_requests 100000000;\n"
                             "  client_body_temp_path "
                          << root << "; proxy_temp_path " << root << "; fastcgi_temp_path " << root
                          << "; uwsgi_temp_path " << root << "; scgi_temp_path " << root
                          << ";\n  server { listen 127.0.0.1:" << port << " reuseport; root "
                          << root << "; } }\n";
    ::execl(program.c_str(),
            "nginx",
            "-c",
            config.c_str(),
            "-p",
            folder.c_str(),
            static_cast<char*>(nullptr));
}

struct Workload {
    const char* name;
    const char* ours;
    const char* theirs;
    int connections;
    int requests;
    const char* target;
};

constexpr std::array kWorkloads = std::to_array<Workload>({
    {"http 1 KiB CPU per request", "/small.html", "/small.html", 64, 10'000, "0.75"},
    {"http 1 MiB file CPU per request", "/large.bin", "/large.bin", 16, 500, "1.00"},
    {"http 1 MiB pulled pieces CPU per request", "/pieces", "/large.bin", 16, 500, "1.00"},
});

double us_per_request(pid_t server, std::uint16_t port, const char* target, const Workload& work) {
    const double before = cpu_ns(server);
    load(port, target, work.connections, work.requests);
    return (cpu_ns(server) - before) / work.requests / 1'000;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_ratios() {
    const ScratchFolder folder;
    const std::uint16_t port = free_port();
    const Child engine([&] { run_engine(port, folder.path()); });
    wait_for_listener(port);
    const auto program = find_nginx();
    std::optional<Child> nginx;
    std::uint16_t nginx_port = 0;
    if (program) {
        nginx_port = free_port();
        nginx.emplace([&] { run_nginx(*program, nginx_port, folder.path()); });
        wait_for_listener(nginx_port);
    } else {
        std::printf("nginx is not installed (apt-get install nginx): no ratios\n");
    }
    for (const Workload& work : kWorkloads) {
        std::vector<double> ours;
        std::vector<double> theirs;
        std::vector<double> ratios;
        for (int round = 0; round < kRounds; ++round) {
            ours.push_back(us_per_request(engine.process(), port, work.ours, work));
            if (!nginx) continue;
            theirs.push_back(us_per_request(nginx->process(), nginx_port, work.theirs, work));
            ratios.push_back(ours.back() / theirs.back());
        }
        std::printf("%s: %.1f us\n", work.name, median(ours));
        if (!nginx) continue;
        std::printf("ratio %s: %.2f (target <= %s) peer=nginx, %.1f us\n",
                    work.name,
                    median(ratios),
                    work.target,
                    median(theirs));
    }
}

void parse_request(benchmark::State& state) {
    const std::string request =
        "GET /b3/af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262/a.css "
        "HTTP/1.1\r\n"
        "Host: localhost:8080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0)\r\n"
        "Accept: text/css,*/*;q=0.1\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n";
    RequestParser parser;
    for (auto _ : state) {
        benchmark::DoNotOptimize(parser.feed(as_bytes(request)));
        parser.next();
    }
}

BENCHMARK(parse_request);

}  // namespace
}  // namespace draco::http::bench

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    std::fflush(stdout);
    draco::http::bench::print_ratios();
    return 0;
}
