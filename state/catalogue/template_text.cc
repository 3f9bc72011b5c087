#include "state/catalogue/template_text.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hilo::catalogue {
namespace {

constexpr std::string_view kUrls[] = {"product.url", "unsubscribe_url"};

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

// What of a value is written into a body: no control characters but line ends and tabs.
bool IsWritten(char c) {
  return (static_cast<uint8_t>(c) >= 0x20 && c != 0x7F) || c == '\n' || c == '\t';
}

bool IsControl(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string Tag(std::string_view name) { return "{{" + std::string(name) + "}}"; }

// Whether a section of `section` is written only when `name` is known.
bool Guards(std::string_view section, std::string_view name) {
  return section == name || (section == "product" && name.starts_with("product."));
}

const std::string* Known(const Variables& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() || found->second.empty() ? nullptr : &found->second;
}

// Follows HTML as far as to know what stands where a value is to be put in.
class HtmlPlace {
 public:
  enum class Where : uint8_t { kText, kTag, kQuoted, kStyle, kComment };

  void Read(std::string_view literal) {
    for (size_t i = 0; i < literal.size(); ++i) ReadOne(literal[i]);
  }
  Where where() const { return where_; }
  // The quote that the last byte opened, else '\0'.
  char just_quoted() const { return where_ == Where::kQuoted && last_ == quote_ ? quote_ : '\0'; }
  bool script() const { return script_; }

 private:
  void ReadOne(char c) {
    last_ = c;
    switch (where_) {
      case Where::kText:
        if (c == '<') {
          where_ = Where::kTag;
          tag_.clear();
        }
        return;
      case Where::kTag:
        if (c == '>') {
          const std::string name = Lower(tag_.substr(0, tag_.find_first_of(" \t\r\n/", 1)));
          where_ = name == "style" ? Where::kStyle : Where::kText;
          script_ = script_ || name == "script";
          tag_.clear();
        } else if (c == '"' || c == '\'') {
          where_ = Where::kQuoted;
          quote_ = c;
        } else {
          if (tag_.size() < 16) tag_ += c;
          if (tag_ == "!--") where_ = Where::kComment;
        }
        return;
      case Where::kQuoted:
        if (c == quote_) {
          where_ = Where::kTag;
          last_ = ' ';
        }
        return;
      case Where::kStyle:
      case Where::kComment:
        tag_ += Lower(std::string_view(&c, 1));
        if (tag_.size() > 8) tag_.erase(0, tag_.size() - 8);
        if (tag_.ends_with(where_ == Where::kStyle ? "</style>" : "-->")) where_ = Where::kText;
        return;
    }
  }

  Where where_ = Where::kText;
  char quote_ = '\0';
  char last_ = '\0';
  std::string tag_;
  bool script_ = false;
};

}  // namespace

void AppendHtml(std::string_view value, std::string& out) {
  for (char c : value) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (IsWritten(c)) out += c;
    }
  }
}

// Reads one source into a ParsedText.
class TextParser {
 public:
  TextParser(std::string source, ParsedText::Part part) : parsed_(new ParsedText) {
    parsed_->source_ = std::move(source);
    parsed_->part_ = part;
  }

  ParsedText::Parsed Run() {
    const std::string_view source = parsed_->source_;
    if (source.size() > ParsedText::kMaxBytes) {
      Find(0, "this is too long; at most " + std::to_string(ParsedText::kMaxBytes) + " bytes");
      return Finish();
    }
    if (parsed_->part_ == ParsedText::Part::kSubject &&
        std::any_of(source.begin(), source.end(), IsControl)) {
      Find(0, "a subject is one line; take out line ends and tabs");
    }
    size_t tags = 0;
    for (;;) {
      const size_t begin = source.find("{{", at_);
      if (begin == std::string_view::npos) break;
      const bool triple = source.substr(begin, 3) == "{{{";
      const size_t end = source.find(triple ? "}}}" : "}}", begin + 2);
      if (end == std::string_view::npos) {
        Find(begin, "this tag is not closed; write \"}}\" behind its name");
        return Finish();
      }
      if (++tags > ParsedText::kMaxTags) {
        Find(begin, "there are too many tags; at most " + std::to_string(ParsedText::kMaxTags));
        return Finish();
      }
      const size_t after = end + (triple ? 3 : 2);
      ReadTag(begin, after, triple ? "{" : Trimmed(source.substr(begin + 2, end - begin - 2)));
    }
    AddLiteral(source.size());
    for (const Open& open : open_) {
      Find(open.offset, "the section " + Quote(open.name) + " is not closed; write \"{{/" +
                            open.name + "}}\" where it ends");
    }
    if (parsed_->part_ == ParsedText::Part::kHtml) {
      if (place_.where() != HtmlPlace::Where::kText)
        Find(source.size(), "the html ends inside a tag, style or comment; close it");
      if (place_.script()) Find(0, "mail shows no scripts; take the script element out");
    }
    return Finish();
  }

 private:
  struct Open {
    std::string name;
    bool inverted;
    size_t step;
    size_t offset;
  };

  ParsedText::Parsed Finish() {
    if (!findings_.empty()) return {nullptr, std::move(findings_)};
    return {std::shared_ptr<const ParsedText>(std::move(parsed_)), {}};
  }

  static std::string Quote(std::string_view name) {
    return "\"" + std::string(name.substr(0, 64)) + "\"";
  }
  void Find(size_t offset, std::string message) {
    findings_.push_back({offset, std::move(message)});
  }

  void AddLiteral(size_t end) {
    if (end <= at_) return;
    parsed_->steps_.push_back(
        {.kind = ParsedText::Step::Kind::kLiteral, .begin = at_, .end = end, .name = {}});
    place_.Read(std::string_view(parsed_->source_).substr(at_, end - at_));
    at_ = end;
  }

  // A section's or comment's tag alone on its line takes the line with it: sets where the literal
  // before it ends and where the next one begins.
  void TakeLine(size_t& begin, size_t& after) const {
    const std::string_view source = parsed_->source_;
    const size_t line_end = begin == 0 ? std::string_view::npos : source.rfind('\n', begin - 1);
    const size_t line = line_end == std::string_view::npos ? 0 : line_end + 1;
    if (line < at_ || !IsBlank(source.substr(line, begin - line))) return;
    const size_t end = std::min(source.find('\n', after), source.size());
    if (!IsBlank(source.substr(after, end - after))) return;
    begin = line;
    after = std::min(end + 1, source.size());
  }

  void ReadTag(size_t begin, size_t after, std::string_view tag) {
    const size_t offset = begin;
    const char sign = tag.empty() ? '\0' : tag.front();
    const std::string name(Trimmed(tag.empty() ? tag : tag.substr(1)));
    switch (sign) {
      case '{':
      case '&':
        Find(offset, "values are always escaped; write \"{{name}}\" with two braces and no \"&\"");
        break;
      case '>':
        Find(offset, "a template cannot include another; write its text here");
        break;
      case '=':
        Find(offset, "the braces cannot be changed; write \"{{name}}\"");
        break;
      case '!':
        TakeLine(begin, after);
        AddLiteral(begin);
        break;
      case '#':
      case '^':
        TakeLine(begin, after);
        AddLiteral(begin);
        OpenSection(name, sign == '^', offset);
        break;
      case '/':
        TakeLine(begin, after);
        AddLiteral(begin);
        CloseSection(name, offset);
        break;
      default:
        AddLiteral(begin);
        AddValue(std::string(tag), offset, after);
    }
    at_ = after;
  }

  void OpenSection(const std::string& name, bool inverted, size_t offset) {
    if (open_.size() == ParsedText::kMaxDepth) {
      Find(offset, "sections are at most " + std::to_string(ParsedText::kMaxDepth) +
                       " deep; close one first");
    }
    open_.push_back({name, inverted, parsed_->steps_.size(), offset});
    parsed_->uses_.push_back({.name = name, .offset = offset});
    parsed_->steps_.push_back(
        {.kind = inverted ? ParsedText::Step::Kind::kInverted : ParsedText::Step::Kind::kSection,
         .name = name});
  }

  void CloseSection(const std::string& name, size_t offset) {
    if (open_.empty() || open_.back().name != name) {
      Find(offset, open_.empty() ? "no section is open here; take \"{{/" + name + "}}\" out"
                                 : "the section that is open here is " + Quote(open_.back().name) +
                                       "; write \"{{/" + open_.back().name + "}}\"");
      return;
    }
    parsed_->steps_[open_.back().step].otherwise = parsed_->steps_.size();
    open_.pop_back();
  }

  void AddValue(const std::string& name, size_t offset, size_t after) {
    ParsedText::Use use{.name = name, .offset = offset, .shown = true};
    for (const Open& open : open_) {
      if (!Guards(open.name, name)) continue;
      use.guarded = use.guarded || !open.inverted;
      if (open.inverted) {
        Find(offset, Quote(name) + " is not known inside \"{{^" + open.name +
                         "}}\", so it would show nothing; take " + Tag(name) + " out");
      }
    }
    if (parsed_->part_ == ParsedText::Part::kHtml) CheckPlace(name, offset, after);
    parsed_->uses_.push_back(std::move(use));
    parsed_->steps_.push_back({.kind = ParsedText::Step::Kind::kValue, .name = name});
  }

  void CheckPlace(const std::string& name, size_t offset, size_t after) {
    switch (place_.where()) {
      case HtmlPlace::Where::kText:
        return;
      case HtmlPlace::Where::kStyle:
      case HtmlPlace::Where::kComment:
        Find(offset, "no value can stand in a style or a comment; take " + Tag(name) + " out");
        return;
      case HtmlPlace::Where::kTag:
      case HtmlPlace::Where::kQuoted:
        break;
    }
    const char quote = place_.just_quoted();
    const bool whole =
        quote != '\0' && after < parsed_->source_.size() && parsed_->source_[after] == quote;
    if (!whole || std::find(std::begin(kUrls), std::end(kUrls), name) == std::end(kUrls)) {
      Find(offset,
           "inside a tag only product.url and unsubscribe_url can stand, as the whole of a "
           "quoted attribute; write href=\"{{unsubscribe_url}}\"");
    }
  }

  std::shared_ptr<ParsedText> parsed_;
  std::vector<ParsedText::Finding> findings_;
  std::vector<Open> open_;
  HtmlPlace place_;
  size_t at_ = 0;  // everything before is read
};

ParsedText::Parsed ParsedText::Parse(std::string source, Part part) {
  return TextParser(std::move(source), part).Run();
}

StatusOr<std::string> ParsedText::Fill(const Variables& variables, size_t max_bytes) const {
  std::string out;
  for (size_t i = 0; i < steps_.size();) {
    const Step& step = steps_[i];
    ++i;
    switch (step.kind) {
      case Step::Kind::kLiteral:
        out.append(source_, step.begin, step.end - step.begin);
        break;
      case Step::Kind::kSection:
      case Step::Kind::kInverted: {
        const std::string& name = step.name == "product" ? std::string("product.title") : step.name;
        const bool known = Known(variables, name) != nullptr;
        if (known != (step.kind == Step::Kind::kSection)) i = step.otherwise;
        break;
      }
      case Step::Kind::kValue: {
        const std::string* value = Known(variables, step.name);
        if (value == nullptr) {
          return Error(StatusCode::kFailedPrecondition, "variable_missing",
                       "the template shows '" + step.name + "', which is not known here");
        }
        if (part_ == Part::kSubject && std::any_of(value->begin(), value->end(), IsControl)) {
          return Error(StatusCode::kInvalidArgument, "header_injection",
                       "the value of '" + step.name + "' would end the subject's line");
        }
        if (part_ == Part::kHtml) {
          AppendHtml(*value, out);
        } else {
          std::copy_if(value->begin(), value->end(), std::back_inserter(out), IsWritten);
        }
        break;
      }
    }
    if (out.size() > max_bytes) {
      return Error(
          StatusCode::kResourceExhausted, "message_too_large",
          "a part of the message would be longer than " + std::to_string(max_bytes) + " bytes");
    }
  }
  return out;
}

}  // namespace hilo::catalogue
