#include "ops/hilo/decision_commands.h"

#include <cstdio>
#include <memory>
#include <string>

#include "hilo/v1/decision_service.pb.h"

namespace hilo::cli {
namespace {

struct ExplainOptions {
  std::string name;
  std::string action;
  std::string channel;
  std::string language;
  int64_t revision = 0;
};

void PrintExplanation(const v1::ExplainActionResponse& answer) {
  for (const auto& one : answer.decision().candidates()) {
    const std::string place = one.rank() > 0 ? "rank " + std::to_string(one.rank())
                                             : Word(v1::DecisionStage_Name(one.stage()));
    std::printf("%-24s %-16s %s\n", one.action().c_str(), place.c_str(), Clean(one.why()).c_str());
  }
  for (const auto& condition : answer.conditions()) {
    std::printf("  %-5s %s%s%s\n", condition.value().c_str(), condition.condition().c_str(),
                condition.why().empty() ? "" : "  # ", Clean(condition.why()).c_str());
  }
}

void AddExplain(CLI::App& decision, Action* chosen) {
  CLI::App* explain = decision.add_subcommand(
      "explain", "Why actions are, or are not, offered: now, or as it was in a recorded decision");
  auto options = std::make_shared<ExplainOptions>();
  explain->add_option("name", options->name, "customers/{id} or customers/{id}/decisions/{id}")
      ->required();
  explain->add_option("--action", options->action, "Only this one, with its conditions");
  explain->add_option("--channel", options->channel, "desk, email, … (now only)");
  explain->add_option("--language", options->language, "en, es, …");
  explain->add_option("--revision", options->revision,
                      "Replay a recorded decision under this revision of the catalogue");
  Run(explain, chosen, [=](Session& session) {
    v1::ExplainActionRequest request;
    const bool recorded = options->name.find("/decisions/") != std::string::npos;
    (recorded ? request.mutable_decision() : request.mutable_customer())->assign(options->name);
    request.set_action(options->action);
    request.set_channel(options->channel);
    request.set_language(options->language);
    request.set_catalogue_revision(options->revision);
    v1::ExplainActionResponse response;
    const Status status =
        session.client->Call("/hilo.v1.DecisionService/ExplainAction", request, &response);
    if (status.ok()) Show(session, response, PrintExplanation);
    return Report(status);
  });
}

void AddMessages(CLI::App& message, Action* chosen) {
  CLI::App* list = message.add_subcommand("list", "Messages to a customer, newest first");
  auto customer = std::make_shared<std::string>();
  list->add_option("customer", *customer, "customers/{id}")->required();
  Run(list, chosen, [=](Session& session) {
    v1::ListMessagesRequest request;
    request.set_customer(*customer);
    request.set_page_size(100);
    do {
      v1::ListMessagesResponse response;
      const Status status =
          session.client->Call("/hilo.v1.DecisionService/ListMessages", request, &response);
      if (!status.ok()) return Report(status);
      Show(session, response, [](const auto& answer) {
        for (const auto& one : answer.messages()) {
          std::printf("%s  %-10s %-9s %-20s %s\n", TimeText(one.state_time()).c_str(),
                      Word(v1::MessageState_Name(one.state())).c_str(),
                      Word(v1::Channel_Name(one.channel())).c_str(),
                      one.action().empty() ? "-" : one.action().c_str(), one.reason().c_str());
        }
      });
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return 0;
  });
}

void AddProducts(CLI::App& product, Action* chosen) {
  CLI::App* search = product.add_subcommand("search", "By the beginnings of words");
  auto request = std::make_shared<v1::SearchProductsRequest>();
  auto query = std::make_shared<std::string>();
  search->add_option("words", *query, "Such as \"trail sh\"; none: all");
  Run(search, chosen, [=](Session& session) {
    request->set_query(*query);
    v1::SearchProductsResponse response;
    const Status status =
        session.client->Call("/hilo.v1.DecisionService/SearchProducts", *request, &response);
    if (status.ok()) {
      Show(session, response, [](const auto& answer) {
        for (const auto& one : answer.products()) {
          std::printf("%-20s %10lld %s  %s%s\n", one.product().c_str(),
                      static_cast<long long>(one.price().minor()), one.price().currency().c_str(),
                      one.title().c_str(), one.available() ? "" : "  (not available)");
        }
      });
    }
    return Report(status);
  });
}

}  // namespace

void AddDecisionCommands(CLI::App& root, Action* chosen) {
  AddExplain(*root.add_subcommand("decision", "The next best action")->require_subcommand(1),
             chosen);
  AddMessages(*root.add_subcommand("message", "What was sent, or why not")->require_subcommand(1),
              chosen);
  AddProducts(*root.add_subcommand("product", "What can be bought")->require_subcommand(1), chosen);
}

}  // namespace hilo::cli
