#include "tests/scenario/story.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace hilo::scenario {
namespace {

using std::chrono::seconds;

constexpr int64_t kMaxCount = 10'000;  // of a duration's unit: above it somebody slipped

Status Invalid(const std::string& problem) {
  return Error(StatusCode::kInvalidArgument, "story_invalid", problem);
}

std::optional<int64_t> ParseCount(std::string_view digits) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc() || end != digits.data() + digits.size() || count < 0)
    return std::nullopt;
  return count > kMaxCount ? std::nullopt : std::optional(count);
}

// "10:00" or "10:00:20".
std::optional<seconds> ParseTimeOfDay(std::string_view text) {
  std::vector<int64_t> parts;
  while (true) {
    const size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    const auto count = part.size() == 2 ? ParseCount(part) : std::nullopt;
    if (!count) return std::nullopt;
    parts.push_back(*count);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  if (parts.size() == 2) parts.push_back(0);
  if (parts.size() != 3 || parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return seconds(parts[0] * 3'600 + parts[1] * 60 + parts[2]);
}

// Takes one line apart into words and fields.
class Lexer {
 public:
  explicit Lexer(std::string_view line) : rest_(line) {}

  StatusOr<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    while (SkipSpace()) {
      Token token;
      const size_t end = rest_.find_first_of(" \t=\"");
      if (end != std::string_view::npos && end > 0 && rest_[end] == '=') {
        token.key = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
      }
      HILO_RETURN_IF_ERROR(ReadText(token));
      tokens.push_back(std::move(token));
    }
    return tokens;
  }

 private:
  // False at the end of the line, or of what is not a comment.
  bool SkipSpace() {
    const size_t start = rest_.find_first_not_of(" \t\r");
    rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
    return !rest_.empty() && rest_[0] != '#';
  }

  Status ReadText(Token& token) {
    if (rest_.empty() || rest_[0] != '"') {
      const size_t end = std::min(rest_.find_first_of(" \t\r"), rest_.size());
      token.text = rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (token.text.empty()) return Invalid("\"" + token.key + "=\" has no value");
      if (token.text.find('"') != std::string::npos) return Invalid("a quote within a word");
      return OkStatus();
    }
    token.quoted = true;
    const size_t end = rest_.find('"', 1);
    if (end == std::string_view::npos) return Invalid("a quote is never closed");
    token.text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return OkStatus();
  }

  std::string_view rest_;
};

// The time in front of what happened: "10:00:20", or "+3d 09:00" for the third day after the first.
StatusOr<seconds> TakeTime(std::vector<Token>& tokens) {
  seconds day{0};
  size_t taken = 0;
  if (!tokens.empty() && tokens[0].text[0] == '+') {
    const auto days = ParseDuration(tokens[0].text);
    if (!days || days->count() % 86'400 != 0) return Invalid("expected a day such as +3d");
    day = *days;
    ++taken;
  }
  const auto time = taken < tokens.size() && !tokens[taken].IsField()
                        ? ParseTimeOfDay(tokens[taken].text)
                        : std::nullopt;
  if (!time) return Invalid("expected a time such as 10:00:20");
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(taken) + 1);
  return day + *time;
}

// "within 5s" at the end of an expectation.
Status TakeWithin(Statement& statement) {
  auto& tokens = statement.tokens;
  if (tokens.size() < 2 || tokens[tokens.size() - 2].quoted ||
      tokens[tokens.size() - 2].text != "within") {
    return OkStatus();
  }
  const auto within = ParseDuration(tokens.back().text);
  if (!within || within->count() <= 0) return Invalid("expected a time limit such as within 5s");
  statement.within = *within;
  tokens.resize(tokens.size() - 2);
  return OkStatus();
}

StatusOr<Statement> ParseLine(std::vector<Token> tokens) {
  Statement statement;
  const std::string verb = tokens[0].IsField() || tokens[0].quoted ? "" : tokens[0].text;
  tokens.erase(tokens.begin());
  if (verb == "given") {
    statement.kind = Statement::Kind::kGiven;
  } else if (verb == "at") {
    statement.kind = Statement::Kind::kAt;
    HILO_ASSIGN_OR_RETURN(statement.at, TakeTime(tokens));
  } else if (verb == "expect") {
    statement.kind = Statement::Kind::kExpect;
    if (!tokens.empty() && !tokens[0].quoted && tokens[0].text == "no") {
      statement.negated = true;
      tokens.erase(tokens.begin());
    }
  } else {
    return Invalid("a line begins with given, at or expect");
  }
  if (tokens.empty()) return Invalid("the line says nothing");
  statement.tokens = std::move(tokens);
  if (statement.kind == Statement::Kind::kExpect) {
    HILO_RETURN_IF_ERROR(TakeWithin(statement));
    return statement;
  }
  std::set<std::string_view> keys;
  for (const Token& token : statement.tokens) {
    if (token.IsField() && !keys.insert(token.key).second)
      return Invalid("\"" + token.key + "=\" stands there twice");
  }
  return statement;
}

}  // namespace

std::string Story::Place(const Statement& of) const {
  return name + ".story:" + std::to_string(of.line);
}

StatusOr<Story> Story::Parse(std::string name, std::string_view text) {
  Story story{.name = std::move(name), .statements = {}};
  seconds last{0};
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view source = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto wrong = [&](const Status& status) {
      return Invalid(story.name + ".story:" + std::to_string(line) + ": " +
                     std::string(status.message().data(), status.message().size()));
    };
    auto tokens = Lexer(source).Run();
    if (!tokens.ok()) return wrong(tokens.status());
    if (tokens->empty()) continue;
    auto statement = ParseLine(*std::move(tokens));
    if (!statement.ok()) return wrong(statement.status());
    statement->line = line;
    statement->source = source;
    if (statement->kind == Statement::Kind::kAt) {
      if (statement->at < last) return wrong(Invalid("time goes back"));
      last = statement->at;
    }
    story.statements.push_back(*std::move(statement));
  }
  return story;
}

StatusOr<Story> Story::Load(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file)
    return Error(StatusCode::kNotFound, "story_unreadable", "the story cannot be read: " + path);
  return Parse(std::filesystem::path(path).stem().string(), text.str());
}

bool Sentence::Take(std::string_view word) {
  if (next_ == tokens_.size()) return false;
  const Token& token = tokens_[next_];
  if (token.IsField() || token.quoted || token.text != word) return false;
  ++next_;
  return true;
}

std::string Sentence::Word(std::string_view what) {
  if (next_ == tokens_.size() || tokens_[next_].IsField()) {
    Fail("expected " + std::string(what));
    return "";
  }
  return tokens_[next_++].text;
}

Token Sentence::Field(std::string_view what) {
  if (next_ == tokens_.size() || !tokens_[next_].IsField()) {
    Fail("expected " + std::string(what));
    return {};
  }
  return tokens_[next_++];
}

std::vector<Token> Sentence::Fields() {
  std::vector<Token> fields;
  while (next_ < tokens_.size() && tokens_[next_].IsField()) fields.push_back(tokens_[next_++]);
  return fields;
}

bool Sentence::AtText() const { return next_ < tokens_.size() && tokens_[next_].quoted; }

void Sentence::Fail(std::string_view problem) {
  if (problem_.empty()) problem_ = problem;
}

Status Sentence::Finish() {
  if (problem_.empty() && next_ < tokens_.size()) {
    const Token& token = tokens_[next_];
    problem_ =
        "not understood from \"" + (token.IsField() ? token.key + "=" : token.text) + "\" on";
  }
  return problem_.empty() ? OkStatus() : Invalid(problem_);
}

std::optional<seconds> ParseDuration(std::string_view text) {
  int64_t sign = 1;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text.size() < 2) return std::nullopt;
  const auto count = ParseCount(text.substr(0, text.size() - 1));
  if (!count) return std::nullopt;
  switch (text.back()) {
    case 's':
      return seconds(sign * *count);
    case 'm':
      return seconds(sign * *count * 60);
    case 'h':
      return seconds(sign * *count * 3'600);
    case 'd':
      return seconds(sign * *count * 86'400);
    default:
      return std::nullopt;
  }
}

}  // namespace hilo::scenario
