#pragma once
// One TLS connection without a socket: bytes of the network go in and out through buffers. One
// thread at a time.

#include "draco/io/tls.hpp"

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>

namespace draco::io {

// A PublicListener asks for no certificate, and leaves it to the dialer whether it names a
// protocol.
enum class TlsRole { Dialer, Listener, PublicListener };

// The verdict on a peer's key: nothing to accept it, else why not.
using TlsJudge = std::function<std::optional<std::string>(const TlsPublicKey&)>;

class TlsSession {
public:
    struct ReadOutcome {
        std::size_t bytes = 0;
        bool ended = false;  // the peer's close_notify; nothing follows
    };

    // Null when OpenSSL is out of memory.
    static std::unique_ptr<TlsSession> create(const TlsIdentity& identity,
                                              TlsRole role,
                                              TlsJudge judge);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    // What the network brought. Viewed, not copied, until the next call of set_input; the calls
    // below take from its front.
    void set_input(ByteView bytes) { input_ = bytes; }

    ByteView input() const { return input_; }

    // Goes on until done (true) or out of input (false). Unauthenticated or Corrupt when the
    // handshake has failed, with an alert in output().
    Result<bool> handshake();

    // Decrypts until `out` is full, input runs out or the peer has ended. Corrupt for bytes that
    // are no TLS, Unauthenticated for the alert of a peer that refuses our key.
    Result<ReadOutcome> read(MutByteView out);

    // Encrypts all of it. After the handshake, before end().
    Result<> write(ByteView bytes);

    // close_notify.
    void end();

    // What the network is to take. The owner empties it.
    Bytes& output() { return output_; }

    const std::optional<TlsPublicKey>& peer_key() const { return peer_key_; }

private:
    struct SslDeleter {
        void operator()(SSL* ssl) const;
    };

    TlsSession(const TlsIdentity& identity, TlsRole role, TlsJudge judge)
        : identity_(identity), role_(role), judge_(std::move(judge)) {}

    friend struct TlsCallbacks;
    Result<> check_protocol() const;
    Error failure(std::string_view during) const;

    TlsIdentity identity_;
    TlsRole role_;
    TlsJudge judge_;
    ByteView input_;
    Bytes output_;
    std::optional<TlsPublicKey> peer_key_;
    std::string refusal_;  // why the peer's certificate was not accepted
    std::unique_ptr<SSL, SslDeleter> ssl_;
};

}  // namespace draco::io
