#pragma once
#include "draco/io/tls.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace draco::io {

struct SslContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

struct TlsIdentity::State {
    TlsPublicKey public_key;
    std::string alpn;         // the name, preceded by its length in one byte
    std::string public_alpn;  // the same, and what a listener for anybody takes besides
    SslContext context;       // for both roles
};

// Sets the callbacks that lead from OpenSSL to the TlsSession of the connection.
void install_session_callbacks(SSL_CTX* context);

}  // namespace draco::io
