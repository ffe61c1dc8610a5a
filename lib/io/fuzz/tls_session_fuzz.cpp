// Two TLS sessions whose wire belongs to the input: it delivers in pieces, changes, drops and
// invents bytes. Nothing crashes, output stays bounded, a session that failed says so, and what one
// reads is a beginning of what the other wrote.

#include "draco/base/assert.hpp"

#include "../src/tls_session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace {

using namespace draco;
using namespace draco::io;

constexpr std::size_t kOutputBytesMax = std::size_t{1} << 20;

const TlsIdentity& identity(std::uint8_t number) {
    static const auto make = [](std::uint8_t of) {
        std::array<std::uint8_t, 32> seed{};
        seed[0] = of;
        return TlsIdentity::create(crypto::Ed25519Seed(seed), "fuzz/1").value();
    };
    static const std::array kIdentities = {make(1), make(2)};
    return kIdentities[number];
}

struct Side {
    std::unique_ptr<TlsSession> session;
    Bytes wire;  // to this side
    Bytes written;
    Bytes read;
    bool is_open = false;
    bool has_failed = false;
};

class Run {
public:
    explicit Run(ByteView input) : input_(input) {
        const auto accept = [](const TlsPublicKey&) -> std::optional<std::string> { return {}; };
        for (std::uint8_t i = 0; i < 2; ++i)
            sides_[i].session = TlsSession::create(
                identity(i), i == 0 ? TlsRole::Dialer : TlsRole::Listener, accept);
        advance(sides_[0]);
    }

    void go() {
        // Most inputs begin with an undisturbed handshake, or nothing behind it is reached.
        if (next() % 4 != 0)
            for (int i = 0; i < 8; ++i) deliver(sides_[i % 2 == 0 ? 1 : 0], SIZE_MAX);
        while (!input_.empty()) act();
        for (std::size_t i = 0; i < 2; ++i) {
            const Bytes& read = sides_[i].read;
            const Bytes& written = sides_[1 - i].written;
            DRACO_ASSERT(
                read.size() <= written.size() && equal(read, ByteView(written).first(read.size())),
                "nothing is read that was not written");
        }
    }

private:
    std::uint8_t next() {
        if (input_.empty()) return 0;
        const std::uint8_t byte = input_.front();
        input_ = input_.subspan(1);
        return byte;
    }

    void act() {
        const std::uint8_t op = next();
        Side& side = sides_[op % 2];
        switch (op / 2 % 6) {
            case 0:
                return deliver(side, 1 + std::size_t{next()} * 16);
            case 1:  // change
                if (!side.wire.empty()) side.wire[next() % side.wire.size()] ^= next();
                return;
            case 2:  // drop
                side.wire.resize(side.wire.size() -
                                 std::min<std::size_t>(next(), side.wire.size()));
                return;
            case 3: {  // invent
                const std::size_t size = std::min<std::size_t>(next(), input_.size());
                append(side.wire, input_.first(size));
                input_ = input_.subspan(size);
                return;
            }
            case 4:
                return write(side, Bytes(1 + std::size_t{next()} * 100, op));
            default:
                if (side.is_open && !side.has_failed && next() % 8 == 0) {
                    side.session->end();
                    side.has_failed = true;
                }
                return;
        }
    }

    void write(Side& side, const Bytes& bytes) {
        if (!side.is_open || side.has_failed) return;
        if (side.session->write(bytes))
            append(side.written, bytes);
        else
            side.has_failed = true;
        take_output(side);
    }

    void deliver(Side& side, std::size_t count) {
        const std::size_t size = std::min(count, side.wire.size());
        const Bytes bytes(side.wire.begin(), side.wire.begin() + static_cast<std::ptrdiff_t>(size));
        side.wire.erase(side.wire.begin(), side.wire.begin() + static_cast<std::ptrdiff_t>(size));
        side.session->set_input(bytes);
        advance(side);
        side.session->set_input({});
    }

    void advance(Side& side) {
        if (side.has_failed) return;
        if (!side.is_open) {
            const auto done = side.session->handshake();
            side.has_failed = !done;
            side.is_open = done && *done;
            DRACO_ASSERT(!side.is_open || side.session->peer_key() ==
                                              identity(&side == &sides_[0] ? 1 : 0).public_key(),
                         "a handshake that is done proves the peer's key");
        }
        if (side.is_open) read(side);
        take_output(side);
    }

    static void read(Side& side) {
        Bytes buffer(4096);
        for (;;) {
            const auto outcome = side.session->read(buffer);
            if (!outcome) {
                side.has_failed = true;
                return;
            }
            append(side.read, ByteView(buffer).first(outcome->bytes));
            if (outcome->ended || outcome->bytes < buffer.size()) return;
        }
    }

    void take_output(Side& side) {
        Bytes& output = side.session->output();
        DRACO_ASSERT(output.size() <= kOutputBytesMax, "output is bounded");
        append(sides_[&side == &sides_[0] ? 1 : 0].wire, output);
        output.clear();
    }

    ByteView input_;
    std::array<Side, 2> sides_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Run({data, size}).go();
    return 0;
}
