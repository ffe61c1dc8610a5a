#include "tls_identity.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace draco::io {
namespace {

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;

bool set_time(ASN1_TIME* field, const char* time) {
    return ASN1_TIME_set_string_X509(field, time) == 1;
}

// RFC 5280: a certificate without a well-defined end carries 99991231235959Z (4.1.2.5), and an
// issuer is not empty (4.1.2.4).
Certificate self_signed(EVP_PKEY* key) {
    Certificate certificate(X509_new());
    if (!certificate) return nullptr;
    X509* const x509 = certificate.get();
    X509_NAME* const name = X509_get_subject_name(x509);
    const bool ok =
        X509_set_version(x509, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
        set_time(X509_getm_notBefore(x509), "20000101000000Z") &&
        set_time(X509_getm_notAfter(x509), "99991231235959Z") &&
        X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("node"), -1, -1, 0) ==
            1 &&
        X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1 &&
        X509_sign(x509, key, nullptr) > 0;
    return ok ? std::move(certificate) : nullptr;
}

bool configure(SSL_CTX* context, EVP_PKEY* key, X509* certificate) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // Buffers only while a record is under way: most links are idle.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_max_cert_list(context, kTlsCertificateBytesMax);
    SSL_CTX_set_security_level(context, 2);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context,
                                    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519") == 1 &&
           SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_use_certificate(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, key) == 1;
}

}  // namespace

Result<TlsIdentity> TlsIdentity::create(const crypto::Ed25519Seed& seed,
                                        std::string_view protocol) {
    if (protocol.empty() || protocol.size() > 255)
        return fail(
            Errc::InvalidArgument,
            "a TLS protocol name has 1 to 255 bytes, not " + std::to_string(protocol.size()));
    ERR_clear_error();
    const auto state = std::make_shared<State>();
    const Key key(EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, seed.expose().data(), seed.expose().size()));
    std::size_t size = state->public_key.size();
    const Certificate certificate =
        key && EVP_PKEY_get_raw_public_key(key.get(), state->public_key.data(), &size) == 1
            ? self_signed(key.get())
            : nullptr;
    if (certificate) state->context.reset(SSL_CTX_new(TLS_method()));
    if (!state->context || !configure(state->context.get(), key.get(), certificate.get())) {
        const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
        return fail(Errc::Exhausted,
                    std::string("making a TLS identity: ") +
                        (reason != nullptr ? reason : "out of memory"));
    }
    install_session_callbacks(state->context.get());
    state->alpn = std::string(1, static_cast<char>(protocol.size())) + std::string(protocol);
    constexpr std::string_view kHttp = "http/1.1";
    state->public_alpn =
        state->alpn + std::string(1, static_cast<char>(kHttp.size())) + std::string(kHttp);
    return TlsIdentity(state);
}

const TlsPublicKey& TlsIdentity::public_key() const {
    return state_->public_key;
}

}  // namespace draco::io
