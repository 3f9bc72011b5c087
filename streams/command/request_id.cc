#include <algorithm>
#include <array>
#include <charconv>
#include <random>

#include "state/types/hash.h"
#include "streams/command/command.h"

namespace hilo::command {
namespace {

// With version and variant over the random bits.
RequestId Marked(std::array<uint8_t, RequestId::kSize> bytes) {
  bytes[6] = static_cast<uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<uint8_t>(0x80 | (bytes[8] & 0x3f));
  return RequestId(bytes);
}

}  // namespace

// UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, version, 74 random bits.
std::optional<WallTime> IssueTime(RequestId request) {
  const std::string_view bytes = request.Bytes();
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (byte(6) >> 4 != 7 || byte(8) >> 6 != 2) return std::nullopt;
  int64_t millis = 0;
  for (size_t i = 0; i < 6; ++i) millis = millis << 8 | byte(i);
  return WallTime(std::chrono::milliseconds(millis));
}

RequestId NewRequestId(WallTime now) {
  thread_local std::random_device random;
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  std::array<uint8_t, RequestId::kSize> bytes;
  for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  for (size_t i = 6; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(random());
  return Marked(bytes);
}

RequestId FollowingRequestId(RequestId first, std::string_view purpose) {
  std::array<uint8_t, RequestId::kSize> bytes;
  const auto hash = Hash(purpose, first.Bytes());
  std::copy_n(hash.begin(), bytes.size(), bytes.begin());
  std::copy_n(first.Bytes().begin(), 6, bytes.begin());
  return Marked(bytes);
}

// "c1.<topic>.<partition>.<position>"; a topic may contain dots.
std::string PositionToken::ToString() const {
  return "c1." + of.topic + "." + std::to_string(of.partition) + "." + std::to_string(position);
}

std::optional<PositionToken> PositionToken::Parse(std::string_view text) {
  constexpr std::string_view kPrefix = "c1.";
  if (text.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const size_t last = text.rfind('.');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const size_t middle = text.rfind('.', last - 1);
  if (middle == std::string_view::npos || middle == 0) return std::nullopt;
  PositionToken token;
  token.of.topic = text.substr(0, middle);
  const auto number = [](std::string_view digits, auto& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && !digits.empty() &&
           digits[0] != '-';
  };
  if (!number(text.substr(middle + 1, last - middle - 1), token.of.partition)) return std::nullopt;
  if (!number(text.substr(last + 1), token.position)) return std::nullopt;
  return token;
}

}  // namespace hilo::command
