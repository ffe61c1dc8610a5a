#include "tls_session.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "tls_identity.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace draco::io {
namespace {

struct PeerKeyKind {
    static constexpr std::uint8_t kTag = 0;
};

// The key of a certificate that follows the rules of the header.
Result<TlsPublicKey> key_of(X509* certificate) {
    EVP_PKEY* const subject = X509_get0_pubkey(certificate);
    TlsPublicKey key;
    std::size_t size = key.size();
    if (subject == nullptr || EVP_PKEY_get_base_id(subject) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(subject, key.data(), &size) != 1 || size != key.size())
        return fail(Errc::Unauthenticated, "the peer's certificate is not for an Ed25519 key");
    if (X509_get_signature_nid(certificate) != NID_ED25519 ||
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) != 0 ||
        X509_verify(certificate, subject) != 1)
        return fail(Errc::Unauthenticated, "the peer's certificate is not signed by its own key");
    DRACO_TRY_VOID(crypto::check_public_key(crypto::Ed25519PublicKey<PeerKeyKind>(key.view()))
                       .map_error([](const Error& error) {
                           return Error{Errc::Unauthenticated, "the peer's key: " + error.context};
                       }));
    return key;
}

Result<TlsPublicKey> key_of(X509_STORE_CTX* presented) {
    const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_untrusted(presented);
    const int count = chain == nullptr ? 0 : sk_X509_num(chain);
    if (count != 1)
        return fail(Errc::Unauthenticated,
                    "the peer presents " + std::to_string(count) +
                        " certificates instead of one that is self-signed");
    return key_of(X509_STORE_CTX_get0_cert(presented));
}

// Alerts by which a peer says that it does not want us (RFC 8446 section 6).
bool refuses_our_key(int alert) {
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_ACCESS_DENIED || alert == SSL_AD_UNKNOWN_CA ||
           alert == SSL_AD_CERTIFICATE_REQUIRED;
}

}  // namespace

// Where OpenSSL calls back; nothing but the way from its types to a TlsSession.
struct TlsCallbacks {
    static TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

    static int write(BIO* bio, const char* bytes, int size) {
        append(session_of(bio).output_,
               as_bytes(std::string_view(bytes, static_cast<std::size_t>(size))));
        return size;
    }

    static int read(BIO* bio, char* out, int size) {
        ByteView& input = session_of(bio).input_;
        BIO_clear_retry_flags(bio);
        if (input.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const std::size_t count = std::min(input.size(), static_cast<std::size_t>(size));
        std::memcpy(out, input.data(), count);
        input = input.subspan(count);
        return static_cast<int>(count);
    }

    static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const kTable = [] {
            BIO_METHOD* const made =
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "TlsSession");
            DRACO_ASSERT(made != nullptr, "there is memory for a table of three functions");
            BIO_meth_set_write(made, write);
            BIO_meth_set_read(made, read);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        return kTable;
    }

    // Judges the peer's chain in place of OpenSSL's own rules. 1 accepts.
    static int verify(X509_STORE_CTX* presented, void* /*unused*/) {
        auto* const ssl = static_cast<SSL*>(
            X509_STORE_CTX_get_ex_data(presented, SSL_get_ex_data_X509_STORE_CTX_idx()));
        auto& session = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
        const Result<TlsPublicKey> key = key_of(presented);
        auto refusal = key ? session.judge_(*key) : std::optional(key.error().context);
        if (refusal) {
            session.refusal_ = *std::move(refusal);
            X509_STORE_CTX_set_error(presented, X509_V_ERR_CERT_REJECTED);
            return 0;
        }
        session.peer_key_ = *key;
        return 1;
    }

    // Called on the listening side if the dialer offers protocols.
    static int select_protocol(SSL* ssl,
                               const unsigned char** selected,
                               unsigned char* selected_size,
                               const unsigned char* offered,
                               unsigned offered_size,
                               void* /*unused*/) {
        const auto& session = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
        // Lives as long as the identity does, and `selected` points into it.
        const std::string& alpn = session.role_ == TlsRole::PublicListener
                                      ? session.identity_.state_->public_alpn
                                      : session.identity_.state_->alpn;
        unsigned char* match = nullptr;
        if (SSL_select_next_proto(&match,
                                  selected_size,
                                  reinterpret_cast<const unsigned char*>(alpn.data()),
                                  static_cast<unsigned>(alpn.size()),
                                  offered,
                                  offered_size) != OPENSSL_NPN_NEGOTIATED)
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        *selected = match;
        return SSL_TLSEXT_ERR_OK;
    }
};

void install_session_callbacks(SSL_CTX* context) {
    SSL_CTX_set_cert_verify_callback(context, TlsCallbacks::verify, nullptr);
    SSL_CTX_set_alpn_select_cb(context, TlsCallbacks::select_protocol, nullptr);
}

void TlsSession::SslDeleter::operator()(SSL* ssl) const {
    SSL_free(ssl);
}

TlsSession::~TlsSession() = default;

std::unique_ptr<TlsSession> TlsSession::create(const TlsIdentity& identity,
                                               TlsRole role,
                                               TlsJudge judge) {
    std::unique_ptr<TlsSession> session(new TlsSession(identity, role, std::move(judge)));
    session->ssl_.reset(SSL_new(identity.state_->context.get()));
    BIO* const bio = session->ssl_ ? BIO_new(TlsCallbacks::method()) : nullptr;
    if (bio == nullptr) return nullptr;
    SSL* const ssl = session->ssl_.get();
    BIO_set_data(bio, session.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);  // owned by ssl from here on
    SSL_set_app_data(ssl, session.get());
    if (role == TlsRole::Dialer) {
        const std::string& alpn = identity.state_->alpn;
        if (SSL_set_alpn_protos(ssl,
                                reinterpret_cast<const unsigned char*>(alpn.data()),
                                static_cast<unsigned>(alpn.size())) != 0)
            return nullptr;
        SSL_set_connect_state(ssl);
    } else {
        if (role == TlsRole::PublicListener) SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
        SSL_set_accept_state(ssl);
    }
    return session;
}

Result<bool> TlsSession::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
        DRACO_TRY_VOID(check_protocol());
        return true;
    }
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return false;
    return std::unexpected(failure("TLS handshake"));
}

// A peer that ignores ALPN does not stop the handshake.
Result<> TlsSession::check_protocol() const {
    if (role_ == TlsRole::PublicListener) return {};
    const unsigned char* selected = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &selected, &size);
    const ByteView expected = as_bytes(identity_.state_->alpn).subspan(1);
    if (!equal(ByteView(selected, size), expected))
        return fail(
            Errc::Corrupt,
            "TLS handshake: the peer does not name the protocol " + std::string(as_text(expected)));
    return {};
}

Result<TlsSession::ReadOutcome> TlsSession::read(MutByteView out) {
    ERR_clear_error();
    ReadOutcome outcome;
    while (outcome.bytes < out.size()) {
        std::size_t count = 0;
        const int result =
            SSL_read_ex(ssl_.get(), out.data() + outcome.bytes, out.size() - outcome.bytes, &count);
        outcome.bytes += count;
        if (result == 1) continue;
        const int error = SSL_get_error(ssl_.get(), result);
        outcome.ended = error == SSL_ERROR_ZERO_RETURN;
        if (outcome.ended || error == SSL_ERROR_WANT_READ) return outcome;
        return std::unexpected(failure("TLS"));
    }
    return outcome;
}

Result<> TlsSession::write(ByteView bytes) {
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) != 1)
        return std::unexpected(failure("TLS"));
    return {};
}

void TlsSession::end() {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
}

Error TlsSession::failure(std::string_view during) const {
    if (!refusal_.empty()) return {Errc::Unauthenticated, std::string(during) + ": " + refusal_};
    const unsigned long error = ERR_peek_error();
    const char* const reason = ERR_reason_error_string(error);
    const int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;  // negative: not an alert
    const Errc code = refuses_our_key(alert) ? Errc::Unauthenticated : Errc::Corrupt;
    return {code,
            std::string(during) + (alert >= 0 ? ": the peer answered with the alert \"" : ": ") +
                (reason != nullptr ? reason : "malformed bytes") + (alert >= 0 ? "\"" : "")};
}

}  // namespace draco::io
