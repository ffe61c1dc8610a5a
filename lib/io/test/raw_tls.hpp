#pragma once
// OpenSSL on a blocking socket, as a stranger to lib/io: its settings are right unless a test says
// otherwise.

#include "draco/base/bytes.hpp"
#include "draco/io/file_descriptor.hpp"
#include "draco/io/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>

namespace draco::io {

enum class RawCertificate {
    SelfSigned,
    None,
    EllipticCurve,      // P-256
    SignedByAnother,    // Ed25519, not by its own key
    WithIssuerInChain,  // self-signed, and a second certificate behind it
    Huge,               // self-signed, with a name of many kilobytes
};

struct RawTlsOptions {
    int version_max = TLS1_3_VERSION;
    std::string protocol = "test/1";
    RawCertificate certificate = RawCertificate::SelfSigned;
};

class RawTls {
public:
    explicit RawTls(const RawTlsOptions& options)
        : context_(SSL_CTX_new(TLS_method()), SSL_CTX_free),
          key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free),
          alpn_(options.protocol.empty()
                    ? ""
                    : static_cast<char>(options.protocol.size()) + options.protocol) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to closed sockets without MSG_NOSIGNAL
        SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
        SSL_CTX_set_cert_verify_callback(
            context_.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
        if (!alpn_.empty()) {
            SSL_CTX_set_alpn_protos(context_.get(), alpn(), static_cast<unsigned>(alpn_.size()));
            SSL_CTX_set_alpn_select_cb(context_.get(), select_alpn, &alpn_);
        }
        if (options.certificate != RawCertificate::None) use(options.certificate);
    }

    RawTls(const RawTls&) = delete;
    RawTls& operator=(const RawTls&) = delete;

    TlsPublicKey public_key() const {
        TlsPublicKey key;
        std::size_t size = key.size();
        EVP_PKEY_get_raw_public_key(key_.get(), key.data(), &size);
        return key;
    }

    // Shakes hands as the client, then `act`s, and is let in if one byte arrives.
    bool connect_and_read(
        const FileDescriptor& socket, const std::function<void()>& act = [] {}) const {
        const Session session = on(socket);
        std::uint8_t byte = 0;
        if (SSL_connect(session.get()) != 1) return false;
        const bool is_let_in = SSL_read(session.get(), &byte, 1) == 1;
        act();
        return is_let_in;
    }

    // Shakes hands as the server and waits for a byte. Then the connection is cut.
    void accept_and_read(const FileDescriptor& socket) const {
        const Session session = on(socket);
        SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
        std::uint8_t byte = 0;
        if (SSL_accept(session.get()) == 1) SSL_read(session.get(), &byte, 1);
    }

    Bytes client_hello() const {
        const Session session(SSL_new(context_.get()), SSL_free);
        BIO* const out = BIO_new(BIO_s_mem());
        SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), out);
        SSL_connect(session.get());
        const char* data = nullptr;
        const long size = BIO_get_mem_data(out, &data);
        return to_bytes(as_bytes(std::string_view(data, static_cast<std::size_t>(size))));
    }

private:
    using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
    using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

    Session on(const FileDescriptor& socket) const {
        Session session(SSL_new(context_.get()), SSL_free);
        SSL_set_fd(session.get(), socket.get());
        return session;
    }

    const unsigned char* alpn() const {
        return reinterpret_cast<const unsigned char*>(alpn_.data());
    }

    static int select_alpn(SSL*,
                           const unsigned char** out,
                           unsigned char* size,
                           const unsigned char*,
                           unsigned,
                           void* alpn) {
        const auto& name = *static_cast<const std::string*>(alpn);
        *out = reinterpret_cast<const unsigned char*>(name.data()) + 1;
        *size = static_cast<unsigned char>(name.size() - 1);
        return SSL_TLSEXT_ERR_OK;
    }

    static Certificate make(EVP_PKEY* subject, EVP_PKEY* issuer, const EVP_MD* digest, bool huge) {
        Certificate certificate(X509_new(), X509_free);
        X509_set_version(certificate.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_NAME* const name = X509_get_subject_name(certificate.get());
        for (int i = 0; i < (huge ? 200 : 1); ++i)
            X509_NAME_add_entry_by_txt(
                name,
                "CN",
                MBSTRING_ASC,
                reinterpret_cast<const unsigned char*>("a name of some thirty or so bytes"),
                -1,
                -1,
                0);
        X509_set_issuer_name(certificate.get(), name);
        X509_set_pubkey(certificate.get(), subject);
        EXPECT_GT(X509_sign(certificate.get(), issuer, digest), 0);
        return certificate;
    }

    void use(RawCertificate kind) {
        const Key other(kind == RawCertificate::EllipticCurve
                            ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                            : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                        EVP_PKEY_free);
        const bool is_ec = kind == RawCertificate::EllipticCurve;
        EVP_PKEY* const subject = is_ec ? other.get() : key_.get();
        EVP_PKEY* const issuer = kind == RawCertificate::SignedByAnother ? other.get() : subject;
        const Certificate certificate =
            make(subject, issuer, is_ec ? EVP_sha256() : nullptr, kind == RawCertificate::Huge);
        EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), certificate.get()), 1);
        EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), subject), 1);
        if (kind == RawCertificate::WithIssuerInChain) {
            const Certificate second = make(other.get(), other.get(), nullptr, false);
            EXPECT_EQ(SSL_CTX_add1_chain_cert(context_.get(), second.get()), 1);
        }
    }

    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    Key key_;
    std::string alpn_;
};

}  // namespace draco::io
