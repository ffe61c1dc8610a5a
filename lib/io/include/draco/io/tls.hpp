#pragma once
// TLS 1.3 (RFC 8446) between two holders of Ed25519 keys, each of which knows the other by its key
// and by nothing else.
//
// Either side presents one self-signed X.509 certificate whose subject key is the Ed25519 key (RFC
// 8410). The names and dates in it mean nothing and are not looked at. A peer's chain is accepted
// if it is exactly that: one certificate of at most kTlsCertificateBytesMax, subject and issuer
// equal, signature by its own key, and a key of prime order (crypto::check_public_key). Whether
// this key is wanted is the owner's decision: the dialer expects one key, the listener is asked
// (`admit`). Both judge inside the handshake: no byte of the application crosses a link that was
// refused.
//
// Fixed: TLS 1.3 only, X25519, AES-128-GCM or ChaCha20-Poly1305, one ALPN name that both sides must
// give; no tickets, no resumption, no 0-RTT, no renegotiation.
//
// A listener may be open to anybody instead (ListenTls::anonymous): then only the dialer judges.
//
// In TLS 1.3 the dialer is done one flight before the listener judges: a dialer that is refused
// sees its stream open and then close with Unauthenticated.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/ed25519.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace draco::io {

// The 32 bytes of an Ed25519 public key (RFC 8032).
using TlsPublicKey = FixedBytes<struct TlsPublicKeyTag, 32>;

inline constexpr std::size_t kTlsCertificateBytesMax = 2048;

// Called on a thread of the Network while a handshake waits, for several links at the same time.
// False ends the handshake; the peer is told so by a TLS alert.
using TlsAdmit = std::function<bool(const TlsPublicKey& peer)>;

// A key, its certificate and the name of the protocol spoken over its links. Immutable, cheap to
// copy, thread-safe. The secret lives in OpenSSL's memory and is wiped with the last copy.
class TlsIdentity {
public:
    // `protocol` is the ALPN name (RFC 7301), 1 to 255 bytes. InvalidArgument if it is not;
    // Exhausted if OpenSSL cannot make the certificate.
    static Result<TlsIdentity> create(const crypto::Ed25519Seed& seed, std::string_view protocol);

    const TlsPublicKey& public_key() const;

private:
    friend class TlsSession;
    friend struct TlsCallbacks;
    struct State;

    explicit TlsIdentity(std::shared_ptr<const State> state) : state_(std::move(state)) {}

    std::shared_ptr<const State> state_;
};

}  // namespace draco::io
