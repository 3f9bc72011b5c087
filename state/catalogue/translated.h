#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace hilo::catalogue {

// Text by language ("en", "es"), as agents read it.
class Translated {
 public:
  void Set(std::string language, std::string text) {
    by_language_[std::move(language)] = std::move(text);
  }
  // The text for a BCP 47 tag: its language, else English, else whichever there is; "" when there
  // is none.
  std::string_view In(std::string_view language) const;
  bool empty() const { return by_language_.empty(); }
  const std::map<std::string, std::string, std::less<>>& all() const { return by_language_; }

 private:
  std::map<std::string, std::string, std::less<>> by_language_;
};

}  // namespace hilo::catalogue
