#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace hilo::identity {

// The identity order told again with plain sets of persons. It shares no code with the fold:
// identifiers are texts, a person is the set of what is known of them, and everything else is
// worked out from those sets each time.
class Oracle {
 public:
  // "user u1", "weak email info@x": as in world.h.
  struct Name {
    std::string
        kind;  // "0user", "1email", "1phone", "2anon", "2device", "2email": class, then kind
    std::string hash;  // breaks ties
    std::string text;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  struct Person {
    int64_t born = 0;
    std::set<Name> ids;
    std::multiset<std::pair<std::string, int64_t>> new_weak;  // kind and week
    int suggestions = 0;
  };
  struct Told {
    int64_t person = 0;  // by birth
    bool begins = false;
    std::vector<std::tuple<int64_t, std::string>> suggestions;  // the other, why
  };

  // nullopt: refused, because it names two users.
  std::optional<Told> Event(int64_t offset, int64_t week, std::vector<Name> names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (std::count_if(names.begin(), names.end(), IsUser) > 1) return std::nullopt;

    std::vector<Name> open;
    for (const Name& name : names) {
      if (!shared_.contains(name)) open.push_back(name);
    }
    Told told;
    if (open.empty()) {
      const auto [home, fresh] = homes_.try_emplace(names.front(), offset);
      if (fresh) Born(offset);
      told.person = home->second;
      told.begins = fresh;
      return told;
    }

    const int64_t taker = Taker(open);
    told.begins = taker < 0;
    told.person = told.begins ? Born(offset) : taker;
    Person& person = persons_.at(told.person);
    for (const Name& name : open) {
      if (Owner(name) < 0) TakeIn(person, name, week);
    }
    for (const Name& name : open) {
      const int64_t other = Owner(name);
      if (other >= 0 && other != told.person) Meet(told, name, persons_.at(other));
    }
    return told;
  }

  int64_t Owner(const Name& name) const {
    for (const auto& [born, person] : persons_) {
      if (person.ids.contains(name)) return born;
    }
    return -1;
  }
  bool Shared(const Name& name) const { return shared_.contains(name); }
  const std::map<int64_t, Person>& persons() const { return persons_; }
  size_t pairs() const { return pairs_.size(); }

 private:
  static bool IsUser(const Name& name) { return name.kind == "0user"; }
  static bool IsWeak(const Name& name) { return name.kind[0] == '2'; }
  static bool HasUser(const Person& person) {
    return std::any_of(person.ids.begin(), person.ids.end(), IsUser);
  }
  static bool IsKnown(const Person& person) {
    return !std::all_of(person.ids.begin(), person.ids.end(), IsWeak);
  }

  int64_t Born(int64_t offset) {
    persons_[offset].born = offset;
    return offset;
  }

  int64_t Taker(const std::vector<Name>& open) const {
    std::vector<Name> fresh;
    for (const Name& name : open) {
      if (Owner(name) < 0) fresh.push_back(name);
    }
    const bool user = std::any_of(fresh.begin(), fresh.end(), IsUser);
    const bool better = !std::all_of(fresh.begin(), fresh.end(), IsWeak);
    for (const Name& name : open) {
      const int64_t owner = Owner(name);
      if (owner < 0) continue;
      const Person& person = persons_.at(owner);
      const bool second_user = user && HasUser(person);
      const bool carried = better && IsWeak(name) && IsKnown(person);
      if (!second_user && !carried) return owner;
    }
    return -1;
  }

  static void TakeIn(Person& person, const Name& name, int64_t week) {
    if (!IsUser(name) && person.ids.size() >= 50) return;
    if (IsWeak(name)) {
      if (person.new_weak.count({name.kind, week}) >= 5) return;
      person.new_weak.emplace(name.kind, week);
    }
    person.ids.insert(name);
  }

  void Meet(Told& told, const Name& name, Person& other) {
    Person& person = persons_.at(told.person);
    std::string why = HasUser(person) && HasUser(other) ? "strong_conflict" : "identifiers_meet";
    std::set<int64_t>& seen = seen_with_[name];
    if (IsKnown(person)) seen.insert(person.born);
    std::set<int64_t> known = seen;
    if (IsKnown(other)) known.insert(other.born);
    if (IsKnown(person) && IsWeak(name) && known.size() > 1) why = "weak_identifier_shared";
    if (IsWeak(name) ? why == "weak_identifier_shared" : seen.size() > 10) {
      other.ids.erase(name);
      shared_.insert(name);
    }
    const std::pair<int64_t, int64_t> pair = std::minmax(person.born, other.born);
    if (pairs_.contains(pair) || person.suggestions == 50 || other.suggestions == 50) return;
    pairs_.insert(pair);
    ++person.suggestions;
    ++other.suggestions;
    told.suggestions.emplace_back(other.born, why);
  }

  std::map<int64_t, Person> persons_;
  std::set<Name> shared_;
  std::map<Name, int64_t> homes_;
  std::map<Name, std::set<int64_t>> seen_with_;
  std::set<std::pair<int64_t, int64_t>> pairs_;
};

}  // namespace hilo::identity
