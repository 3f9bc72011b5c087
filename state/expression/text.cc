#include "state/expression/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "state/expression/moment.h"
#include "state/expression/value.h"

namespace hilo::expression {
namespace {

// Bytes of the code point that begins at `at`; 0 when it is not valid.
size_t CodePointBytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + bytes > text.size()) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return bytes;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Writes values until the text is full.
class Writer {
 public:
  explicit Writer(size_t max_bytes) : max_bytes_(max_bytes) {}

  std::string Take() { return std::move(text_); }

  void Write(const Value& value, int depth) {
    if (full_) return;
    switch (value.kind()) {
      case Kind::kNull:
        return Put("null");
      case Kind::kBool:
        return Put(value.AsBool() ? "true" : "false");
      case Kind::kInt:
        return Put(std::to_string(value.AsInt()));
      case Kind::kUint:
        return Put(std::to_string(value.AsUint()) + "u");
      case Kind::kDouble:
        return Put(DoubleLiteral(value.AsDouble()));
      case Kind::kString:
        return Quoted(value.AsText(), false);
      case Kind::kBytes:
        return Quoted(value.AsText(), true);
      case Kind::kTimestamp:
        return Put("timestamp(\"" + FormatTimestamp(value.AsSpan()) + "\")");
      case Kind::kDuration:
        return Put("duration(\"" + FormatDuration(value.AsSpan()) + "\")");
      case Kind::kType:
        return Put(value.AsText());
      case Kind::kStruct:
        return Put(std::string(value.AsStruct().type_name()) + "{…}");
      case Kind::kList:
        return WriteList(value.AsList(), depth);
      case Kind::kMap:
        return WriteMap(value.AsMap(), depth);
      default:
        return Put("?");
    }
  }

 private:
  static std::string DoubleLiteral(double value) {
    std::string text = FormatDouble(value);
    if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
  }

  void Put(std::string_view part) {
    if (full_) return;
    if (text_.size() + part.size() <= max_bytes_) {
      text_ += part;
      return;
    }
    size_t fits = max_bytes_ - std::min(max_bytes_, text_.size());
    while (fits > 0 && (static_cast<uint8_t>(part[fits]) & 0xC0) == 0x80) --fits;
    text_.append(part.substr(0, fits)).append("…");
    full_ = true;
  }

  void Quoted(std::string_view text, bool bytes) {
    Put(bytes ? "b\"" : "\"");
    size_t at = 0;
    while (at < text.size() && !full_) {
      const size_t length = CodePointBytes(text, at);
      const auto byte = static_cast<uint8_t>(text[at]);
      if (length == 0 || byte < 0x20 || byte == 0x7F || (bytes && byte >= 0x80)) {
        constexpr char kHex[] = "0123456789abcdef";
        const char escape[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15], 0};
        Put(byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : escape);
        ++at;
        continue;
      }
      if (byte == '"' || byte == '\\') Put("\\");
      Put(text.substr(at, length));
      at += length;
    }
    Put("\"");
  }

  void WriteList(const List& list, int depth) {
    if (depth == 0) return Put("[…]");
    Put("[");
    for (size_t i = 0; i < list.size() && !full_; ++i) {
      if (i != 0) Put(", ");
      Write(list.At(i), depth - 1);
    }
    Put("]");
  }

  void WriteMap(const Map& map, int depth) {
    if (depth == 0) return Put("{…}");
    Put("{");
    for (size_t i = 0; i < map.size() && !full_; ++i) {
      if (i != 0) Put(", ");
      const Value key = map.KeyAt(i);
      Write(key, depth - 1);
      Put(": ");
      Write(map.Find(key), depth - 1);
    }
    Put("}");
  }

  const size_t max_bytes_;
  std::string text_;
  bool full_ = false;
};

}  // namespace

std::string FormatDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string_view shortest(buffer, static_cast<size_t>(end - buffer));
  const size_t e = shortest.find('e');
  int exponent = 0;
  std::from_chars(shortest.data() + e + (shortest[e + 1] == '+' ? 2 : 1), end, exponent);
  if (exponent < -4 || exponent >= 21) return std::string(shortest);
  std::string digits;
  for (const char c : shortest.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  std::string text = value < 0 || std::signbit(value) ? "-" : "";
  if (exponent < 0)
    return text + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const size_t whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) return text + digits + std::string(whole - digits.size(), '0');
  return text + digits.substr(0, whole) + "." + digits.substr(whole);
}

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = CodePointBytes(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

size_t CodePoints(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

void AppendUtf8(std::string& text, uint32_t code_point) {
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

void Closest::Offer(std::string_view candidate) {
  if (name_.size() > 64 || candidate.size() > 64) return;
  const size_t distance = EditDistance(Lower(name_), Lower(candidate));
  if (distance > std::max<size_t>(1, name_.size() / 3) || distance >= candidate.size()) return;
  if (distance >= distance_) return;
  distance_ = distance;
  best_ = std::string(candidate);
}

std::string Closest::Hint() const { return best_.empty() ? "" : "; did you mean '" + best_ + "'?"; }

std::string ToText(const Value& value, size_t max_bytes) {
  Writer writer(max_bytes);
  writer.Write(value, 8);
  return writer.Take();
}

}  // namespace hilo::expression
