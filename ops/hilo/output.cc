#include "ops/hilo/output.h"

#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <ctime>
#include <string_view>

namespace hilo::cli {
namespace {

void Heading(const std::string& text, const Output& output) {
  std::printf(output.color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text.c_str());
}

std::string MoneyText(const v1::Money& money) {
  // Shown in minor units, exact, so that no currency's digits are guessed here.
  return std::to_string(money.minor()) + " " + money.currency() + " (minor units)";
}

}  // namespace

void PrintJson(const google::protobuf::Message& message) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json).ok()) json = "{}";
  std::printf("%s\n", json.c_str());
  std::fflush(stdout);
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "-";
  const std::time_t seconds = time.seconds();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string Clean(const std::string& text) {
  std::string clean;
  for (const char c : text) clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return clean;
}

std::string Word(const std::string& enum_name) {
  std::string_view rest = enum_name;
  for (const std::string_view prefix :
       {"IDENTIFIER_KIND_", "CHANNEL_", "INTERACTION_STATE_", "ASSURANCE_", "PROMISE_STATE_",
        "CASE_STATE_", "MESSAGE_STATE_", "DECISION_STAGE_"}) {
    if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
  }
  std::string word;
  for (const char c : rest) word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return word;
}

void PrintCustomer(const v1::Customer& customer, const Output& output) {
  std::printf("%s  %s\n", customer.name().c_str(), Clean(customer.display_name()).c_str());
  for (const v1::KnownIdentifier& known : customer.identifiers()) {
    std::printf("  %-12s %s\n", Word(v1::IdentifierKind_Name(known.identifier().kind())).c_str(),
                Clean(known.identifier().value()).c_str());
  }
}

void PrintEntry(const v1::TimelineEntry& entry) {
  std::printf("%s  %-7s %-22s %s\n", TimeText(entry.event_time()).c_str(),
              Word(v1::Channel_Name(entry.channel())).c_str(), entry.type().c_str(),
              Clean(entry.title()).c_str());
  for (const v1::Property& property : entry.properties()) {
    std::printf("%30s%s: %s\n", "", property.property().c_str(), Clean(property.value()).c_str());
  }
}

void PrintContext(const v1::Context& context, const Output& output) {
  PrintCustomer(context.customer(), output);
  if (!context.interactions().empty()) Heading("Interactions", output);
  for (const v1::Interaction& interaction : context.interactions()) {
    std::printf("%s  %-7s %-8s assurance %s %s\n", TimeText(interaction.start_time()).c_str(),
                Word(v1::Channel_Name(interaction.channel())).c_str(),
                Word(v1::InteractionState_Name(interaction.state())).c_str(),
                Word(v1::Assurance_Name(interaction.assurance())).c_str(),
                interaction.agent().c_str());
  }
  if (!context.facts().empty()) Heading("Already told us", output);
  for (const v1::Fact& fact : context.facts()) {
    std::printf("%s  %-7s %s: %s\n", TimeText(fact.event_time()).c_str(),
                Word(v1::Channel_Name(fact.channel())).c_str(), fact.kind().c_str(),
                Clean(fact.value()).c_str());
  }
  if (!context.promises().empty()) Heading("Promised", output);
  for (const v1::Promise& promise : context.promises()) {
    std::printf("due %s  %-9s %s\n", TimeText(promise.due_time()).c_str(),
                Word(v1::PromiseState_Name(promise.state())).c_str(),
                Clean(promise.text()).c_str());
  }
  if (!context.cases().empty()) Heading("Cases", output);
  for (const v1::Case& c : context.cases()) {
    std::printf("%s  %-6s %s: %s\n", TimeText(c.open_time()).c_str(),
                Word(v1::CaseState_Name(c.state())).c_str(), c.kind().c_str(),
                Clean(c.title()).c_str());
  }
  if (!context.purchases().empty()) Heading("Purchases", output);
  for (const v1::PurchaseSummary& purchase : context.purchases()) {
    std::printf("%lld orders on %lld days, total %s, last %s\n",
                static_cast<long long>(purchase.orders()), static_cast<long long>(purchase.days()),
                MoneyText(purchase.total()).c_str(), TimeText(purchase.last_time()).c_str());
  }
  if (!context.timeline().empty()) Heading("Timeline", output);
  for (const v1::TimelineEntry& entry : context.timeline()) PrintEntry(entry);
}

}  // namespace hilo::cli
