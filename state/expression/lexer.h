#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/expression/problem.h"
#include "state/expression/value.h"

namespace hilo::expression {

enum class Token : uint8_t {
  kEnd,
  kName,        // text(): an identifier, reserved words too
  kQuotedName,  // `content-type`; only after a dot
  kLiteral,     // literal(): an int is its magnitude as uint, see magnitude()
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kDot,
  kComma,
  kColon,
  kQuestion,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kNot,
  kAnd,
  kOr,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

// Whether a variable, field or macro variable may have this name.
bool IsIdentifier(std::string_view name);
// Words that CEL keeps for itself; allowed only after a dot.
bool IsReserved(std::string_view name);

// Cuts a source into tokens, one ahead. `source` outlives it.
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) { Next(); }

  Token token() const { return token_; }
  uint32_t begin() const { return begin_; }
  uint32_t end() const { return end_; }
  uint32_t last_end() const { return last_end_; }  // of the token before
  std::string_view text() const { return source_.substr(begin_, end_ - begin_); }
  // Of kQuotedName: what stands between the quotes.
  std::string_view quoted() const { return source_.substr(begin_ + 1, end_ - begin_ - 2); }
  const Value& literal() const { return literal_; }
  // Of an int literal: its digits as a number; its sign is a token of its own.
  bool is_magnitude() const { return magnitude_; }

  // Goes on to the next token. After a problem it stays at kEnd.
  void Next();
  const std::optional<Problem>& problem() const { return problem_; }
  void Fail(uint32_t at, std::string message);

 private:
  void SkipSpace();
  void Number();
  void Name();
  void QuotedName();
  void Text(size_t quote, bool raw, bool bytes);
  bool Escape(std::string& text, bool bytes);
  void Symbol();
  char At(size_t at) const { return at < source_.size() ? source_[at] : '\0'; }
  void Take(Token token, size_t bytes) {
    token_ = token;
    end_ = begin_ + static_cast<uint32_t>(bytes);
  }

  const std::string_view source_;
  Token token_ = Token::kEnd;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  uint32_t last_end_ = 0;
  Value literal_;
  bool magnitude_ = false;
  std::optional<Problem> problem_;
};

}  // namespace hilo::expression
