// The command line: speaks only gRPC. Data goes to stdout, talk to stderr.
#include <google/protobuf/util/json_util.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/desk_service.pb.h"
#include "hilo/v1/event_service.pb.h"
#include "hilo/v1/operations_service.pb.h"
#include "ops/hilo/catalogue_commands.h"
#include "ops/hilo/decision_commands.h"
#include "ops/hilo/session.h"

namespace hilo::cli {
namespace {

constexpr int kWrongUse = 2;

Status Connect(Session& session) {
  if (!session.token_file.empty()) {
    std::ifstream file(session.token_file);
    if (!file)
      return Error(StatusCode::kNotFound, "token_file_missing",
                   "'" + session.token_file + "' cannot be read");
    std::getline(file, session.client_options.token);
  } else if (const char* token = std::getenv("HILO_TOKEN")) {
    session.client_options.token = token;
  }
  session.client = Client::Create(session.client_options);
  return OkStatus();
}

// `kind=value` pairs that name a person.
struct IdentifierOptions {
  std::string email;
  std::string phone;
  std::string user_id;
  std::string anonymous_id;
  void AddTo(CLI::App* app) {
    app->add_option("--email", email, "An e-mail address");
    app->add_option("--phone", phone, "A telephone number, +34600111222");
    app->add_option("--user-id", user_id, "The id of an account");
    app->add_option("--anonymous-id", anonymous_id, "A browser's id");
  }
  std::vector<v1::Identifier> All() const {
    std::vector<v1::Identifier> all;
    for (const auto& [kind, value] : {std::pair{v1::IDENTIFIER_KIND_USER_ID, &user_id},
                                      std::pair{v1::IDENTIFIER_KIND_EMAIL, &email},
                                      std::pair{v1::IDENTIFIER_KIND_PHONE, &phone},
                                      std::pair{v1::IDENTIFIER_KIND_ANONYMOUS_ID, &anonymous_id}}) {
      if (value->empty()) continue;
      all.emplace_back().set_kind(kind);
      all.back().set_value(*value);
    }
    return all;
  }
};

// ----------------------------------------------------------------------------------------------
// event
void AddEventCommands(CLI::App& root, Action* chosen) {
  CLI::App* event = root.add_subcommand("event", "Events")->require_subcommand(1);
  CLI::App* send = event->add_subcommand(
      "send",
      "Send one event\n\nExample:\n  hilo event send --type order.placed --channel web "
      "--email ana@example.com --property order_id=1042");
  auto options = std::make_shared<IdentifierOptions>();
  auto type = std::make_shared<std::string>();
  auto id = std::make_shared<std::string>();
  auto channel = std::make_shared<std::string>("system");
  auto properties = std::make_shared<std::vector<std::string>>();
  options->AddTo(send);
  send->add_option("--type", *type, "Event type, such as order.placed")->required();
  send->add_option("--id", *id,
                   "Your own id of the event; the same id has one effect (default: a new one)");
  send->add_option("--channel", *channel, "web, email, sms, call or system")
      ->check(CLI::IsMember({"web", "email", "sms", "call", "system"}));
  send->add_option("--property", *properties, "name=value, may be repeated");
  Run(send, chosen, [=](Session& session) {
    v1::SendEventRequest request;
    v1::IncomingEvent* incoming = request.mutable_event();
    incoming->set_id(id->empty() ? NewRequestId() : *id);
    incoming->set_type(*type);
    std::string name = "CHANNEL_" + *channel;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    v1::Channel value = v1::CHANNEL_UNSPECIFIED;
    v1::Channel_Parse(name, &value);
    incoming->set_channel(value);
    for (const v1::Identifier& identifier : options->All())
      *incoming->add_identifiers() = identifier;
    for (const std::string& property : *properties) {
      const size_t equals = property.find('=');
      if (equals == std::string::npos) {
        std::fprintf(stderr, "hilo: --property takes name=value\n");
        return kWrongUse;
      }
      (*incoming->mutable_properties()->mutable_fields())[property.substr(0, equals)]
          .set_string_value(property.substr(equals + 1));
    }
    v1::SendEventResponse response;
    const Status status =
        session.client->Call("/hilo.v1.EventService/SendEvent", request, &response);
    if (status.ok()) {
      Show(session, response,
           [](const auto& sent) { std::printf("%s\n", sent.event_id().c_str()); });
    }
    return Report(status);
  });
}

// ----------------------------------------------------------------------------------------------
// customer
void AddFind(CLI::App& customer, Action* chosen) {
  CLI::App* find =
      customer.add_subcommand("find",
                              "Find customers by an identifier or a group\n\nExample:\n  hilo "
                              "customer find --phone +34600111222");
  auto options = std::make_shared<IdentifierOptions>();
  auto group = std::make_shared<std::string>();
  options->AddTo(find);
  find->add_option("--group", *group, "kind:id, such as loyalty_card:8841");
  Run(find, chosen, [=](Session& session) {
    v1::FindCustomersRequest request;
    const auto identifiers = options->All();
    if (identifiers.size() + (group->empty() ? 0 : 1) != 1) {
      std::fprintf(stderr, "hilo: give exactly one identifier or --group\n");
      return kWrongUse;
    }
    if (group->empty()) {
      *request.mutable_identifier() = identifiers.front();
    } else {
      const size_t colon = group->find(':');
      request.mutable_group()->set_kind(group->substr(0, colon));
      request.mutable_group()->set_id(colon == std::string::npos ? "" : group->substr(colon + 1));
    }
    v1::FindCustomersResponse response;
    do {
      request.set_page_token(response.next_page_token());
      response.Clear();
      const Status status =
          session.client->Call("/hilo.v1.CustomerService/FindCustomers", request, &response);
      if (!status.ok()) return Report(status);
      Show(session, response, [&](const auto& found) {
        for (const auto& one : found.customers()) PrintCustomer(one.customer(), session.output);
      });
      if (response.customers().empty() && request.page_token().empty()) {
        if (!session.output.quiet) std::fprintf(stderr, "nobody is known by that\n");
        return 3;
      }
    } while (!response.next_page_token().empty());
    return 0;
  });
}

void AddCustomerCommands(CLI::App& root, Action* chosen) {
  CLI::App* customer = root.add_subcommand("customer", "Customers")->require_subcommand(1);
  AddFind(*customer, chosen);

  CLI::App* context = customer->add_subcommand("context", "Everything about one customer");
  auto name = std::make_shared<std::string>();
  context->add_option("customer", *name, "customers/{id}")->required();
  Run(context, chosen, [=](Session& session) {
    v1::GetContextRequest request;
    request.set_customer(*name);
    v1::GetContextResponse response;
    const Status status =
        session.client->Call("/hilo.v1.CustomerService/GetContext", request, &response);
    if (status.ok()) {
      Show(session, response,
           [&](const auto& answer) { PrintContext(answer.context(), session.output); });
    }
    return Report(status);
  });

  CLI::App* watch = customer->add_subcommand(
      "watch", "Show what happens to customers, and calls at you, as it happens (Ctrl-C ends)");
  auto names = std::make_shared<std::vector<std::string>>();
  watch->add_option("customers", *names, "customers/{id}, at most 16");
  Run(watch, chosen, [=](Session& session) {
    v1::WatchDesktopRequest request;
    for (const std::string& one : *names) request.add_customers(one);
    v1::WatchDesktopResponse message;
    const Status status =
        session.client->Stream("/hilo.v1.DeskService/WatchDesktop", request, &message, [&] {
          if (session.output.json) {
            PrintJson(message);
            return true;
          }
          for (const auto& entry : message.change().context().timeline()) PrintEntry(entry);
          if (message.has_snapshot()) {
            for (const auto& one : message.snapshot().contexts()) PrintContext(one, session.output);
          }
          if (message.has_call()) {
            std::printf("call %s at %s: %s\n",
                        Word(v1::InteractionState_Name(message.call().call().interaction().state()))
                            .c_str(),
                        message.call().call().interaction().agent().c_str(),
                        Clean(message.call().call().customer().display_name()).c_str());
          }
          std::fflush(stdout);
          return true;
        });
    return Report(status);
  });
}

// ----------------------------------------------------------------------------------------------
// dead letters
void AddDeadLetterCommands(CLI::App& root, Action* chosen) {
  CLI::App* letters =
      root.add_subcommand("dead-letters", "Records that were refused")->require_subcommand(1);
  CLI::App* list = letters->add_subcommand("list", "Newest first");
  auto reason = std::make_shared<std::string>();
  auto limit = std::make_shared<int>(20);
  list->add_option("--reason", *reason, "Only this reason");
  list->add_option("--limit", *limit, "How many (default 20)");
  Run(list, chosen, [=](Session& session) {
    v1::ListDeadLettersRequest request;
    request.set_reason(*reason);
    request.set_page_size(*limit);
    v1::ListDeadLettersResponse response;
    const Status status =
        session.client->Call("/hilo.v1.OperationsService/ListDeadLetters", request, &response);
    if (status.ok()) {
      Show(session, response, [](const auto& answer) {
        for (const auto& letter : answer.dead_letters()) {
          std::printf("%-20s %s  %-22s %s  %s\n", letter.name().c_str(),
                      TimeText(letter.append_time()).c_str(), letter.reason().c_str(),
                      letter.position().c_str(), letter.message().c_str());
        }
      });
    }
    return Report(status);
  });
  CLI::App* replay = letters->add_subcommand("replay", "Append the original record again");
  auto names = std::make_shared<std::vector<std::string>>();
  auto dry_run = std::make_shared<bool>(false);
  replay->add_option("names", *names, "deadLetters/{offset}, one or more")->required();
  replay->add_flag("--dry-run", *dry_run, "Only check that they can be replayed");
  Run(replay, chosen, [=](Session& session) {
    for (const std::string& name : *names) {
      v1::ReplayDeadLetterRequest request;
      request.set_name(name);
      request.set_validate_only(*dry_run);
      if (!*dry_run) request.set_request_id(NewRequestId());
      v1::ReplayDeadLetterResponse response;
      const Status status =
          session.client->Call("/hilo.v1.OperationsService/ReplayDeadLetter", request, &response);
      if (!status.ok()) return Report(status);
      Show(session, response, [&](const auto& answer) {
        std::printf("%s → %s\n", name.c_str(),
                    *dry_run ? "would be replayed" : answer.position().c_str());
      });
    }
    return 0;
  });
}

// ----------------------------------------------------------------------------------------------
// log, state, partitions
struct Place {
  std::string topic = "events";
  int32_t partition = 0;
  int32_t limit = 20;
  bool raw = false;
  void AddTo(CLI::App* app) {
    app->add_option("--topic", topic, "events, customers or dead-letters");
    app->add_option("--partition", partition, "From 0");
    app->add_option("--limit", limit, "How many (default 20)");
  }
};

void AddInspectionCommands(CLI::App& root, Action* chosen) {
  CLI::App* log = root.add_subcommand("log", "The log")->require_subcommand(1);
  CLI::App* read =
      log->add_subcommand("read", "Records of a partition; what is sealed stays sealed");
  auto place = std::make_shared<Place>();
  auto from = std::make_shared<int64_t>(0);
  place->AddTo(read);
  read->add_flag("--raw", place->raw, "With --json: also the bytes as they lie in the log");
  read->add_option("--from", *from, "First offset");
  Run(read, chosen, [=](Session& session) {
    v1::ListRecordsRequest request;
    request.set_topic(place->topic);
    request.set_partition(place->partition);
    request.set_offset(*from);
    request.set_page_size(place->limit);
    request.set_raw(place->raw);
    v1::ListRecordsResponse response;
    const Status status =
        session.client->Call("/hilo.v1.OperationsService/ListRecords", request, &response);
    if (status.ok()) {
      Show(session, response, [](const auto& answer) {
        for (const auto& record : answer.records()) {
          std::printf("%lld  %s  %s  %s\n  %s\n", static_cast<long long>(record.offset()),
                      TimeText(record.append_time()).c_str(), record.kind().c_str(),
                      record.lane().c_str(), record.content().c_str());
        }
      });
    }
    return Report(status);
  });

  CLI::App* state = root.add_subcommand("state", "The state")->require_subcommand(1);
  CLI::App* rows =
      state->add_subcommand("rows", "Rows of a partition; what is sealed stays sealed");
  auto where = std::make_shared<Place>();
  auto table = std::make_shared<std::string>();
  where->AddTo(rows);
  rows->add_flag("--raw", where->raw, "With --json: also the bytes as they lie in the store");
  rows->add_option("--table", *table, "Such as member, identifier, meta");
  Run(rows, chosen, [=](Session& session) {
    v1::ListRowsRequest request;
    request.set_topic(where->topic);
    request.set_partition(where->partition);
    request.set_table(*table);
    request.set_page_size(where->limit);
    request.set_raw(where->raw);
    v1::ListRowsResponse response;
    const Status status =
        session.client->Call("/hilo.v1.OperationsService/ListRows", request, &response);
    if (status.ok()) {
      Show(session, response, [](const auto& answer) {
        for (const auto& row : answer.rows()) {
          std::printf("%s %s\n  %s\n", row.table().c_str(), row.key().c_str(),
                      row.content().c_str());
        }
      });
    }
    return Report(status);
  });

  CLI::App* partitions =
      root.add_subcommand("partitions", "Where folding stands")->require_subcommand(1);
  Run(partitions->add_subcommand("list", "All partitions"), chosen, [](Session& session) {
    v1::ListPartitionsResponse response;
    const Status status = session.client->Call("/hilo.v1.OperationsService/ListPartitions",
                                               v1::ListPartitionsRequest(), &response);
    if (status.ok()) {
      Show(session, response, [](const auto& answer) {
        for (const auto& one : answer.partitions()) {
          std::printf(
              "%s/%d  position %lld of %lld  log time %s  digest %s  outbox %lld B%s%s%s\n",
              one.topic().c_str(), one.partition(), static_cast<long long>(one.position()),
              static_cast<long long>(one.end()), TimeText(one.log_time()).c_str(),
              one.state_digest().c_str(), static_cast<long long>(one.outbox_bytes()),
              one.closed() ? "  CLOSED" : "",
              one.stopped_reason().empty() ? "" : "  STOPPED: ", one.stopped_reason().c_str());
        }
      });
    }
    return Report(status);
  });
  CLI::App* accept = partitions->add_subcommand(
      "accept-time", "Accept the gap between clocks that closed a partition");
  auto gap = std::make_shared<int64_t>(0);
  auto closed = std::make_shared<Place>();
  closed->AddTo(accept);
  accept->add_option("--gap", *gap, "As 'partitions list --json' shows it")->required();
  Run(accept, chosen, [=](Session& session) {
    v1::AcceptTimeRequest request;
    request.set_topic(closed->topic);
    request.set_partition(closed->partition);
    request.set_gap(*gap);
    request.set_request_id(NewRequestId());
    v1::AcceptTimeResponse response;
    return Report(
        session.client->Call("/hilo.v1.OperationsService/AcceptTime", request, &response));
  });
  CLI::App* skip = partitions->add_subcommand(
      "skip-record",
      "Make a dead letter of the record at which a partition stopped (record_crashes); start hilod "
      "again after it");
  auto offset = std::make_shared<int64_t>(0);
  auto stopped = std::make_shared<Place>();
  stopped->AddTo(skip);
  skip->add_option("--offset", *offset, "The position as 'partitions list' shows it")->required();
  Run(skip, chosen, [=](Session& session) {
    v1::SkipRecordRequest request;
    request.set_topic(stopped->topic);
    request.set_partition(stopped->partition);
    request.set_offset(*offset);
    request.set_request_id(NewRequestId());
    v1::SkipRecordResponse response;
    return Report(
        session.client->Call("/hilo.v1.OperationsService/SkipRecord", request, &response));
  });
}

int Main(int argc, char** argv) {
  Session session;
  CLI::App root{
      "hilo: the command line of the Hilo hub\n\nExamples:\n"
      "  hilo customer find --phone +34600111222\n"
      "  hilo customer context customers/0123…\n"
      "  hilo dead-letters list --json\n"};
  root.set_version_flag("--version", "hilo 0.1.0");
  root.require_subcommand(1);
  root.fallthrough();  // global options may stand anywhere
  root.add_option("--server", session.client_options.server, "host:port of gRPC")
      ->envname("HILO_SERVER")
      ->capture_default_str();
  root.add_option("--token-file", session.token_file, "File with your token (else HILO_TOKEN)")
      ->envname("HILO_TOKEN_FILE");
  root.add_option("--ca-file", session.client_options.ca_file,
                  "Certificates to trust; without it the connection is in the clear")
      ->envname("HILO_CA_FILE");
  root.add_option("--timeout", session.client_options.timeout_seconds, "Seconds (default 10)");
  root.add_flag("--json", session.output.json, "Machine-readable output, one document a line");
  root.add_flag("-q,--quiet", session.output.quiet, "No talk");
  bool no_color = false;
  root.add_flag("--no-color", no_color, "No colours");
  Action action;
  AddEventCommands(root, &action);
  AddCustomerCommands(root, &action);
  AddDeadLetterCommands(root, &action);
  AddInspectionCommands(root, &action);
  AddCatalogueCommands(root, &action);
  AddDecisionCommands(root, &action);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : kWrongUse;
  }
  session.output.color = !no_color && std::getenv("NO_COLOR") == nullptr && isatty(1) != 0;
  if (Status connected = Connect(session); !connected.ok()) return Report(connected);

  // Ctrl-C ends a stream; a thread waits for it, so that nothing happens inside a signal handler.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([&session, signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    session.client->Interrupt();
    sigwait(&signals, &signal);
    _exit(128 + signal);
  }).detach();
  const int code = action(session);
  std::fflush(stdout);
  _exit(code);
}

}  // namespace
}  // namespace hilo::cli

int main(int argc, char** argv) { return hilo::cli::Main(argc, argv); }
