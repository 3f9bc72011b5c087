#include "connectors/email/dkim.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "connectors/email/padded_base64.h"

namespace hilo::email {
namespace {

constexpr int kLeastRsaBits = 2'048;
// In the order in which they are signed. From stands twice: the second names one that is not there.
constexpr std::string_view kSigned[] = {"from",
                                        "from",
                                        "to",
                                        "subject",
                                        "date",
                                        "message-id",
                                        "reply-to",
                                        "mime-version",
                                        "content-type",
                                        "content-transfer-encoding",
                                        "content-language",
                                        "list-unsubscribe",
                                        "list-unsubscribe-post",
                                        "feedback-id"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

// Header fields with their folds and without their last CRLF.
std::vector<std::string_view> Fields(std::string_view head) {
  std::vector<std::string_view> fields;
  while (!head.empty()) {
    size_t end = 0;
    do {
      end = head.find("\r\n", end);
      if (end == std::string_view::npos) {
        end = head.size();
        break;
      }
      if (end + 2 >= head.size() || (head[end + 2] != ' ' && head[end + 2] != '\t')) break;
      end += 2;
    } while (true);
    fields.push_back(head.substr(0, end));
    head.remove_prefix(std::min(head.size(), end + 2));
  }
  return fields;
}

std::string Sha256(std::string_view bytes) {
  unsigned char digest[32];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

Status InvalidKey(const std::string& what) {
  return Error(StatusCode::kFailedPrecondition, "dkim_key_invalid", what);
}

// Folded so that no line grows too long; spaces within b= are not significant.
std::string Folded(std::string_view base64) {
  std::string out;
  for (size_t at = 0; at < base64.size(); at += 70)
    out += "\r\n " + std::string(base64.substr(at, 70));
  return out;
}

}  // namespace

std::string RelaxedHeader(std::string_view header) {
  const size_t colon = std::min(header.find(':'), header.size());
  std::string name = LowerCase(header.substr(0, colon));
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.pop_back();
  std::string value;
  bool space = false;
  for (const char c : header.substr(std::min(colon + 1, header.size()))) {
    if (c == '\r' || c == '\n') continue;
    if (c == ' ' || c == '\t') {
      space = true;
      continue;
    }
    if (space && !value.empty()) value += ' ';
    space = false;
    value += c;
  }
  return name + ":" + value;
}

std::string RelaxedBody(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    const size_t end = body.find("\r\n");
    const std::string_view line = body.substr(0, std::min(end, body.size()));
    bool space = false;
    for (const char c : line) {
      if (c == ' ' || c == '\t') {
        space = true;
        continue;
      }
      if (space) out += ' ';
      space = false;
      out += c;
    }
    out += "\r\n";
    if (end == std::string_view::npos) break;
    body.remove_prefix(end + 2);
  }
  // Empty lines at the end do not count; an empty body is empty.
  while (out.size() >= 4 && out.compare(out.size() - 4, 4, "\r\n\r\n") == 0)
    out.resize(out.size() - 2);
  if (out == "\r\n") out.clear();
  return out;
}

StatusOr<std::unique_ptr<DkimSigner>> DkimSigner::Load(const Options& options) {
  std::FILE* file = std::fopen(options.key_file.c_str(), "re");
  if (file == nullptr) return InvalidKey("cannot read the DKIM key \"" + options.key_file + "\"");
  EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  if (key == nullptr)
    return InvalidKey("\"" + options.key_file + "\" is no PEM key without password");
  const int kind = EVP_PKEY_base_id(key);
  const bool rsa = kind == EVP_PKEY_RSA;
  std::unique_ptr<DkimSigner> signer(new DkimSigner(options, key, rsa));
  if (!rsa && kind != EVP_PKEY_ED25519)
    return InvalidKey("\"" + options.key_file + "\" is neither an RSA nor an Ed25519 key");
  if (rsa && EVP_PKEY_bits(key) < kLeastRsaBits) {
    return InvalidKey("\"" + options.key_file + "\" has less than 2,048 bits; make a longer key");
  }
  return signer;
}

DkimSigner::~DkimSigner() { EVP_PKEY_free(key_); }

StatusOr<std::string> DkimSigner::Sign(std::string_view mail, WallTime now) const {
  const size_t split = mail.find("\r\n\r\n");
  if (split == std::string_view::npos) {
    return Error(StatusCode::kInvalidArgument, "mail_malformed", "the mail has no empty line");
  }
  std::vector<std::string_view> fields = Fields(mail.substr(0, split));
  std::string names;
  std::string signed_bytes;
  for (const std::string_view name : kSigned) {
    // From the bottom, each field once (RFC 6376, 5.4.2).
    const auto field =
        std::find_if(fields.rbegin(), fields.rend(), [&](std::string_view candidate) {
          const size_t colon = candidate.find(':');
          return colon == name.size() && LowerCase(candidate.substr(0, colon)) == name;
        });
    const bool there = field != fields.rend();
    if (!there && name != "from") continue;
    names += (names.empty() ? "" : ":") + std::string(name);
    if (!there) continue;
    signed_bytes += RelaxedHeader(*field) + "\r\n";
    fields.erase(std::next(field).base());
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  const std::string header =
      "DKIM-Signature: v=1; a=" + std::string(rsa_ ? "rsa-sha256" : "ed25519-sha256") +
      "; c=relaxed/relaxed;\r\n d=" + options_.domain + "; s=" + options_.selector +
      "; t=" + std::to_string(seconds.count()) + ";\r\n h=" + names +
      ";\r\n bh=" + PaddedBase64(Sha256(RelaxedBody(mail.substr(split + 4)))) + ";\r\n b=";
  signed_bytes += RelaxedHeader(header);

  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  // Ed25519 signs the hash as its message (RFC 8463, 3).
  const std::string message = rsa_ ? signed_bytes : Sha256(signed_bytes);
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (EVP_DigestSignInit(context.get(), nullptr, rsa_ ? EVP_sha256() : nullptr, nullptr, key_) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) != 1) {
    return Error(StatusCode::kInternal, "dkim_failed", "OpenSSL does not sign with this key");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, message.size()) != 1) {
    return Error(StatusCode::kInternal, "dkim_failed", "OpenSSL does not sign with this key");
  }
  signature.resize(size);
  return header + Folded(PaddedBase64(signature)) + "\r\n";
}

}  // namespace hilo::email
