#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"

namespace hilo::scenario {

// A word of a line: `ringing`, `"arrived torn"`, or a field `size=42`.
struct Token {
  std::string key;  // of a field; "" for a word
  std::string text;
  bool quoted = false;
  bool IsField() const { return !key.empty(); }
};

// A line of a story.
struct Statement {
  enum class Kind { kGiven, kAt, kExpect };
  Kind kind = Kind::kGiven;
  int line = 0;
  std::string source;              // as it stands in the file
  std::chrono::seconds at{0};      // kAt: since the midnight before the story begins
  std::vector<Token> tokens;       // what follows `given`, the time, or `expect` and `no`
  bool negated = false;            // kExpect: `expect no …`
  std::chrono::seconds within{0};  // kExpect: how long it may take to come true
};

// A story: what was set up, what happened when, and what must then be so. The language is described
// in tests/scenario/README.md.
struct Story {
  std::string name;  // of its file, without ".story"
  std::vector<Statement> statements;

  // "ana.story:12"
  std::string Place(const Statement& of) const;

  // **Errors**: `story_invalid`, with the place and what is expected there: anything but given, at
  // and expect; a time that cannot be read or goes back; a quote that is never closed; a field
  // twice.
  static StatusOr<Story> Parse(std::string name, std::string_view text);
  static StatusOr<Story> Load(const std::string& path);
};

// Reads a statement word by word. A sentence that ends too early or goes on too long is an error,
// told by Finish.
class Sentence {
 public:
  explicit Sentence(const Statement& of) : tokens_(of.tokens) {}

  // Takes the next word if it is this one.
  bool Take(std::string_view word);
  // The next word, quoted or not; "" and an error when there is none.
  std::string Word(std::string_view what);
  // The next token if it is a field, such as `user=u-ana`; an error when it is not.
  Token Field(std::string_view what);
  // All that is left must be fields.
  std::vector<Token> Fields();
  // Whether the next token is a quoted text.
  bool AtText() const;
  void Fail(std::string_view problem);
  // `story_invalid` when something was missing, or is left over.
  Status Finish();

 private:
  const std::vector<Token>& tokens_;
  size_t next_ = 0;
  std::string problem_;
};

// "10s", "30m", "2h", "3d", with an optional sign; nullopt for anything else.
std::optional<std::chrono::seconds> ParseDuration(std::string_view text);

}  // namespace hilo::scenario
