// Key files as JSON. What we write is put together by hand, because every value is hex, a number or
// a checked name and the bytes must be canonical; what is read goes through Boost.JSON.

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/identity/key_file.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <limits>

namespace draco::identity {
namespace {

namespace json = boost::json;

constexpr std::string_view kChecksumOpening = "\"checksum\": \"";
constexpr std::string_view kTextEnding = "\"\n  }\n}\n";
constexpr std::size_t kChecksumDigits = 64;
constexpr std::string_view kForget = ": restore the key from a backup";

// ---- Writing.

std::string uuid_text(const Uuid& uuid) {
    const std::string hex = to_hex(uuid.view());
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string scrypt_text(const SealedKey& sealed) {
    return R"({"dklen": 32, "n": )" + std::to_string(sealed.scrypt.n) + R"(, "p": )" +
           std::to_string(sealed.scrypt.p) + R"(, "r": )" + std::to_string(sealed.scrypt.r) +
           R"(, "salt": ")" + to_hex(sealed.salt) + R"("})";
}

std::string account_text(const SealedKey& sealed) {
    return "{\n  \"address\": \"" + to_hex(std::get<types::Address>(*sealed.info.id).view()) +
           "\",\n  \"crypto\": {\n    \"cipher\": \"aes-128-ctr\",\n    \"ciphertext\": \"" +
           to_hex(sealed.encrypted.view()) + "\",\n    \"cipherparams\": {\"iv\": \"" +
           to_hex(sealed.iv.view()) +
           "\"},\n    \"kdf\": \"scrypt\",\n    \"kdfparams\": " + scrypt_text(sealed) +
           ",\n    \"mac\": \"" + to_hex(sealed.mac.view()) + "\"\n  },\n  \"id\": \"" +
           uuid_text(sealed.uuid) + "\",\n  \"version\": 3,\n";
}

std::string node_text(const SealedKey& sealed) {
    return "{\n  \"crypto\": {\n    \"kdf\": {\"function\": \"scrypt\", \"params\": " +
           scrypt_text(sealed) +
           ", \"message\": \"\"},\n    \"checksum\": {\"function\": \"sha256\", \"params\": {}, "
           "\"message\": \"" +
           to_hex(sealed.mac.view()) +
           "\"},\n    \"cipher\": {\"function\": \"aes-128-ctr\", \"params\": {\"iv\": \"" +
           to_hex(sealed.iv.view()) + "\"}, \"message\": \"" + to_hex(sealed.encrypted.view()) +
           "\"}\n  },\n  \"description\": \"Draco node network key (Ed25519)\",\n  \"pubkey\": \"" +
           to_hex(std::get<types::NodeKey>(*sealed.info.id).view()) +
           "\",\n  \"path\": \"\",\n  \"uuid\": \"" + uuid_text(sealed.uuid) +
           "\",\n  \"version\": 4,\n";
}

std::string checksum_of(std::string_view text) {
    return to_hex(crypto::sha256(as_bytes(text)).view());
}

// ---- Reading.

std::unexpected<Error> corrupt(std::string_view what) {
    return fail(Errc::Corrupt, "not a key file: " + std::string(what));
}

std::unexpected<Error> unsupported(std::string_view what) {
    return fail(Errc::InvalidArgument, "this key file is not supported: " + std::string(what));
}

Result<> check_size(ByteView text) {
    if (text.size() <= kKeyFileBytesMax) return {};
    return fail(Errc::Exhausted,
                "a key file has at most " + std::to_string(kKeyFileBytesMax) + " bytes");
}

Result<json::value> parse_json(ByteView text) {
    json::parse_options options;
    options.max_depth = kKeyFileDepthMax;
    boost::system::error_code error;
    const std::string_view view = as_text(text);
    json::value value =
        json::parse(json::string_view(view.data(), view.size()), error, {}, options);
    if (error) return corrupt("its JSON is broken or nested too deep");
    return value;
}

Result<const json::value*> member(const json::value& from, std::string_view key) {
    const json::object* object = from.if_object();
    const json::value* found = object == nullptr
                                   ? nullptr
                                   : object->if_contains(json::string_view(key.data(), key.size()));
    if (found == nullptr) return corrupt("\"" + std::string(key) + "\" is missing");
    return found;
}

Result<std::string_view> text_member(const json::value& from, std::string_view key) {
    DRACO_TRY(value, member(from, key));
    const json::string* text = value->if_string();
    if (text == nullptr) return corrupt("\"" + std::string(key) + "\" is not a string");
    return std::string_view(text->data(), text->size());
}

Result<std::uint64_t> number_member(const json::value& from, std::string_view key) {
    DRACO_TRY(value, member(from, key));
    if (const std::int64_t* number = value->if_int64(); number != nullptr && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    if (const std::uint64_t* number = value->if_uint64()) return *number;
    return corrupt("\"" + std::string(key) + "\" is not a whole number");
}

Result<std::uint32_t> small_member(const json::value& from, std::string_view key) {
    DRACO_TRY(number, number_member(from, key));
    if (number > std::numeric_limits<std::uint32_t>::max())
        return fail(Errc::Exhausted,
                    "scrypt's \"" + std::string(key) + "\" is " + std::to_string(number));
    return static_cast<std::uint32_t>(number);
}

std::string_view without_0x(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    return text;
}

template <class Fixed>
Result<Fixed> hex_member(const json::value& from, std::string_view key) {
    DRACO_TRY(text, text_member(from, key));
    auto value = fixed_from_hex<Fixed>(without_0x(text));
    if (!value)
        return corrupt("\"" + std::string(key) + "\" is not " + std::to_string(Fixed::kSize) +
                       " bytes in hex");
    return *value;
}

Result<> expect(const json::value& from, std::string_view key, std::string_view supported) {
    DRACO_TRY(text, text_member(from, key));
    if (text == supported) return {};
    return unsupported("its \"" + std::string(key) + "\" is another one than " +
                       std::string(supported));
}

Result<> read_scrypt(const json::value& parameters, SealedKey& sealed) {
    DRACO_TRY(length, number_member(parameters, "dklen"));
    if (length != 32) return unsupported("its derived key has another length than 32");
    DRACO_TRY(n, number_member(parameters, "n"));
    DRACO_TRY(r, small_member(parameters, "r"));
    DRACO_TRY(p, small_member(parameters, "p"));
    sealed.scrypt = {.n = n, .r = r, .p = p};
    DRACO_TRY(salt_text, text_member(parameters, "salt"));
    auto salt = from_hex(without_0x(salt_text), kSaltBytesMax);
    if (!salt)
        return corrupt("its salt is not at most " + std::to_string(kSaltBytesMax) +
                       " bytes in hex");
    sealed.salt = *std::move(salt);
    return {};
}

// geth wrote "Crypto" once, and readers follow it.
Result<const json::value*> crypto_member(const json::value& root) {
    if (auto found = member(root, "crypto")) return found;
    return member(root, "Crypto");
}

Result<Uuid> uuid_member(const json::value& root, std::string_view key) {
    DRACO_TRY(text, text_member(root, key));
    std::string digits(text.substr(0, 64));
    std::erase(digits, '-');
    auto uuid = fixed_from_hex<Uuid>(digits);
    if (!uuid) return corrupt("\"" + std::string(key) + "\" is not a UUID");
    return *uuid;
}

Result<SealedKey> read_account(const json::value& root) {
    SealedKey sealed;
    sealed.info.kind = KeyKind::Account;
    DRACO_TRY(crypto, crypto_member(root));
    DRACO_TRY_VOID(expect(*crypto, "cipher", "aes-128-ctr"));
    DRACO_TRY_VOID(expect(*crypto, "kdf", "scrypt"));
    DRACO_TRY(parameters, member(*crypto, "kdfparams"));
    DRACO_TRY_VOID(read_scrypt(*parameters, sealed));
    DRACO_TRY(cipher, member(*crypto, "cipherparams"));
    DRACO_TRY(iv, hex_member<KeyIv>(*cipher, "iv"));
    DRACO_TRY(encrypted, hex_member<EncryptedSecret>(*crypto, "ciphertext"));
    DRACO_TRY(mac, hex_member<KeyMac>(*crypto, "mac"));
    DRACO_TRY(uuid, uuid_member(root, "id"));
    sealed.iv = iv;
    sealed.encrypted = encrypted;
    sealed.mac = mac;
    sealed.uuid = uuid;
    if (member(root, "address")) {  // optional: privacy
        DRACO_TRY(address, hex_member<types::Address>(root, "address"));
        sealed.info.id = address;
    }
    return sealed;
}

Result<SealedKey> read_node(const json::value& root) {
    SealedKey sealed;
    sealed.info.kind = KeyKind::Node;
    DRACO_TRY(crypto, member(root, "crypto"));
    DRACO_TRY(kdf, member(*crypto, "kdf"));
    DRACO_TRY(checksum, member(*crypto, "checksum"));
    DRACO_TRY(cipher, member(*crypto, "cipher"));
    DRACO_TRY_VOID(expect(*kdf, "function", "scrypt"));
    DRACO_TRY_VOID(expect(*checksum, "function", "sha256"));
    DRACO_TRY_VOID(expect(*cipher, "function", "aes-128-ctr"));
    DRACO_TRY(parameters, member(*kdf, "params"));
    DRACO_TRY_VOID(read_scrypt(*parameters, sealed));
    DRACO_TRY(cipher_parameters, member(*cipher, "params"));
    DRACO_TRY(iv, hex_member<KeyIv>(*cipher_parameters, "iv"));
    DRACO_TRY(encrypted, hex_member<EncryptedSecret>(*cipher, "message"));
    DRACO_TRY(mac, hex_member<KeyMac>(*checksum, "message"));
    DRACO_TRY(uuid, uuid_member(root, "uuid"));
    sealed.iv = iv;
    sealed.encrypted = encrypted;
    sealed.mac = mac;
    sealed.uuid = uuid;
    // A BLS key of a staking tool has 48 bytes and is none of ours.
    if (const auto key = hex_member<types::NodeKey>(root, "pubkey")) sealed.info.id = *key;
    return sealed;
}

Result<SealedKey> read_any(const json::value& root) {
    DRACO_TRY(version, number_member(root, "version"));
    if (version == 3) return read_account(root);
    if (version == 4) return read_node(root);
    return unsupported("its version is " + std::to_string(version) + ", not 3 or 4");
}

// `"draco": {"kind": 17, "name": "default", "restored": false, "checksum": "..."}`
Result<> read_ours(const json::value& root, SealedKey& sealed) {
    DRACO_TRY(ours, member(root, "draco"));
    DRACO_TRY(kind, number_member(*ours, "kind"));
    if (kind != static_cast<std::uint64_t>(sealed.info.kind))
        return corrupt("its kind is " + std::to_string(kind) + " in a file of kind " +
                       std::string(to_string(sealed.info.kind)));
    DRACO_TRY(name, text_member(*ours, "name"));
    if (!is_key_name(name)) return corrupt("its name is none");
    sealed.info.name = name;
    DRACO_TRY(restored, member(*ours, "restored"));
    if (!restored->is_bool()) return corrupt("\"restored\" is neither true nor false");
    sealed.info.restored = restored->get_bool();
    if (!sealed.info.id) return corrupt("it does not say whose key it is");
    return {};
}

Result<> check_checksum(std::string_view text) {
    if (text.size() < kChecksumDigits + kTextEnding.size() || !text.ends_with(kTextEnding))
        return fail(Errc::Corrupt,
                    "the key file is incomplete, or was not written by Draco" +
                        std::string(kForget) + ", or import it");
    const std::size_t end = text.size() - kTextEnding.size() - kChecksumDigits;
    if (text.substr(end, kChecksumDigits) != checksum_of(text.substr(0, end)))
        return fail(Errc::Corrupt,
                    "the key file is damaged (its checksum does not match)" + std::string(kForget));
    return {};
}

}  // namespace

Bytes encode_key_file(const SealedKey& sealed) {
    DRACO_ASSERT(sealed.info.id && is_key_name(sealed.info.name), "a key file says whose it is");
    DRACO_ASSERT(kind_of(*sealed.info.id) == sealed.info.kind, "a key's id is of its kind");
    std::string text =
        sealed.info.kind == KeyKind::Account ? account_text(sealed) : node_text(sealed);
    text +=
        "  \"draco\": {\n    \"kind\": " + std::to_string(static_cast<unsigned>(sealed.info.kind)) +
        ",\n    \"name\": \"" + sealed.info.name +
        "\",\n    \"restored\": " + (sealed.info.restored ? "true" : "false") + ",\n    " +
        std::string(kChecksumOpening);
    text += checksum_of(text);
    text += kTextEnding;
    return to_bytes(as_bytes(text));
}

Result<SealedKey> decode_key_file(ByteView text) {
    DRACO_TRY_VOID(check_size(text));
    DRACO_TRY_VOID(check_checksum(as_text(text)));
    DRACO_TRY(root, parse_json(text));
    DRACO_TRY(sealed, read_any(root));
    DRACO_TRY_VOID(read_ours(root, sealed));
    if (!equal(encode_key_file(sealed), text))
        return fail(Errc::Corrupt, "the key file was edited" + std::string(kForget));
    return sealed;
}

Result<SealedKey> decode_foreign_key_file(ByteView text) {
    DRACO_TRY_VOID(check_size(text));
    DRACO_TRY(root, parse_json(text));
    return read_any(root);
}

}  // namespace draco::identity
