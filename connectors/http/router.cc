#include "connectors/http/router.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ops/base/check.h"

namespace hilo::http {
namespace {

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// HEAD is answered by GET's handler, so whoever allows GET allows both.
void AddMethods(const auto& methods, std::set<std::string, std::less<>>& allowed) {
  for (const auto& [method, route] : methods) {
    allowed.insert(method);
    if (method == "GET") allowed.insert("HEAD");
  }
}

std::string Join(const std::set<std::string, std::less<>>& methods) {
  std::string text;
  for (const std::string& method : methods) {
    if (!text.empty()) text += ", ";
    text += method;
  }
  return text;
}

}  // namespace

void Router::Add(std::string_view method, std::string_view pattern, RouteOptions options,
                 Handler handler) {
  HILO_CHECK(!method.empty() && handler, "a route has a method and a handler");
  HILO_CHECK(!pattern.empty() && pattern.front() == '/', "a pattern begins with a slash");
  auto [position, added] = FindOrAdd(pattern).methods.try_emplace(
      std::string(method), Route{std::move(options), std::move(handler)});
  HILO_CHECK(added, "each method of a pattern is added once");
}

Router::Pattern& Router::FindOrAdd(std::string_view pattern) {
  const bool prefix = pattern.ends_with("/*");
  const bool parameters = pattern.find('{') != std::string_view::npos;
  HILO_CHECK(!(prefix && parameters), "a pattern has parameters or is a prefix, not both");
  if (!prefix && !parameters) {
    std::unique_ptr<Pattern>& slot = exact_[std::string(pattern)];
    if (!slot) slot = std::make_unique<Pattern>(Pattern{std::string(pattern), {}, {}});
    return *slot;
  }
  auto& patterns = prefix ? prefixes_ : parameterised_;
  for (const std::unique_ptr<Pattern>& known : patterns) {
    if (known->text == pattern) return *known;
  }
  auto added = std::make_unique<Pattern>();
  added->text = pattern;
  if (parameters) {
    for (const std::string_view segment : Segments(pattern)) {
      HILO_CHECK(IsParameter(segment) || segment.find_first_of("{}") == std::string_view::npos,
                 "a parameter is a whole segment");
      added->segments.emplace_back(segment);
    }
  }
  Pattern& result = *added;
  patterns.push_back(std::move(added));
  if (prefix) {
    std::stable_sort(patterns.begin(), patterns.end(),
                     [](const auto& a, const auto& b) { return a->text.size() > b->text.size(); });
  }
  return result;
}

const Router::Pattern* Router::Resolve(std::string_view path,
                                       std::vector<Request::Pair>& parameters) const {
  if (const auto exact = exact_.find(std::string(path)); exact != exact_.end()) {
    return exact->second.get();
  }
  if (!parameterised_.empty()) {
    const std::vector<std::string_view> segments = Segments(path);
    for (const std::unique_ptr<Pattern>& pattern : parameterised_) {
      if (pattern->segments.size() != segments.size()) continue;
      parameters.clear();
      bool matches = true;
      for (size_t i = 0; matches && i < segments.size(); ++i) {
        const std::string& wanted = pattern->segments[i];
        if (!IsParameter(wanted)) {
          matches = wanted == segments[i];
        } else if (segments[i].empty()) {
          matches = false;
        } else {
          parameters.push_back({wanted.substr(1, wanted.size() - 2), std::string(segments[i])});
        }
      }
      if (matches) return pattern.get();
    }
    parameters.clear();
  }
  for (const std::unique_ptr<Pattern>& pattern : prefixes_) {
    const std::string_view prefix =
        std::string_view(pattern->text).substr(0, pattern->text.size() - 1);
    if (path.starts_with(prefix)) {
      parameters.push_back({"*", std::string(path.substr(prefix.size()))});
      return pattern.get();
    }
  }
  return nullptr;
}

std::string Router::AllMethods() const {
  std::set<std::string, std::less<>> allowed;
  for (const auto& [path, pattern] : exact_) AddMethods(pattern->methods, allowed);
  for (const auto& pattern : parameterised_) AddMethods(pattern->methods, allowed);
  for (const auto& pattern : prefixes_) AddMethods(pattern->methods, allowed);
  return Join(allowed);
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  const Pattern* pattern = Resolve(path, match.parameters);
  if (pattern == nullptr) return match;
  match.pattern = pattern->text;
  auto route = pattern->methods.find(method);
  if (route == pattern->methods.end() && method == "HEAD") route = pattern->methods.find("GET");
  if (route != pattern->methods.end()) {
    match.route = &route->second;
  } else {
    std::set<std::string, std::less<>> allowed;
    AddMethods(pattern->methods, allowed);
    match.allow = Join(allowed);
  }
  return match;
}

}  // namespace hilo::http
