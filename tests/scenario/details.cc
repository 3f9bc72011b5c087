#include "tests/scenario/details.h"

#include "connectors/kit/text.h"

namespace hilo::scenario {
namespace {

// A JSON number without exponent; "007" and "+34600111222" are texts.
bool IsNumber(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  const std::string_view whole = text.substr(0, text.find('.'));
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return false;
  const std::string_view digits = "0123456789";
  if (whole.find_first_not_of(digits) != std::string_view::npos) return false;
  if (whole.size() == text.size()) return true;
  const std::string_view part = text.substr(whole.size() + 1);
  return !part.empty() && part.find_first_not_of(digits) == std::string_view::npos;
}

}  // namespace

void Details::Put(std::string_view path, const Token& value) {
  const bool literal =
      !value.quoted && (IsNumber(value.text) || value.text == "true" || value.text == "false");
  At(path).literal_ = literal ? value.text : kit::JsonString(value.text);
}

void Details::PutText(std::string_view path, std::string_view text) {
  At(path).literal_ = kit::JsonString(text);
}

Details& Details::At(std::string_view path) {
  const size_t dot = path.find('.');
  Details& member = members_[std::string(path.substr(0, dot))];
  return dot == std::string_view::npos ? member : member.At(path.substr(dot + 1));
}

std::string Details::Json() const {
  if (!literal_.empty()) return literal_;
  std::string json;
  for (const auto& [name, member] : members_)
    json += (json.empty() ? "" : ",") + kit::JsonString(name) + ':' + member.Json();
  return '{' + json + '}';
}

}  // namespace hilo::scenario
