#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/file.h"
#include "state/catalogue/translated.h"
#include "state/types/money.h"
#include "state/types/time.h"

namespace hilo::catalogue {

inline constexpr size_t kMaxNameBytes = 64;
inline constexpr size_t kMaxTextBytes = 500;
inline constexpr size_t kMaxPathBytes = 200;
inline constexpr size_t kMaxListItems = 200;
inline constexpr int64_t kMaxDays = 3'660;

// The text in quotes, cut to kMaxNameBytes.
std::string Quoted(std::string_view text);
// "did you mean "b"? Known here: a, b": what to write for a word that is not among those known.
std::string Instead(std::string_view written, std::span<const std::string_view> known);
std::string Instead(std::string_view written, const std::vector<std::string>& known);
// Lower-case letters, digits, "_", "-" and ".", at most kMaxNameBytes.
bool IsName(std::string_view text);
// Lower-case letters, digits and "_", beginning with a letter: also a word of conditions.
bool IsWord(std::string_view text);
// "90d" → 90 days; nullopt for anything else and beyond kMaxDays.
std::optional<Micros> ParseDuration(std::string_view text);

// Where something stands in a file; lines and columns, in bytes, from 1, 0: the whole file.
struct Place {
  const File* file = nullptr;  // null: the catalogue as a whole
  int line = 0;
  int column = 0;
};
// The place of a byte of a scalar's text, through quotes, folding and indentation. `begin` is where
// the scalar begins.
Place PlaceWithin(Place begin, std::string_view text, size_t offset);

// Reads YAML into values and collects every problem with its place and what to write instead. A
// value that cannot be read has a problem and comes out empty, so that reading goes on.
// **Threads**: thread-compatible.
class YamlReader {
 public:
  // A YAML map whose keys are known ones, each once.
  struct Map {
    std::string what;  // "FactRule return-reason", for messages
    Place place;
    std::map<std::string, YAML::Node, std::less<>> members;
    const YAML::Node* Find(std::string_view key) const {
      const auto found = members.find(key);
      return found == members.end() ? nullptr : &found->second;
    }
  };
  // From here on places are in this file. **Lifetime**: the file outlives the reader.
  void BeginFile(const File& file) { file_ = &file; }
  void AddProblem(Place place, std::string message);
  void AddProblem(const YAML::Node& node, std::string message) {
    AddProblem(PlaceOf(node), std::move(message));
  }
  const std::vector<Problem>& problems() const { return problems_; }
  std::vector<Problem> TakeProblems() { return std::move(problems_); }

  Place PlaceOf(const YAML::Mark& mark) const;
  Place PlaceOf(const YAML::Node& node) const { return PlaceOf(node.Mark()); }
  // Of the value of a key, else of the map.
  Place PlaceOf(const Map& map, std::string_view key) const;

  std::optional<Map> ReadMap(const YAML::Node& node, std::string what,
                             std::span<const std::string_view> known);
  std::optional<Map> ReadMap(const YAML::Node& node, std::string what,
                             std::initializer_list<std::string_view> known) {
    return ReadMap(node, std::move(what),
                   std::span<const std::string_view>(known.begin(), known.size()));
  }
  // The map below a key; nullopt without a problem when the key is absent.
  std::optional<Map> SubMap(const Map& map, std::string_view key,
                            std::initializer_list<std::string_view> known);
  // The list below a key, each item with what it is called; empty when the key is absent.
  std::vector<YAML::Node> Items(const Map& map, std::string_view key, std::string_view example);

  // A scalar's text; "" with a problem when it is required and missing.
  std::string Text(const Map& map, std::string_view key, bool required,
                   size_t max_bytes = kMaxTextBytes);
  std::string TextOf(const YAML::Node& node, const std::string& what, size_t max_bytes);
  // One text or a list of them.
  std::vector<std::string> Texts(const Map& map, std::string_view key, bool required,
                                 size_t max_bytes);
  // The same, ascending; a repeated one is a problem.
  std::vector<std::string> Names(const Map& map, std::string_view key);
  // A text out of a closed set.
  std::string Word(const Map& map, std::string_view key, bool required,
                   std::span<const std::string_view> known);
  // Several of them, ascending; a repeated one is a problem.
  std::vector<std::string> Words(const Map& map, std::string_view key, bool required,
                                 std::span<const std::string_view> known);
  // A path of a detail.
  std::string Path(const Map& map, std::string_view key, bool required);
  std::vector<std::string> Paths(const Map& map, std::string_view key, bool required);
  // 0 when the key is absent.
  Micros Duration(const Map& map, std::string_view key);
  uint32_t Number(const Map& map, std::string_view key, uint32_t least, uint32_t most,
                  uint32_t otherwise);
  bool Flag(const Map& map, std::string_view key, bool otherwise);
  // "12.50 EUR"; nullopt when the key is absent or wrong.
  std::optional<Money> Amount(const Map& map, std::string_view key, bool required);
  // "21:00" as minutes of the day.
  std::optional<uint32_t> MinuteOfDay(const Map& map, std::string_view key);
  // Texts by language. Without `required` none at all is fine.
  struct TranslatedOptions {
    bool required = true;
    bool english = true;  // English must be among them
    bool lines = false;   // may have several lines
    size_t max_characters = kMaxTextBytes;
  };
  Translated ReadTranslated(const Map& map, std::string_view key, TranslatedOptions options);
  // The keys below a key, which must be languages; at least one.
  std::vector<std::pair<std::string, YAML::Node>> ByLanguage(const Map& map, std::string_view key);

 private:
  void CheckPath(const YAML::Node& node, std::string_view path);
  std::vector<std::string> Sorted(const Map& map, std::string_view key,
                                  std::vector<std::string> texts);

  std::vector<Problem> problems_;
  const File* file_ = nullptr;  // being read
};

}  // namespace hilo::catalogue
