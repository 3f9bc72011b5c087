#include "tests/mail_sink/plan.h"

#include <map>
#include <optional>
#include <sstream>

namespace hilo::mail_sink {
namespace {

const std::map<std::string, Point, std::less<>>& Points() {
  static const std::map<std::string, Point, std::less<>> points = {
      {"connect", Point::kConnect}, {"ehlo", Point::kEhlo},      {"starttls", Point::kStartTls},
      {"auth", Point::kAuth},       {"mail", Point::kMail},      {"rcpt", Point::kRcpt},
      {"data", Point::kData},       {"in_data", Point::kInData}, {"dot", Point::kDot},
      {"taken", Point::kTaken},     {"replied", Point::kReplied}};
  return points;
}

const std::map<std::string, Action, std::less<>>& Actions() {
  static const std::map<std::string, Action, std::less<>> actions = {
      {"reply", Action::kReply},   {"cut", Action::kCut},       {"silent", Action::kSilent},
      {"drip", Action::kDrip},     {"flood", Action::kFlood},   {"bare_lf", Action::kBareLf},
      {"inject", Action::kInject}, {"bad_tls", Action::kBadTls}};
  return actions;
}

std::optional<int> Count(const std::string& digits) {
  if (digits.empty() || digits.size() > 6 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoi(digits);
}

// "rcpt to=bob@ after=1 reply 550 no"; false when it is not understood.
bool ReadRule(std::istringstream& words, Rule& rule) {
  std::string word;
  if (!(words >> word)) return false;
  const auto point = Points().find(word);
  if (point == Points().end()) return false;
  rule.point = point->second;
  while (words >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) break;
    const std::string name = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (name == "to") {
      rule.recipient = value;
    } else if (const auto count = Count(value); count && (name == "after" || name == "times")) {
      (name == "after" ? rule.after : rule.times) = *count;
    } else {
      return false;
    }
  }
  const auto action = Actions().find(word);
  if (action == Actions().end()) return false;
  rule.action = action->second;
  std::getline(words >> std::ws, rule.text);
  for (size_t bar; (bar = rule.text.find('|')) != std::string::npos;)
    rule.text.replace(bar, 1, "\r\n");
  return rule.text.empty() != (rule.action == Action::kReply);
}

}  // namespace

StatusOr<Plan> ParsePlan(std::string_view text) {
  Plan plan;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string order;
    if (!(words >> order)) continue;
    Rule rule;
    std::string keyword;
    if (order == "without" && words >> keyword) {
      plan.without.insert(keyword);
    } else if (order == "at" && ReadRule(words, rule)) {
      plan.rules.push_back(rule);
    } else {
      return Error(StatusCode::kInvalidArgument, "plan_invalid",
                   "line " + std::to_string(number) + " of the plan is not understood");
    }
  }
  return plan;
}

}  // namespace hilo::mail_sink
