#include "state/catalogue/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "state/catalogue/catalogue.h"

namespace hilo::catalogue {
namespace {

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, above + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// A catalogue may know thousands of names; the nearest are enough.
constexpr size_t kMaxNamesShown = 20;

template <typename Words>
std::string InsteadOf(std::string_view written, const Words& words) {
  std::string best;
  std::string known;
  size_t distance = 3;
  size_t count = 0;
  for (const auto& word : words) {
    const size_t d = Distance(written.substr(0, kMaxNameBytes), word);
    if (d < distance) {
      distance = d;
      best = word;
    }
    if (++count <= kMaxNamesShown) known += (known.empty() ? "" : ", ") + std::string(word);
  }
  if (count > kMaxNamesShown) known += ", …";
  if (!best.empty()) return "did you mean " + Quoted(best) + "? Known here: " + known;
  return known.empty() ? "there are none" : "write one of: " + known;
}

bool IsLanguage(std::string_view text) {
  const std::string_view primary = text.substr(0, text.find('-'));
  return (primary.size() == 2 || primary.size() == 3) && text.size() <= 16 &&
         std::all_of(primary.begin(), primary.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; });
}

// The first byte of a line, which counts from 1.
size_t LineBegin(std::string_view content, int line) {
  size_t begin = 0;
  for (; line > 1; --line) {
    const size_t end = content.find('\n', begin);
    if (end == std::string_view::npos) return content.size();
    begin = end + 1;
  }
  return begin;
}

// Moves from the byte of `raw` where a scalar begins to the one where byte `offset` of its value
// stands. The value differs from what is written by quotes, escapes, folded lines and indentation.
size_t Walk(std::string_view raw, size_t at, std::string_view value, size_t offset) {
  const char style = at < raw.size() ? raw[at] : '\0';
  const bool block = style == '|' || style == '>';
  if (block) at = std::min(raw.find('\n', at), raw.size());
  if (style == '"' || style == '\'') ++at;
  for (size_t i = 0; at < raw.size(); ++i) {
    // Blanks that the value does not have: indentation, folded line ends.
    const char c = i < value.size() ? value[i] : '\0';
    if (block && i == 0 && at < raw.size()) ++at;
    while (at < raw.size() && raw[at] != c &&
           (raw[at] == ' ' || raw[at] == '\r' || (raw[at] == '\n' && c != ' '))) {
      ++at;
    }
    if (i == offset || i == value.size() || at == raw.size()) return at;
    if (raw[at] == '\n' && c == ' ') {
      ++at;
    } else if ((style == '"' && raw[at] == '\\') || (style == '\'' && raw.substr(at, 2) == "''")) {
      at += 2;
    } else {
      ++at;
    }
  }
  return at;
}

}  // namespace

Place PlaceWithin(Place begin, std::string_view text, size_t offset) {
  if (begin.file == nullptr || begin.line == 0) return begin;
  const std::string_view content = begin.file->content;
  const size_t start = LineBegin(content, begin.line) + static_cast<size_t>(begin.column - 1);
  if (start >= content.size()) return begin;
  const size_t at = std::min(Walk(content, start, text, offset), content.size());
  for (size_t i = start; i < at; ++i) {
    if (content[i] == '\n') {
      ++begin.line;
      begin.column = 1;
    } else {
      ++begin.column;
    }
  }
  return begin;
}

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, kMaxNameBytes)) + "\"";
}

std::string Instead(std::string_view written, std::span<const std::string_view> known) {
  return InsteadOf(written, known);
}
std::string Instead(std::string_view written, const std::vector<std::string>& known) {
  return InsteadOf(written, known);
}

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

bool IsWord(std::string_view text) {
  return IsName(text) && text.front() >= 'a' && text.front() <= 'z' &&
         text.find_first_of("-.") == std::string_view::npos;
}

std::optional<Micros> ParseDuration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int64_t count;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, count);
  if (error != std::errc() || end != text.data() + text.size() - 1 || count <= 0)
    return std::nullopt;
  int64_t seconds;
  switch (text.back()) {
    case 's':
      seconds = 1;
      break;
    case 'm':
      seconds = 60;
      break;
    case 'h':
      seconds = 3'600;
      break;
    case 'd':
      seconds = 86'400;
      break;
    case 'w':
      seconds = 7 * 86'400;
      break;
    default:
      return std::nullopt;
  }
  if (count > kMaxDays * 86'400 / seconds) return std::nullopt;
  return Micros(count * seconds * 1'000'000);
}

void YamlReader::AddProblem(Place place, std::string message) {
  if (problems_.size() == Catalogue::kMaxProblems) return;
  Problem problem{{}, place.line, place.column, std::move(message)};
  if (place.file != nullptr) {
    problem.path = place.file->path;
    // People and editors count characters.
    const std::string_view content = place.file->content;
    const size_t begin = LineBegin(content, place.line);
    const auto before = static_cast<size_t>(std::max(place.column - 1, 0));
    if (begin + before <= content.size() && place.column > 0)
      problem.column = static_cast<int>(Characters(content.substr(begin, before))) + 1;
  }
  problems_.push_back(std::move(problem));
}

Place YamlReader::PlaceOf(const YAML::Mark& mark) const {
  if (mark.is_null()) return {file_, 0, 0};
  return {file_, mark.line + 1, mark.column + 1};
}

Place YamlReader::PlaceOf(const Map& map, std::string_view key) const {
  const YAML::Node* node = map.Find(key);
  return node == nullptr ? map.place : PlaceOf(*node);
}

std::optional<YamlReader::Map> YamlReader::ReadMap(const YAML::Node& node, std::string what,
                                                   std::span<const std::string_view> known) {
  if (!node.IsMap()) {
    std::string keys;
    for (std::string_view key : known) keys += (keys.empty() ? "" : ", ") + std::string(key);
    AddProblem(node,
               what + " must be a map; write its keys as \"key: value\", one a line: " + keys);
    return std::nullopt;
  }
  Map map{std::move(what), PlaceOf(node), {}};
  for (const auto& member : node) {
    if (!member.first.IsScalar()) {
      AddProblem(member.first, "a key must be a word");
      continue;
    }
    const std::string& key = member.first.Scalar();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      AddProblem(member.first,
                 map.what + " has no key " + Quoted(key) + "; " + Instead(key, known));
    } else if (!map.members.emplace(key, member.second).second) {
      AddProblem(member.first, map.what + " has the key " + Quoted(key) + " twice; leave one out");
    }
  }
  return map;
}

std::optional<YamlReader::Map> YamlReader::SubMap(const Map& map, std::string_view key,
                                                  std::initializer_list<std::string_view> known) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr) return std::nullopt;
  return ReadMap(*node, map.what + "'s " + Quoted(key), known);
}

std::vector<YAML::Node> YamlReader::Items(const Map& map, std::string_view key,
                                          std::string_view example) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr) return {};
  if (!node->IsSequence() || node->size() > kMaxListItems) {
    AddProblem(*node, map.what + "'s " + Quoted(key) + " must be a list of at most " +
                          std::to_string(kMaxListItems) + "; write \"- " + std::string(example) +
                          "\" below it");
    return {};
  }
  return {node->begin(), node->end()};
}

std::string YamlReader::Text(const Map& map, std::string_view key, bool required,
                             size_t max_bytes) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr || node->IsNull()) {
    if (required) {
      AddProblem(map.place,
                 map.what + " lacks " + Quoted(key) + "; add \"" + std::string(key) + ": …\"");
    }
    return {};
  }
  return TextOf(*node, map.what + "'s " + Quoted(key), max_bytes);
}

std::string YamlReader::TextOf(const YAML::Node& node, const std::string& what, size_t max_bytes) {
  if (!node.IsScalar() || node.Scalar().empty()) {
    AddProblem(node, what + " must be a text");
    return {};
  }
  if (node.Scalar().size() > max_bytes) {
    AddProblem(node, what + " is too long; at most " + std::to_string(max_bytes) + " bytes");
    return {};
  }
  return node.Scalar();
}

std::vector<std::string> YamlReader::Texts(const Map& map, std::string_view key, bool required,
                                           size_t max_bytes) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr || node->IsScalar() || node->IsNull()) {
    std::string one = Text(map, key, required, max_bytes);
    return one.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(one)};
  }
  const std::string what = map.what + "'s " + Quoted(key);
  if (!node->IsSequence() || node->size() == 0 || node->size() > kMaxListItems) {
    AddProblem(*node, what + " must be a text or a list of 1 to " + std::to_string(kMaxListItems) +
                          " texts");
    return {};
  }
  std::vector<std::string> texts;
  for (const YAML::Node& item : *node) {
    std::string text = TextOf(item, what, max_bytes);
    if (text.empty()) return {};
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> YamlReader::Sorted(const Map& map, std::string_view key,
                                            std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  const auto twice = std::adjacent_find(texts.begin(), texts.end());
  if (twice != texts.end()) {
    AddProblem(PlaceOf(map, key), map.what + "'s " + Quoted(key) + " names " + Quoted(*twice) +
                                      " twice; leave one out");
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  }
  return texts;
}

std::vector<std::string> YamlReader::Names(const Map& map, std::string_view key) {
  return Sorted(map, key, Texts(map, key, false, kMaxNameBytes));
}

std::string YamlReader::Word(const Map& map, std::string_view key, bool required,
                             std::span<const std::string_view> known) {
  std::string word = Text(map, key, required);
  if (!word.empty() && std::find(known.begin(), known.end(), word) == known.end()) {
    AddProblem(*map.Find(key), map.what + "'s " + Quoted(key) + " is " + Quoted(word) + "; " +
                                   Instead(word, known));
    return {};
  }
  return word;
}

std::vector<std::string> YamlReader::Words(const Map& map, std::string_view key, bool required,
                                           std::span<const std::string_view> known) {
  std::vector<std::string> words = Texts(map, key, required, kMaxNameBytes);
  for (size_t i = 0; i < words.size(); ++i) {
    if (std::find(known.begin(), known.end(), words[i]) != known.end()) continue;
    const YAML::Node& node = *map.Find(key);
    AddProblem(node.IsSequence() ? node[i] : node, map.what + "'s " + Quoted(key) + " has " +
                                                       Quoted(words[i]) + "; " +
                                                       Instead(words[i], known));
  }
  return Sorted(map, key, std::move(words));
}

std::string YamlReader::Path(const Map& map, std::string_view key, bool required) {
  std::string path = Text(map, key, required, kMaxPathBytes);
  if (!path.empty()) CheckPath(*map.Find(key), path);
  return path;
}

void YamlReader::CheckPath(const YAML::Node& node, std::string_view path) {
  if (path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos ||
      path.front() == '$' || path.find('[') != std::string_view::npos) {
    AddProblem(node, Quoted(path) +
                         " is no path; write names and list positions joined by dots, as "
                         "\"order_id\" or \"products.0.name\"");
  }
}

std::vector<std::string> YamlReader::Paths(const Map& map, std::string_view key, bool required) {
  std::vector<std::string> paths = Texts(map, key, required, kMaxPathBytes);
  for (size_t i = 0; i < paths.size(); ++i) {
    const YAML::Node& node = *map.Find(key);
    CheckPath(node.IsSequence() ? node[i] : node, paths[i]);
  }
  return paths;
}

Micros YamlReader::Duration(const Map& map, std::string_view key) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr) return Micros(0);
  const auto duration = node->IsScalar() ? ParseDuration(node->Scalar()) : std::nullopt;
  if (!duration) {
    AddProblem(*node, map.what + "'s " + Quoted(key) +
                          " is no duration; write a whole number and s, m, h, d or w, as \"30d\"" +
                          ", at most ten years; leave the key out for never");
  }
  return duration.value_or(Micros(0));
}

uint32_t YamlReader::Number(const Map& map, std::string_view key, uint32_t least, uint32_t most,
                            uint32_t otherwise) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr) return otherwise;
  uint32_t value = 0;
  const std::string text = node->IsScalar() ? node->Scalar() : std::string();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    AddProblem(*node, map.what + "'s " + Quoted(key) + " must be a whole number from " +
                          std::to_string(least) + " to " + std::to_string(most));
    return otherwise;
  }
  return value;
}

bool YamlReader::Flag(const Map& map, std::string_view key, bool otherwise) {
  const YAML::Node* node = map.Find(key);
  if (node == nullptr) return otherwise;
  const std::string text = node->IsScalar() ? node->Scalar() : std::string();
  if (text != "true" && text != "false") {
    AddProblem(*node, map.what + "'s " + Quoted(key) + " must be true or false");
    return otherwise;
  }
  return text == "true";
}

std::optional<Money> YamlReader::Amount(const Map& map, std::string_view key, bool required) {
  const std::string text = Text(map, key, required);
  if (text.empty()) return std::nullopt;
  const size_t blank = text.find(' ');
  const auto currency =
      blank == std::string::npos ? std::nullopt : Currency::Parse(text.substr(blank + 1));
  // Currency::Parse would raise lower case, and an amount is never below zero here.
  const bool upper = currency && text.substr(blank + 1) == currency->Text();
  const auto amount = upper && text.front() >= '0' && text.front() <= '9'
                          ? Money::Parse(std::string_view(text).substr(0, blank), *currency)
                          : std::nullopt;
  if (!amount) {
    AddProblem(*map.Find(key), map.what + "'s " + Quoted(key) +
                                   " is no amount; write it with its currency and no more digits "
                                   "than that has, as \"12.50 EUR\"");
  }
  return amount;
}

std::optional<uint32_t> YamlReader::MinuteOfDay(const Map& map, std::string_view key) {
  const std::string text = Text(map, key, true);
  if (text.empty()) return std::nullopt;
  const auto digit = [&text](size_t i) { return static_cast<uint32_t>(text[i] - '0'); };
  if (text.size() == 5 && text[2] == ':' && digit(0) <= 9 && digit(1) <= 9 && digit(3) <= 5 &&
      digit(4) <= 9 && digit(0) * 10 + digit(1) <= 23) {
    return (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4);
  }
  AddProblem(*map.Find(key), map.what + "'s " + Quoted(key) +
                                 " is no time of day; write hours and minutes, as \"21:00\"");
  return std::nullopt;
}

std::vector<std::pair<std::string, YAML::Node>> YamlReader::ByLanguage(const Map& map,
                                                                       std::string_view key) {
  std::vector<std::pair<std::string, YAML::Node>> found;
  const YAML::Node* node = map.Find(key);
  if (node == nullptr || !node->IsMap() || node->size() == 0) {
    AddProblem(PlaceOf(map, key), map.what + " needs " + Quoted(key) + " by language; write \"" +
                                      std::string(key) + ": {en: …, es: …}\"");
    return found;
  }
  for (const auto& member : *node) {
    const std::string language = member.first.IsScalar() ? member.first.Scalar() : std::string();
    if (!IsLanguage(language)) {
      AddProblem(member.first,
                 Quoted(language) + " is no language; write a BCP 47 tag such as \"en\" or \"es\"");
      continue;
    }
    if (std::any_of(found.begin(), found.end(),
                    [&language](const auto& other) { return other.first == language; })) {
      AddProblem(member.first,
                 map.what + " has two texts for " + Quoted(language) + "; leave one out");
      continue;
    }
    found.emplace_back(language, member.second);
  }
  return found;
}

Translated YamlReader::ReadTranslated(const Map& map, std::string_view key,
                                      TranslatedOptions options) {
  Translated translated;
  if (!options.required && map.Find(key) == nullptr) return translated;
  const size_t before = problems_.size();
  for (const auto& [language, node] : ByLanguage(map, key)) {
    const std::string what = map.what + "'s " + Quoted(key);
    std::string text = TextOf(node, what, options.max_characters * 4);
    if (Characters(text) > options.max_characters) {
      AddProblem(node, what + " is too long; at most " + std::to_string(options.max_characters) +
                           " characters, these are " + std::to_string(Characters(text)));
    } else if (!options.lines && HasControl(text)) {
      AddProblem(node, what + " must be on one line, without tabs");
    }
    translated.Set(language, std::move(text));
  }
  if (options.english && problems_.size() == before && !translated.all().contains("en")) {
    AddProblem(PlaceOf(map, key), map.what + "'s " + Quoted(key) +
                                      " has no English text, which is shown where there is no "
                                      "other; add \"en: …\"");
  }
  return translated;
}

}  // namespace hilo::catalogue
