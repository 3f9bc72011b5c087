#include "ops/audit/lines.h"

#include <fmt/format.h>

#include <charconv>

namespace hilo::audit {
namespace {

constexpr std::string_view kChainMark = R"(,"chain":")";
constexpr std::string_view kSignatureMark = R"(,"signature":")";
constexpr std::string_view kEnd = R"("})";
// Keeps what is signed here apart from anything else that a key might sign.
constexpr std::string_view kDomain = "hilo audit head 1\n";

template <size_t kSize>
std::string Hex(const std::array<uint8_t, kSize>& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * kSize);
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

template <size_t kSize>
bool FromHex(std::string_view hex, std::array<uint8_t, kSize>& bytes) {
  if (hex.size() != 2 * kSize) return false;
  for (size_t i = 0; i < kSize; ++i) {
    const char* digits = hex.data() + 2 * i;
    // from_chars takes upper case as well: one text, one meaning.
    for (const char* c = digits; c != digits + 2; ++c) {
      if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f'))) return false;
    }
    std::from_chars(digits, digits + 2, bytes[i], 16);
  }
  return true;
}

std::string_view Bytes(const keys::Hash32& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// Splits `line` into what stands before `mark` and the hexadecimal value behind it, which ends the
// line.
template <size_t kSize>
bool SplitHex(std::string_view line, std::string_view mark, std::string_view& before,
              std::array<uint8_t, kSize>& value) {
  const size_t tail = mark.size() + 2 * kSize + kEnd.size();
  if (line.size() < tail || !line.ends_with(kEnd)) return false;
  before = line.substr(0, line.size() - tail);
  if (line.substr(before.size(), mark.size()) != mark) return false;
  return FromHex(line.substr(before.size() + mark.size(), 2 * kSize), value);
}

// Takes `prefix` and a decimal number from the front of `text`.
bool TakeNumber(std::string_view& text, std::string_view prefix, uint64_t& number) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string EntryLine(const AuditEntry& entry, WallTime time, ChainHead& head) {
  // The fields hold no character that JSON would have to escape: Record has seen to it.
  std::string line = fmt::format(
      R"({{"n":{},"time":"{}","principal":"{}","method":"{}","customer":"{}","field_group":"{}","reason":"{}",)"
      R"("result":"{}")",
      head.entries + 1, Rfc3339(time), entry.principal, entry.method, entry.customer,
      entry.field_group, entry.reason, entry.result);
  head.hash = keys::StrongHash(Bytes(head.hash), line);
  line.append(kChainMark).append(Hex(head.hash)).append(kEnd).append("\n");
  ++head.entries;
  head.bytes += line.size();
  return line;
}

LineCheck CheckLine(std::string_view line, ChainHead& head) {
  std::string_view text;
  keys::Hash32 hash;
  uint64_t number = 0;
  if (!SplitHex(line, kChainMark, text, hash)) return LineCheck::kEdited;
  std::string_view rest = text;
  if (!TakeNumber(rest, R"({"n":)", number)) return LineCheck::kEdited;
  if (number != head.entries + 1) return LineCheck::kReordered;
  if (keys::StrongHash(Bytes(head.hash), text) != hash) return LineCheck::kEdited;
  head = {.entries = number, .bytes = head.bytes + line.size() + 1, .hash = hash};
  return LineCheck::kHolds;
}

std::optional<keys::Hash32> HashOf(std::string_view line) {
  std::string_view text;
  keys::Hash32 hash;
  if (!SplitHex(line, kChainMark, text, hash)) return std::nullopt;
  return hash;
}

std::string HeadLine(const ChainHead& head, WallTime time, const keys::Signer& signer) {
  std::string line = fmt::format(R"({{"entries":{},"bytes":{},"chain":"{}","time":"{}")",
                                 head.entries, head.bytes, Hex(head.hash), Rfc3339(time));
  const keys::Signature signature = signer.Sign(std::string(kDomain).append(line));
  line.append(kSignatureMark).append(Hex(signature)).append(kEnd).append("\n");
  return line;
}

std::optional<ChainHead> ReadHead(std::string_view line, const keys::PublicKey& key) {
  std::string_view text;
  keys::Signature signature;
  if (!SplitHex(line, kSignatureMark, text, signature)) return std::nullopt;
  if (!keys::IsSignedBy(key, std::string(kDomain).append(text), signature)) return std::nullopt;
  ChainHead head;
  if (!TakeNumber(text, R"({"entries":)", head.entries) ||
      !TakeNumber(text, R"(,"bytes":)", head.bytes) || !text.starts_with(kChainMark)) {
    return std::nullopt;
  }
  text.remove_prefix(kChainMark.size());
  if (!FromHex(text.substr(0, 2 * head.hash.size()), head.hash)) return std::nullopt;
  return head;
}

}  // namespace hilo::audit
