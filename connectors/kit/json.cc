#include "connectors/kit/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace hilo::kit::json {
namespace {

// Beyond any amount or measurement; longer ones only serve to burn time.
constexpr size_t kMaxNumberBytes = 64;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char* PutUtf8(uint32_t code, char* out) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

void WriteString(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t written = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (c != '"' && c != '\\' && !control) continue;
    out += text.substr(written, i - written);
    written = i + 1;
    if (control) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += '\\';
      out += c;
    }
  }
  out += text.substr(written);
  out += '"';
}

}  // namespace

// Reads a text from left to right into a document's nodes. Recursion is bounded by
// Limits::max_depth.
class Reader {
 public:
  Reader(Document& document, const Limits& limits)
      : text_(document.text_), nodes_(document.nodes_), limits_(limits) {}

  Status ReadAll() {
    if (text_.size() >= UINT32_MAX) return Fail("property_too_large", "the text is too long");
    if (text_.starts_with("\xEF\xBB\xBF")) {
      return Fail("json_utf8", "the text begins with a byte order mark; leave it out");
    }
    if (!simdjson::validate_utf8(text_.data(), text_.size())) {
      return Fail("json_utf8", "the text is not valid UTF-8");
    }
    nodes_.reserve(64);
    SkipSpace();
    HILO_RETURN_IF_ERROR(ReadValue(0, 0, 0));
    SkipSpace();
    if (at_ != text_.size())
      return Fail("json_trailing", "there is something after the end of the value");
    return OkStatus();
  }

 private:
  Status Fail(std::string_view reason, std::string_view what) const {
    return Error(StatusCode::kInvalidArgument, reason,
                 std::string(what) + " (at byte " + std::to_string(at_) + ")");
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Status ReadValue(uint32_t key_at, uint32_t key_bytes, size_t depth) {
    if (nodes_.size() >= limits_.max_values)
      return Fail("json_keys", "the text holds too many values");
    if (at_ >= text_.size()) return Fail("json_syntax", "a value is missing");
    const uint32_t node = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({.key_bytes = key_bytes, .key_at = key_at});
    switch (text_[at_]) {
      case '{':
        return ReadObject(node, depth + 1);
      case '[':
        return ReadArray(node, depth + 1);
      case '"': {
        uint32_t begin;
        uint32_t bytes = 0;
        HILO_RETURN_IF_ERROR(ReadString(&begin, &bytes));
        if (bytes > MaxStringBytes(key_at, key_bytes)) {
          return Fail("property_too_large", "a string is too long; the limit is " +
                                                std::to_string(limits_.max_string_bytes) +
                                                " bytes");
        }
        Set(node, Type::kString, begin, bytes);
        return OkStatus();
      }
      case 't':
        return ReadWord(node, "true", Type::kTrue);
      case 'f':
        return ReadWord(node, "false", Type::kFalse);
      case 'n':
        return ReadWord(node, "null", Type::kNull);
      default:
        return ReadNumber(node);
    }
  }

  size_t MaxStringBytes(uint32_t key_at, uint32_t key_bytes) const {
    const std::string_view name = std::string_view(text_).substr(key_at, key_bytes);
    const auto& long_names = limits_.long_names;
    const bool is_long =
        key_bytes > 0 && std::find(long_names.begin(), long_names.end(), name) != long_names.end();
    return is_long ? limits_.max_long_string_bytes : limits_.max_string_bytes;
  }

  void Set(uint32_t node, Type type, uint32_t at, uint32_t bytes) {
    nodes_[node].type = type;
    nodes_[node].text_at = at;
    nodes_[node].text_bytes = bytes;
  }

  Status ReadWord(uint32_t node, std::string_view word, Type type) {
    if (std::string_view(text_).substr(at_, word.size()) != word) {
      return Fail("json_syntax", "this is no JSON value");
    }
    Set(node, type, static_cast<uint32_t>(at_), static_cast<uint32_t>(word.size()));
    at_ += word.size();
    return OkStatus();
  }

  Status ReadObject(uint32_t node, size_t depth) {
    if (depth > limits_.max_depth) {
      return Fail("json_depth",
                  "values lie too deep; the limit is " + std::to_string(limits_.max_depth));
    }
    ++at_;
    const size_t first_key = keys_.size();
    uint32_t previous = 0;
    uint32_t count = 0;
    SkipSpace();
    if (!Take('}')) {
      for (;;) {
        SkipSpace();
        if (at_ >= text_.size() || text_[at_] != '"')
          return Fail("json_syntax", "a name in quotes is missing");
        if (count == limits_.max_keys) {
          return Fail("json_keys", "an object has too many names; the limit is " +
                                       std::to_string(limits_.max_keys));
        }
        uint32_t key_at;
        uint32_t key_bytes = 0;
        HILO_RETURN_IF_ERROR(ReadString(&key_at, &key_bytes));
        if (key_bytes > limits_.max_key_bytes) {
          return Fail("property_name", "a name is too long; the limit is " +
                                           std::to_string(limits_.max_key_bytes) + " bytes");
        }
        keys_.push_back(std::string_view(text_).substr(key_at, key_bytes));
        SkipSpace();
        if (!Take(':')) return Fail("json_syntax", "a colon is missing after a name");
        SkipSpace();
        const uint32_t child = static_cast<uint32_t>(nodes_.size());
        HILO_RETURN_IF_ERROR(ReadValue(key_at, key_bytes, depth));
        if (previous != 0) nodes_[previous].next = child;
        previous = child;
        ++count;
        SkipSpace();
        if (Take(',')) continue;
        if (Take('}')) break;
        return Fail("json_syntax", "a comma or a closing brace is missing");
      }
    }
    Set(node, Type::kObject, 0, count);
    if (HasTwice(first_key)) return Fail("json_duplicate", "an object has the same name twice");
    keys_.resize(first_key);
    return OkStatus();
  }

  // Whether two of the names from `first` on are equal.
  bool HasTwice(size_t first) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, keys_.end(), [](std::string_view a, std::string_view b) {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    return std::adjacent_find(begin, keys_.end()) != keys_.end();
  }

  Status ReadArray(uint32_t node, size_t depth) {
    if (depth > limits_.max_depth) {
      return Fail("json_depth",
                  "values lie too deep; the limit is " + std::to_string(limits_.max_depth));
    }
    ++at_;
    uint32_t previous = 0;
    uint32_t count = 0;
    SkipSpace();
    if (!Take(']')) {
      for (;;) {
        SkipSpace();
        const uint32_t child = static_cast<uint32_t>(nodes_.size());
        HILO_RETURN_IF_ERROR(ReadValue(0, 0, depth));
        if (previous != 0) nodes_[previous].next = child;
        previous = child;
        ++count;
        SkipSpace();
        if (Take(',')) continue;
        if (Take(']')) break;
        return Fail("json_syntax", "a comma or a closing bracket is missing");
      }
    }
    Set(node, Type::kArray, 0, count);
    return OkStatus();
  }

  // Decodes in place: what is written never overtakes what is read.
  Status ReadString(uint32_t* begin, uint32_t* bytes) {
    ++at_;
    *begin = static_cast<uint32_t>(at_);
    char* out = text_.data() + at_;
    for (;;) {
      if (at_ >= text_.size()) return Fail("json_syntax", "a string does not end");
      const char c = text_[at_];
      if (c == '"') break;
      if (c == '\0') return Fail("json_utf8", "a string holds U+0000");
      if (static_cast<unsigned char>(c) < 0x20)
        return Fail("json_syntax", "a string holds a bare control character");
      if (c == '\\') {
        HILO_RETURN_IF_ERROR(ReadEscape(&out));
      } else {
        *out++ = c;
        ++at_;
      }
    }
    *bytes = static_cast<uint32_t>(out - (text_.data() + *begin));
    ++at_;
    return OkStatus();
  }

  Status ReadEscape(char** out) {
    ++at_;
    if (at_ >= text_.size()) return Fail("json_syntax", "a string does not end");
    const char c = text_[at_++];
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *(*out)++ = c;
        return OkStatus();
      case 'b':
        *(*out)++ = '\b';
        return OkStatus();
      case 'f':
        *(*out)++ = '\f';
        return OkStatus();
      case 'n':
        *(*out)++ = '\n';
        return OkStatus();
      case 'r':
        *(*out)++ = '\r';
        return OkStatus();
      case 't':
        *(*out)++ = '\t';
        return OkStatus();
      case 'u':
        break;
      default:
        return Fail("json_syntax", "a string holds an unknown escape");
    }
    uint32_t code;
    HILO_RETURN_IF_ERROR(ReadHex(&code));
    if (code == 0) return Fail("json_utf8", "a string holds U+0000");
    if (code >= 0xDC00 && code < 0xE000)
      return Fail("json_utf8", "a string holds a lone surrogate");
    if (code >= 0xD800 && code < 0xDC00) {
      uint32_t low = 0;
      if (at_ + 1 < text_.size() && text_[at_] == '\\' && text_[at_ + 1] == 'u') {
        at_ += 2;
        HILO_RETURN_IF_ERROR(ReadHex(&low));
      }
      if (low < 0xDC00 || low >= 0xE000)
        return Fail("json_utf8", "a string holds a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *out = PutUtf8(code, *out);
    return OkStatus();
  }

  Status ReadHex(uint32_t* code) {
    *code = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = at_ < text_.size() ? HexValue(text_[at_]) : -1;
      if (digit < 0) return Fail("json_syntax", "an escape lacks its four hexadecimal digits");
      *code = *code << 4 | static_cast<uint32_t>(digit);
      ++at_;
    }
    return OkStatus();
  }

  Status ReadNumber(uint32_t node) {
    const size_t begin = at_;
    if (!IsDigit(text_[at_]) &&
        std::string_view("-+.NI").find(text_[at_]) == std::string_view::npos) {
      return Fail("json_syntax", "this is no JSON value");
    }
    Take('-');
    const size_t integer = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    bool valid = at_ > integer && (text_[integer] != '0' || at_ == integer + 1);
    bool whole = true;
    if (Take('.')) {
      whole = false;
      const size_t fraction = at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      valid = valid && at_ > fraction;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      whole = false;
      ++at_;
      if (!Take('+')) Take('-');
      const size_t exponent = at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      valid = valid && at_ > exponent;
    }
    const char* first = text_.data() + begin;
    const char* last = text_.data() + at_;
    if (!valid || at_ - begin > kMaxNumberBytes || !Fits(first, last, whole)) {
      at_ = begin;
      return Fail(
          "json_number",
          "a number is malformed or fits neither 64 bits nor a double; send it as a string");
    }
    Set(node, Type::kNumber, static_cast<uint32_t>(begin), static_cast<uint32_t>(at_ - begin));
    return OkStatus();
  }

  static bool Fits(const char* first, const char* last, bool whole) {
    if (whole) {
      int64_t value;
      const auto [end, error] = std::from_chars(first, last, value);
      return error == std::errc() && end == last && !(value == 0 && *first == '-');
    }
    double value;
    const auto [end, error] = std::from_chars(first, last, value);
    return error == std::errc() && end == last && std::isfinite(value) &&
           !(value == 0 && *first == '-');
  }

  std::string& text_;
  std::vector<Document::Node>& nodes_;
  const Limits& limits_;
  size_t at_ = 0;
  std::vector<std::string_view>
      keys_;  // of the objects that are open; they see text_, which does not move
};

StatusOr<std::shared_ptr<const Document>> Document::Parse(std::string text, const Limits& limits) {
  auto document = std::make_shared<Document>();
  document->text_ = std::move(text);
  Reader reader(*document, limits);
  HILO_RETURN_IF_ERROR(reader.ReadAll());
  return std::shared_ptr<const Document>(std::move(document));
}

Type Value::type() const { return document_->nodes_[node_].type; }

std::string_view Value::Text() const {
  if (document_ == nullptr) return {};
  const Document::Node& node = document_->nodes_[node_];
  if (node.type == Type::kObject || node.type == Type::kArray) return {};
  return std::string_view(document_->text_).substr(node.text_at, node.text_bytes);
}

std::optional<std::string_view> Value::String() const {
  if (!IsString()) return std::nullopt;
  return Text();
}

std::optional<bool> Value::Bool() const {
  if (!IsBool()) return std::nullopt;
  return type() == Type::kTrue;
}

std::optional<int64_t> Value::Integer() const {
  if (!IsNumber()) return std::nullopt;
  const std::string_view digits = Text();
  int64_t value;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::string_view Value::Key() const {
  if (document_ == nullptr) return {};
  const Document::Node& node = document_->nodes_[node_];
  return std::string_view(document_->text_).substr(node.key_at, node.key_bytes);
}

Value Value::operator[](std::string_view key) const {
  if (!IsObject()) return {};
  for (Value child = First(); child; child = child.Next()) {
    if (child.Key() == key) return child;
  }
  return {};
}

Value Value::At(std::string_view path) const {
  if (IsArray()) {
    const size_t dot = std::min(path.find('.'), path.size());
    size_t index;
    const auto [end, error] = std::from_chars(path.data(), path.data() + dot, index);
    if (error != std::errc() || end != path.data() + dot) return {};
    Value child = First();
    while (child && index-- > 0) child = child.Next();
    if (dot == path.size()) return child;
    return child ? child.At(path.substr(dot + 1)) : Value();
  }
  if (Value whole = (*this)[path]) return whole;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    if (Value child = (*this)[path.substr(0, dot)]) {
      if (Value found = child.At(path.substr(dot + 1))) return found;
    }
  }
  return {};
}

size_t Value::size() const {
  if (!IsObject() && !IsArray()) return 0;
  return document_->nodes_[node_].text_bytes;
}

Value Value::First() const { return size() == 0 ? Value() : Value(document_, node_ + 1); }

Value Value::Next() const {
  const uint32_t next = document_->nodes_[node_].next;
  return next == 0 ? Value() : Value(document_, next);
}

void Value::Write(std::string& out, const std::vector<Value>& without) const {
  switch (type()) {
    case Type::kString:
      WriteString(Text(), out);
      return;
    case Type::kObject:
    case Type::kArray: {
      const bool object = type() == Type::kObject;
      out += object ? '{' : '[';
      bool first = true;
      for (Value child = First(); child; child = child.Next()) {
        if (std::find(without.begin(), without.end(), child) != without.end()) continue;
        if (!first) out += ',';
        first = false;
        if (object) {
          WriteString(child.Key(), out);
          out += ':';
        }
        child.Write(out, without);
      }
      out += object ? '}' : ']';
      return;
    }
    default:
      out += Text();
  }
}

std::string Value::AsText() const {
  if (!*this) return {};
  if (IsString()) return std::string(Text());
  std::string out;
  Write(out);
  return out;
}

namespace {

// Finds where values begin and end without reading them.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return at_ >= text_.size();
  }
  // The raw text between quotes.
  std::optional<std::string_view> TakeString() {
    if (!Take('"')) return std::nullopt;
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return std::nullopt;
    return text_.substr(begin, at_++ - begin);
  }
  std::optional<std::string_view> TakeValue() {
    SkipSpace();
    const size_t begin = at_;
    size_t open = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!TakeString()) return std::nullopt;
        if (open == 0) break;
        continue;
      }
      if (c == '{' || c == '[') {
        ++open;
      } else if (c == '}' || c == ']') {
        if (open == 0) break;
        if (--open == 0) {
          ++at_;
          break;
        }
      } else if (open == 0 && (c == ',' || IsSpace(c))) {
        break;
      }
      ++at_;
    }
    if (open != 0 || at_ == begin) return std::nullopt;
    return text_.substr(begin, at_ - begin);
  }
  // The elements of an array that begins here.
  std::optional<std::vector<std::string_view>> TakeElements() {
    if (!Take('[')) return std::nullopt;
    std::vector<std::string_view> elements;
    if (Take(']')) return elements;
    do {
      const auto element = TakeValue();
      if (!element) return std::nullopt;
      elements.push_back(*element);
    } while (Take(','));
    if (!Take(']')) return std::nullopt;
    return elements;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Split> SplitArray(std::string_view text, std::string_view name) {
  Scanner scanner(text);
  std::optional<Split> split;
  if (!scanner.Take('{')) return std::nullopt;
  do {
    const auto key = scanner.TakeString();
    if (!key || !scanner.Take(':')) return std::nullopt;
    scanner.SkipSpace();
    const size_t begin = scanner.at();
    if (*key != name) {
      if (!scanner.TakeValue()) return std::nullopt;
      continue;
    }
    auto elements = scanner.TakeElements();
    if (!elements || split) return std::nullopt;
    split = Split{*std::move(elements), std::string(text.substr(0, begin)) + "[]" +
                                            std::string(text.substr(scanner.at()))};
  } while (scanner.Take(','));
  if (!scanner.Take('}') || !scanner.AtEnd()) return std::nullopt;
  return split;
}

std::optional<Split> SplitArray(std::string_view text) {
  Scanner scanner(text);
  auto elements = scanner.TakeElements();
  if (!elements || !scanner.AtEnd()) return std::nullopt;
  return Split{*std::move(elements), {}};
}

}  // namespace hilo::kit::json
