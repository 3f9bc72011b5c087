#include "state/expression/lexer.h"

#include <algorithm>
#include <charconv>

#include "state/expression/text.h"

namespace hilo::expression {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool IsReserved(std::string_view name) {
  constexpr std::string_view kReserved[] = {
      "false",    "in",      "null",      "true",     "as",  "break",  "const",
      "continue", "else",    "for",       "function", "if",  "import", "let",
      "loop",     "package", "namespace", "return",   "var", "void",   "while"};
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

bool IsIdentifier(std::string_view name) {
  return !name.empty() && IsNameStart(name.front()) &&
         std::all_of(name.begin(), name.end(), IsNamePart) && !IsReserved(name);
}

void Lexer::Fail(uint32_t at, std::string message) {
  if (!problem_) problem_ = Problem{at, "expression_syntax", std::move(message)};
  token_ = Token::kEnd;
}

void Lexer::SkipSpace() {
  while (end_ < source_.size()) {
    const char c = source_[end_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      ++end_;
    } else if (c == '/' && At(end_ + 1) == '/') {
      while (end_ < source_.size() && source_[end_] != '\n') ++end_;
    } else {
      return;
    }
  }
}

void Lexer::Next() {
  if (problem_) return;
  last_end_ = end_;
  SkipSpace();
  begin_ = end_;
  magnitude_ = false;
  if (begin_ >= source_.size()) return Take(Token::kEnd, 0);
  const char c = source_[begin_];
  if (IsDigit(c) || (c == '.' && IsDigit(At(begin_ + 1)))) return Number();
  if (IsNameStart(c)) return Name();
  if (c == '"' || c == '\'') return Text(begin_, false, false);
  if (c == '`') return QuotedName();
  Symbol();
}

void Lexer::Number() {
  size_t at = begin_;
  if (source_[at] == '0' && (At(at + 1) == 'x' || At(at + 1) == 'X')) {
    at += 2;
    const size_t digits = at;
    while (HexDigit(At(at)) >= 0) ++at;
    uint64_t value = 0;
    const auto read = std::from_chars(source_.data() + digits, source_.data() + at, value, 16);
    if (read.ec != std::errc()) return Fail(begin_, "this number is too large or has no digits");
    literal_ = Value::Uint(value);
    magnitude_ = true;
  } else {
    bool whole = true;
    while (IsDigit(At(at))) ++at;
    if (At(at) == '.' && IsDigit(At(at + 1))) {
      whole = false;
      ++at;
      while (IsDigit(At(at))) ++at;
    }
    if (At(at) == 'e' || At(at) == 'E') {
      size_t exponent = at + 1;
      if (At(exponent) == '+' || At(exponent) == '-') ++exponent;
      if (IsDigit(At(exponent))) {
        whole = false;
        at = exponent;
        while (IsDigit(At(at))) ++at;
      }
    }
    const char* from = source_.data() + begin_;
    const char* to = source_.data() + at;
    if (whole) {
      uint64_t value = 0;
      if (std::from_chars(from, to, value).ec != std::errc()) {
        return Fail(
            begin_,
            "this number is too large for an int; write a decimal point to make it a double");
      }
      literal_ = Value::Uint(value);
      magnitude_ = true;
    } else {
      double value = 0;
      const auto read = std::from_chars(from, to, value);
      if (read.ec == std::errc::result_out_of_range) {
        // Too small is zero; too large is an error.
        const std::string_view text(from, static_cast<size_t>(to - from));
        if (text.find("e-") == text.npos && text.find("E-") == text.npos) {
          return Fail(begin_, "this number is too large for a double");
        }
        value = 0;
      }
      literal_ = Value::Double(value);
    }
  }
  if (magnitude_ && (At(at) == 'u' || At(at) == 'U')) {
    magnitude_ = false;
    ++at;
  }
  if (IsNamePart(At(at))) {
    return Fail(static_cast<uint32_t>(at),
                "a name cannot follow a number directly; put an operator between them");
  }
  Take(Token::kLiteral, at - begin_);
}

void Lexer::Name() {
  size_t at = begin_;
  while (IsNamePart(At(at))) ++at;
  const std::string_view name = source_.substr(begin_, at - begin_);
  if (name.size() <= 2 && (At(at) == '"' || At(at) == '\'')) {
    bool raw = false;
    bool bytes = false;
    bool prefix = true;
    for (const char c : name) {
      if ((c == 'r' || c == 'R') && !raw) {
        raw = true;
      } else if ((c == 'b' || c == 'B') && !bytes && !raw) {
        bytes = true;
      } else {
        prefix = false;
      }
    }
    if (prefix) return Text(at, raw, bytes);
  }
  Take(Token::kName, name.size());
}

void Lexer::QuotedName() {
  size_t at = begin_ + 1;
  while (at < source_.size() && source_[at] != '`') {
    const char c = source_[at];
    if (!IsNamePart(c) && c != '.' && c != '-' && c != '/' && c != ' ') {
      return Fail(static_cast<uint32_t>(at),
                  "between backquotes only letters, digits, _ . - / and spaces may stand");
    }
    ++at;
  }
  if (at >= source_.size() || at == begin_ + 1)
    return Fail(begin_, "this backquoted name has no end or is empty");
  Take(Token::kQuotedName, at + 1 - begin_);
}

void Lexer::Text(size_t quote, bool raw, bool bytes) {
  const char mark = source_[quote];
  const bool triple = At(quote + 1) == mark && At(quote + 2) == mark;
  end_ = static_cast<uint32_t>(quote + (triple ? 3 : 1));
  std::string text;
  while (true) {
    if (end_ >= source_.size()) return Fail(begin_, "this text has no closing quote");
    const char c = source_[end_];
    if (c == mark && (!triple || (At(end_ + 1) == mark && At(end_ + 2) == mark))) break;
    if (!triple && (c == '\n' || c == '\r')) {
      return Fail(begin_, "this text has no closing quote on its line; write \\n for a new line");
    }
    if (c == '\\' && !raw) {
      if (!Escape(text, bytes)) return;
    } else {
      text += c;
      ++end_;
    }
  }
  end_ += triple ? 3 : 1;
  literal_ = bytes ? Value::Bytes(std::move(text)) : Value::String(std::move(text));
  token_ = Token::kLiteral;
}

// At a backslash. Appends what it stands for and goes past it.
bool Lexer::Escape(std::string& text, bool bytes) {
  const uint32_t start = end_;
  const char c = At(end_ + 1);
  end_ += 2;
  constexpr std::string_view kFrom = "abfnrtv\\?\"'`";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\?\"'`";
  if (const size_t simple = kFrom.find(c); c != '\0' && simple != kFrom.npos) {
    text += kTo[simple];
    return true;
  }
  size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  uint32_t base = 16;
  if (c >= '0' && c <= '3') {
    base = 8;
    digits = 3;
    --end_;
  }
  if (digits == 0 || (bytes && digits > 3)) {
    Fail(start, "a backslash before this character means nothing here; write \\\\ for a backslash");
    return false;
  }
  uint32_t code = 0;
  for (size_t i = 0; i < digits; ++i) {
    const int digit = HexDigit(At(end_));
    if (digit < 0 || digit >= static_cast<int>(base)) {
      Fail(start, "this escape needs " + std::to_string(digits) + " digits");
      return false;
    }
    code = code * base + static_cast<uint32_t>(digit);
    ++end_;
  }
  if (bytes) {
    text += static_cast<char>(code);
    return true;
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    Fail(start, "this escape is no character");
    return false;
  }
  AppendUtf8(text, code);
  return true;
}

void Lexer::Symbol() {
  const char c = source_[begin_];
  const char next = At(begin_ + 1);
  switch (c) {
    case '(':
      return Take(Token::kLeftParen, 1);
    case ')':
      return Take(Token::kRightParen, 1);
    case '[':
      return Take(Token::kLeftBracket, 1);
    case ']':
      return Take(Token::kRightBracket, 1);
    case '{':
      return Take(Token::kLeftBrace, 1);
    case '}':
      return Take(Token::kRightBrace, 1);
    case '.':
      return Take(Token::kDot, 1);
    case ',':
      return Take(Token::kComma, 1);
    case ':':
      return Take(Token::kColon, 1);
    case '?':
      return Take(Token::kQuestion, 1);
    case '+':
      return Take(Token::kPlus, 1);
    case '-':
      return Take(Token::kMinus, 1);
    case '*':
      return Take(Token::kStar, 1);
    case '/':
      return Take(Token::kSlash, 1);
    case '%':
      return Take(Token::kPercent, 1);
    case '!':
      return next == '=' ? Take(Token::kNotEqual, 2) : Take(Token::kNot, 1);
    case '<':
      if (next == '>') return Fail(begin_, "write != instead of <>");
      return next == '=' ? Take(Token::kLessEqual, 2) : Take(Token::kLess, 1);
    case '>':
      return next == '=' ? Take(Token::kGreaterEqual, 2) : Take(Token::kGreater, 1);
    case '=':
      if (next != '=') return Fail(begin_, "write == to compare; = has no meaning here");
      if (At(begin_ + 2) == '=') return Fail(begin_, "write == instead of ===");
      return Take(Token::kEqual, 2);
    case '&':
      if (next != '&') return Fail(begin_, "write && for 'and'");
      return Take(Token::kAnd, 2);
    case '|':
      if (next != '|') return Fail(begin_, "write || for 'or'");
      return Take(Token::kOr, 2);
    default:
      break;
  }
  const std::string_view rest = source_.substr(begin_);
  for (const std::string_view quote : {"“", "”", "„", "‘", "’", "«", "»"}) {
    if (rest.substr(0, quote.size()) == quote) {
      return Fail(begin_, "write straight quotes \" or ' around a text");
    }
  }
  Fail(begin_, "this character has no meaning outside of a text");
}

}  // namespace hilo::expression
