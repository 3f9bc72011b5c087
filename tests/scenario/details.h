#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/scenario/story.h"

namespace hilo::scenario {

// A JSON object put together from a story's fields: a dot in a name makes an object within.
class Details {
 public:
  // What stands unquoted and reads as a number, true or false is one; everything else is a text.
  void Put(std::string_view path, const Token& value);
  void PutText(std::string_view path, std::string_view text);
  bool empty() const { return members_.empty(); }
  std::string Json() const;

 private:
  Details& At(std::string_view path);

  std::string literal_;  // of a value that is no object
  std::map<std::string, Details, std::less<>> members_;
};

}  // namespace hilo::scenario
