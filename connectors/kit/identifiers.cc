#include "connectors/kit/identifiers.h"

#include <phonenumbers/phonenumberutil.h>
#include <unicode/idna.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>
#include <span>

#include "connectors/kit/text.h"

namespace hilo::kit {
namespace {

// What programs send when they have nothing. Source: Segment Unify's blocked values, and what
// telephone switches write for callers who withhold their number.
constexpr std::string_view kBlocked[] = {
    "null",           "undefined",  "nil",     "none",     "nan",   "n/a", "anonymous", "unknown",
    "unavailable",    "restricted", "private", "withheld", "guest", "-1",  "true",      "false",
    "[object object]"};

// Mailboxes that several people read.
constexpr std::string_view kRoles[] = {"abuse",
                                       "accounts",
                                       "admin",
                                       "administracion",
                                       "atencion",
                                       "atencionalcliente",
                                       "billing",
                                       "careers",
                                       "clientes",
                                       "compras",
                                       "contact",
                                       "contacto",
                                       "enquiries",
                                       "facturacion",
                                       "hello",
                                       "help",
                                       "hola",
                                       "hostmaster",
                                       "hr",
                                       "info",
                                       "jobs",
                                       "mail",
                                       "mailer-daemon",
                                       "marketing",
                                       "no-reply",
                                       "noreply",
                                       "office",
                                       "oficina",
                                       "orders",
                                       "pedidos",
                                       "postmaster",
                                       "press",
                                       "recepcion",
                                       "reception",
                                       "root",
                                       "sales",
                                       "security",
                                       "service",
                                       "shop",
                                       "soporte",
                                       "support",
                                       "team",
                                       "tienda",
                                       "ventas",
                                       "webmaster"};

constexpr size_t kMaxMailBytes = 254;  // RFC 5321
constexpr size_t kMaxLocalBytes = 64;

Status Malformed(std::string_view message) {
  return Error(StatusCode::kInvalidArgument, "identifier_format", message);
}

bool Contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsBlocked(std::string_view trimmed) {
  if (trimmed.find_first_not_of("0-") == std::string_view::npos) return true;
  return trimmed.size() <= 16 && Contains(kBlocked, AsciiLower(trimmed));
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Lower case and composed, so that two spellings of one letter are the same bytes.
std::optional<std::string> FoldUnicode(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* composer = icu::Normalizer2::getNFCInstance(error);
  icu::UnicodeString lower =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
          .toLower(icu::Locale::getRoot());
  if (U_FAILURE(error)) return std::nullopt;
  const icu::UnicodeString composed = composer->normalize(lower, error);
  if (U_FAILURE(error)) return std::nullopt;
  std::string out;
  composed.toUTF8String(out);
  return out;
}

std::optional<std::string> AsciiDomain(std::string_view domain) {
  if (IsAscii(domain)) return AsciiLower(domain);
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::IDNA> idna(
      icu::IDNA::createUTS46Instance(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI, error));
  if (U_FAILURE(error)) return std::nullopt;
  icu::IDNAInfo info;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  idna->nameToASCII_UTF8(icu::StringPiece(domain.data(), static_cast<int32_t>(domain.size())), sink,
                         info, error);
  if (U_FAILURE(error) || info.hasErrors()) return std::nullopt;
  return out;
}

bool IsHostName(std::string_view domain) {
  if (domain.size() > 253 || domain.find('.') == std::string_view::npos) return false;
  size_t label = 0;
  for (size_t i = 0; i < domain.size(); ++i) {
    const char c = domain[i];
    if (c == '.') {
      if (label == 0 || domain[i - 1] == '-') return false;
      label = 0;
      continue;
    }
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label > 0)) ||
        ++label > 63)
      return false;
  }
  return label > 0 && domain.back() != '-';
}

StatusOr<NormalisedIdentifier> NormaliseEmail(std::string_view trimmed) {
  const size_t at = trimmed.find('@');
  if (at == std::string_view::npos || trimmed.find('@', at + 1) != std::string_view::npos) {
    return Malformed("an e-mail address has exactly one @; send one address, without a name");
  }
  if (trimmed.find_first_of(" \t\r\n,;<>()[]\\\"") != std::string_view::npos) {
    return Malformed("send one bare e-mail address, without a name, blanks or quotes");
  }
  std::string_view local = trimmed.substr(0, at);
  std::string_view domain = trimmed.substr(at + 1);
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const auto folded = IsAscii(local) ? std::optional(AsciiLower(local)) : FoldUnicode(local);
  const auto ascii = AsciiDomain(domain);
  if (local.empty() || local.front() == '.' || local.back() == '.' || !folded ||
      folded->size() > kMaxLocalBytes || !ascii || !IsHostName(*ascii) ||
      folded->size() + 1 + ascii->size() > kMaxMailBytes) {
    return Malformed("this is no e-mail address");
  }
  const std::string_view role = std::string_view(*folded).substr(0, folded->find('+'));
  return NormalisedIdentifier{v1::IDENTIFIER_KIND_EMAIL, *folded + "@" + *ascii,
                              Contains(kRoles, role)};
}

StatusOr<NormalisedIdentifier> NormalisePhone(std::string_view trimmed,
                                              std::string_view default_region) {
  using i18n::phonenumbers::PhoneNumber;
  using i18n::phonenumbers::PhoneNumberUtil;
  if (trimmed.starts_with("tel:")) trimmed.remove_prefix(4);
  for (char c : trimmed) {
    if (static_cast<unsigned char>(c) < 0x80 &&
        std::string_view("0123456789+-(). \t").find(c) == std::string_view::npos) {
      return Malformed("send one telephone number, as +34600111222");
    }
  }
  const PhoneNumberUtil& phones = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  const std::string region = default_region.empty() ? "ZZ" : std::string(default_region);
  if (phones.Parse(std::string(trimmed), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
      phones.IsPossibleNumberWithReason(number) != PhoneNumberUtil::IS_POSSIBLE) {
    return Malformed(
        "this is no telephone number that can be dialled from abroad; send it as +34600111222");
  }
  NormalisedIdentifier identifier{.kind = v1::IDENTIFIER_KIND_PHONE};
  phones.Format(number, PhoneNumberUtil::E164, &identifier.value);
  return identifier;
}

}  // namespace

StatusOr<NormalisedIdentifier> Normalise(const RawIdentifier& identifier,
                                         std::string_view default_region) {
  if (identifier.value.size() > kMaxIdentifierBytes) {
    return Error(StatusCode::kInvalidArgument, "identifier_too_long",
                 "an identifier has at most 512 bytes");
  }
  if (!IsUtf8(identifier.value)) return Malformed("an identifier must be valid UTF-8");
  const std::string_view trimmed = Trim(identifier.value);
  if (IsBlocked(trimmed)) {
    return Error(
        StatusCode::kInvalidArgument, "identifier_blocked",
        "an identifier is empty or a stand-in for nothing; leave it out when it is not known");
  }
  if (HasControl(trimmed)) return Malformed("an identifier holds a control character");
  switch (identifier.kind) {
    case v1::IDENTIFIER_KIND_EMAIL:
      return NormaliseEmail(trimmed);
    case v1::IDENTIFIER_KIND_PHONE:
      return NormalisePhone(trimmed, default_region);
    case v1::IDENTIFIER_KIND_USER_ID:
    case v1::IDENTIFIER_KIND_ANONYMOUS_ID:
    case v1::IDENTIFIER_KIND_DEVICE_ID:
      return NormalisedIdentifier{identifier.kind, std::string(trimmed), false};
    default:
      return Malformed("the kind of an identifier must be given");
  }
}

int StrengthRank(v1::IdentifierKind kind, bool weak) {
  const bool strong = kind == v1::IDENTIFIER_KIND_USER_ID;
  const bool medium = kind == v1::IDENTIFIER_KIND_EMAIL || kind == v1::IDENTIFIER_KIND_PHONE;
  const int strength = weak ? 2 : strong ? 0 : medium ? 1 : 2;
  return strength * 16 + static_cast<int>(kind);
}

IdentifierHash HashOf(const HashKey& key, v1::IdentifierKind kind, std::string_view normalised) {
  std::string bytes(1, static_cast<char>(kind));
  bytes += normalised;
  return IdentifierHash(KeyedHash(key, "identifier", bytes));
}

std::optional<std::string> NormaliseGroup(std::string_view kind, std::string_view id) {
  static constexpr std::string_view kKinds[] = {"household", "company", "account", "loyalty_card"};
  if (!Contains(kKinds, kind)) return std::nullopt;
  auto normalised = Normalise({v1::IDENTIFIER_KIND_DEVICE_ID, std::string(id)}, {});
  if (!normalised.ok()) return std::nullopt;
  return std::move(normalised->value);
}

GroupId HashOfGroup(const HashKey& key, std::string_view kind, std::string_view normalised) {
  std::string bytes(kind);
  bytes += '\0';
  bytes += normalised;
  return GroupId(KeyedHash(key, "group", bytes));
}

EventId DeriveEventId(const HashKey& key, v1::Channel channel, std::string_view scope,
                      std::string_view id) {
  std::string bytes(1, static_cast<char>(channel));
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  bytes += std::to_string(scope.size());
  bytes += ':';
  bytes += scope;
  bytes += id;
  return EventId(KeyedHash(key, "event", bytes));
}

}  // namespace hilo::kit
