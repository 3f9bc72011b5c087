#include "tests/scenario/stage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "connectors/serving/views.h"
#include "hilo/v1/common.pb.h"
#include "state/types/hash.h"
#include "streams/customer/customer_fold.h"
#include "streams/customer/outbound.h"
#include "streams/identity/identity_fold.h"

namespace hilo::scenario {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr uint32_t kPartitions = 4;
// A day like any other: stories tell the time of day only.
constexpr auto kDay = std::chrono::sys_days(std::chrono::year(2026) / 3 / 2);
// How long the hub runs before the first thing happens.
constexpr seconds kBefore{60};
constexpr seconds kWriteDeadline{2};

const log::TopicPartition kEvents{"events", 0};

Status Invalid(const std::string& problem) {
  return Error(StatusCode::kInvalidArgument, "story_invalid", problem);
}

std::vector<log::TopicPartition> CustomerPartitions() {
  std::vector<log::TopicPartition> all;
  for (uint32_t i = 0; i < kPartitions; ++i) all.push_back({"customers", i});
  return all;
}

std::string ValueOf(const std::vector<Token>& fields, std::string_view key,
                    std::string_view otherwise = "") {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const Token& token) { return token.key == key; });
  return found == fields.end() ? std::string(otherwise) : found->text;
}

Status OnlyFields(const std::vector<Token>& fields, const std::set<std::string_view>& known) {
  for (const Token& field : fields) {
    if (known.count(field.key) == 0) return Invalid("\"" + field.key + "=\" is not known here");
  }
  return OkStatus();
}

// UUIDv7 without its randomness, so that a story's records are the same each time.
RequestId RequestIdAt(WallTime now, uint64_t count) {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  std::array<uint8_t, RequestId::kSize> bytes{};
  for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  for (size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<uint8_t>(count >> (8 * i));
  bytes[6] = 0x70;
  bytes[8] = 0x80;
  return RequestId(bytes);
}

// By its word, among the values of an enum that begin with `prefix`; nullopt for none of them.
template <typename Enum, typename Parse>
std::optional<Enum> EnumOf(std::string word, std::string_view prefix, const Parse& parse) {
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  Enum value;
  if (!parse(std::string(prefix) + word, &value)) return std::nullopt;
  return value;
}

}  // namespace

void Stage::Ear::OnAnswer(std::string_view caller, RequestId request,
                          const store::v1::AnswerRow& answer) {
  if (to != nullptr) to->OnAnswer(caller, request, answer);
}
void Stage::Ear::OnFolded(const log::TopicPartition& of, log::Offset position) {
  if (to != nullptr) to->OnFolded(of, position);
}

uint32_t Stage::Shown::CustomerPartitions() const { return kPartitions; }
const store::Store& Stage::Shown::CustomersStore(uint32_t partition) const {
  return driver_.store({"customers", partition});
}
const store::Store& Stage::Shown::IdentityStore() const { return driver_.store(kEvents); }
fold::PartitionView Stage::Shown::View(const log::TopicPartition& of) const {
  return driver_.View(of);
}
std::vector<log::TopicPartition> Stage::Shown::Folded() const {
  std::vector<log::TopicPartition> all = scenario::CustomerPartitions();
  all.insert(all.begin(), kEvents);
  return all;
}

driver::FoldDriver::Options Stage::Folds(WallTime start, const HashKey& id_key,
                                         driver::Refolding folding) {
  std::vector<log::TopicSpec> topics = customer::OutboundTopics(kPartitions);
  topics.push_back({"events", 1});
  topics.push_back({"customers", kPartitions});
  driver::FoldDriver::Options options{
      .topics = std::move(topics), .partitions = {}, .start = start, .folding = folding};
  const std::vector<log::TopicPartition> customers = scenario::CustomerPartitions();
  std::vector<log::TopicPartition> targets = customers;
  targets.push_back({"dead-letters", 0});
  options.partitions.push_back({.of = kEvents, .targets = targets, .make_fold = [id_key] {
                                  return identity::NewIdentityFold(
                                      {.customer_partitions = kPartitions, .id_key = id_key});
                                }});
  for (const log::TopicPartition& of : customers) {
    std::vector<log::TopicPartition> outbound = customer::OutboundTargets(of.partition);
    outbound.push_back({"dead-letters", 0});
    options.partitions.push_back({.of = of, .targets = std::move(outbound), .make_fold = [of] {
                                    return customer::NewCustomerFold(
                                        {.partition = of.partition, .partitions = kPartitions});
                                  }});
  }
  return options;
}

Stage::Stage(const Story& story, WallTime start, driver::Refolding folding)
    : story_(story),
      start_(start),
      midnight_(kDay),
      id_key_(*keys_.IdentifierKey()),
      driver_([&] {
        driver::FoldDriver::Options options = Folds(start, id_key_, folding);
        options.listener = &ear_;
        return options;
      }()),
      sealer_(keys_, registry_),
      shown_(driver_) {}

StatusOr<std::unique_ptr<Stage>> Stage::Create(const Story& story, driver::Refolding folding) {
  seconds first{0};
  for (const Statement& statement : story.statements) {
    if (statement.kind != Statement::Kind::kAt) continue;
    first = statement.at;
    break;
  }
  std::unique_ptr<Stage> stage(new Stage(story, WallTime(kDay) + first - kBefore, folding));
  HILO_RETURN_IF_ERROR(stage->SetUp());
  HILO_RETURN_IF_ERROR(stage->Advance(kBefore));
  return stage;
}

Status Stage::SetUp() {
  Door::Sources sources;
  for (const Statement& statement : story_.statements) {
    if (statement.kind != Statement::Kind::kGiven) continue;
    Sentence sentence(statement);
    const auto wrong = [&](const Status& status) {
      return Invalid(story_.Place(statement) + ": " + Describe(status));
    };
    if (sentence.Take("agent")) {
      desks_[sentence.Word("an agent's name")];
    } else {
      const bool page = sentence.Take("source");
      if (!page && !sentence.Take("switch"))
        return wrong(Invalid("expected given source, switch or agent"));
      kit::KeyedSource source;
      source.source.name = sentence.Word("a name");
      const std::vector<Token> fields = sentence.Fields();
      if (Status known = OnlyFields(fields, {"write_key", "region"}); !known.ok())
        return wrong(known);
      source.key = ValueOf(fields, "write_key");
      source.source.default_region = ValueOf(fields, "region");
      (page ? sources.pages : sources.switches).push_back(std::move(source));
    }
    if (Status finished = sentence.Finish(); !finished.ok()) return wrong(finished);
  }
  HILO_ASSIGN_OR_RETURN(intake_, kit::Intake::Create({.worker = false}, driver_.log(), keys_,
                                                     driver_.clock(), registry_));
  commands_ = command::Commands::Create({.topic = "customers", .partitions = kPartitions},
                                        driver_.log(), driver_.clock(), [this](uint32_t partition) {
                                          return driver_.View({"customers", partition});
                                        });
  ear_.to = commands_.get();
  HILO_ASSIGN_OR_RETURN(door_,
                        Door::Create(std::move(sources), *intake_, driver_.clock(), registry_));
  return OkStatus();
}

std::vector<std::string> Stage::Play() {
  for (const Statement& statement : story_.statements) {
    if (statement.kind == Statement::Kind::kExpect) {
      Expect(statement);
    } else if (statement.kind == Statement::Kind::kAt) {
      TellUnexpected();
      last_ = &statement;
      if (const Status status = Do(statement); !status.ok()) Problem(statement, Describe(status));
    }
  }
  TellUnexpected();
  return std::move(problems_);
}

Status Stage::Do(const Statement& statement) {
  const WallTime when = midnight_ + statement.at;
  if (when > driver_.clock().Wall()) HILO_RETURN_IF_ERROR(Advance(when - driver_.clock().Wall()));
  Sentence sentence(statement);
  const std::string id = story_.name + "-" + std::to_string(statement.line);
  if (sentence.Take("nothing")) return sentence.Finish();
  if (sentence.Take("desk")) {
    HILO_RETURN_IF_ERROR(DoAtDesk(sentence));
    OpenRinging();
    return OkStatus();
  }
  const auto before = Ends();
  StatusOr<std::string> refused = std::string();
  if (sentence.Take("web")) {
    refused = door_->Web(sentence, id);
  } else if (sentence.Take("system")) {
    refused = door_->System(sentence, id);
  } else if (sentence.Take("call")) {
    refused = door_->Call(sentence, id);
  } else {
    return Invalid("expected web, system, call, desk or nothing");
  }
  HILO_RETURN_IF_ERROR(refused.status());
  refused_ = *refused;
  HILO_RETURN_IF_ERROR(Settle(before));
  OpenRinging();
  return OkStatus();
}

Status Stage::DoAtDesk(Sentence& sentence) {
  const std::string agent = sentence.Word("an agent");
  const auto desk = desks_.find(agent);
  if (desk == desks_.end()) return Invalid("nobody gave an agent of this name");
  if (sentence.Take("opens")) {
    if (!sentence.Take("customer") || !sentence.Take("of")) sentence.Fail("expected customer of");
    const Token identifier = sentence.Field("an identifier");
    HILO_RETURN_IF_ERROR(sentence.Finish());
    desk->second.open = FindOne(identifier);
    return desk->second.open ? OkStatus() : Invalid("there is no such customer, or several");
  }
  if (!desk->second.open) return Invalid("no customer is open at this desk");
  const CustomerId customer = *desk->second.open;
  HILO_ASSIGN_OR_RETURN(store::v1::Command command, ReadAnswer(agent, sentence));
  if (!command.has_record_outcome()) {
    HILO_ASSIGN_OR_RETURN(command, ReadWrite(sentence, customer));
  }
  HILO_RETURN_IF_ERROR(sentence.Finish());
  return Write(agent, customer, std::move(command));
}

std::string Stage::Seal(CustomerId customer, std::string_view field, std::string_view text) const {
  if (text.empty()) return "";
  return *sealer_.Seal(*SubjectId::FromBytes(customer.Bytes()), field, text);
}

StatusOr<store::v1::Command> Stage::ReadWrite(Sentence& sentence, CustomerId customer) {
  store::v1::Command command;
  const auto after = [&](std::string_view text) {
    const auto span = ParseDuration(text);
    if (!span) sentence.Fail("expected a span of time such as due=+3d");
    return (driver_.clock().Wall() + span.value_or(seconds(0))).time_since_epoch().count();
  };
  const auto child_id = [](const std::string& name) {
    const auto id = FactId::FromHex(name.substr(name.rfind('/') + 1));
    return id ? std::string(id->Bytes()) : std::string();
  };
  const v1::Context context = ContextOf(customer).value_or(v1::Context());
  if (sentence.Take("note")) {
    const auto fields = sentence.Fields();
    HILO_RETURN_IF_ERROR(OnlyFields(fields, {"text"}));
    command.mutable_add_note()->set_sealed_text(Seal(customer, "note", ValueOf(fields, "text")));
  } else if (sentence.Take("fact")) {
    const auto fields = sentence.Fields();
    HILO_RETURN_IF_ERROR(OnlyFields(fields, {"kind", "value", "expires"}));
    auto* fact = command.mutable_record_fact();
    fact->set_kind(ValueOf(fields, "kind"));
    fact->set_sealed_value(Seal(customer, "fact", ValueOf(fields, "value")));
    fact->set_confidence(100);
    if (const std::string expires = ValueOf(fields, "expires"); !expires.empty())
      fact->set_expire_micros(after(expires));
  } else if (sentence.Take("asks")) {
    command.mutable_ask_question()->set_kind(sentence.Word("a kind of fact"));
  } else if (sentence.Take("promise")) {
    const auto fields = sentence.Fields();
    HILO_RETURN_IF_ERROR(OnlyFields(fields, {"text", "due"}));
    auto* promise = command.mutable_make_promise();
    promise->set_sealed_text(Seal(customer, "promise", ValueOf(fields, "text")));
    promise->set_due_micros(after(ValueOf(fields, "due")));
  } else if (sentence.Take("keeps")) {
    const std::string text = sentence.Word("a promise");
    auto* end = command.mutable_end_promise();
    end->set_state(v1::PROMISE_STATE_KEPT);
    for (const v1::Promise& promise : context.promises()) {
      if (promise.text() == text) end->set_promise(child_id(promise.name()));
    }
  } else if (sentence.Take("case")) {
    const auto fields = sentence.Fields();
    HILO_RETURN_IF_ERROR(OnlyFields(fields, {"kind", "title"}));
    auto* open = command.mutable_open_case();
    open->set_kind(ValueOf(fields, "kind"));
    open->set_sealed_title(Seal(customer, "case", ValueOf(fields, "title")));
  } else if (sentence.Take("closes")) {
    const std::string kind = sentence.Word("a kind of case");
    for (const v1::Case& c : context.cases()) {
      if (c.kind() == kind && c.state() == v1::CASE_STATE_OPEN)
        command.mutable_close_case()->set_case_(child_id(c.name()));
    }
  } else if (sentence.Take("verifies")) {
    const auto fields = sentence.Fields();
    HILO_RETURN_IF_ERROR(OnlyFields(fields, {"method"}));
    command.mutable_verify_interaction()->set_method(ValueOf(fields, "method"));
  } else if (sentence.Take("consent")) {
    const auto fields = sentence.Fields();
    HILO_RETURN_IF_ERROR(OnlyFields(fields, {"purpose", "status", "channel", "mechanism"}));
    auto* signal = command.mutable_record_consent()->mutable_signal();
    signal->set_purpose(ValueOf(fields, "purpose"));
    signal->set_mechanism(ValueOf(fields, "mechanism"));
    const auto status = EnumOf<v1::ConsentStatus>(ValueOf(fields, "status"), "CONSENT_STATUS_",
                                                  v1::ConsentStatus_Parse);
    const std::string word = ValueOf(fields, "channel", "unspecified");
    const auto channel = EnumOf<v1::Channel>(word, "CHANNEL_", v1::Channel_Parse);
    if (!status || !channel) sentence.Fail("expected status=granted or denied, and a channel");
    signal->set_status(static_cast<uint32_t>(status.value_or(v1::CONSENT_STATUS_UNSPECIFIED)));
    signal->set_channel(static_cast<uint32_t>(channel.value_or(v1::CHANNEL_UNSPECIFIED)));
  } else {
    return Invalid(
        "expected opens, note, fact, asks, promise, keeps, case, closes, verifies, consent, "
        "accepts, "
        "declines or snoozes");
  }
  return command;
}

Status Stage::Write(const std::string& agent, CustomerId customer, store::v1::Command command) {
  for (const CallAt& call : CallsAt(agent)) {
    if (call.customer != customer) continue;
    const std::string& name = call.interaction.name();
    const auto id = InteractionId::FromHex(name.substr(name.rfind('/') + 1));
    command.set_interaction(std::string(id->Bytes()));
  }
  if (command.has_verify_interaction())
    command.mutable_verify_interaction()->set_interaction(command.interaction());
  HILO_ASSIGN_OR_RETURN(const store::v1::AnswerRow answer,
                        AskOf(agent, customer, std::move(command)));
  if (answer.code() != 0) refused_ = answer.reason();
  return Follow();
}

StatusOr<store::v1::AnswerRow> Stage::AskOf(const std::string& agent, CustomerId customer,
                                            store::v1::Command command) {
  command.set_customer(std::string(customer.Bytes()));
  command.set_member(std::string(BirthMember(customer).Bytes()));
  command.set_caller(std::string(Bytes(Hash("hilo.caller.", agent))));
  command.set_principal(agent);
  command.set_channel(v1::CHANNEL_DESK);
  return Ask(std::move(command));
}

StatusOr<store::v1::AnswerRow> Stage::Ask(store::v1::Command command) {
  const WallTime now = driver_.clock().Wall();
  command.set_content_hash(std::string(Bytes(Hash(command.SerializeAsString()))));
  command.set_request_id(std::string(RequestIdAt(now, ++requests_).Bytes()));
  command.set_receive_micros(now.time_since_epoch().count());
  std::optional<StatusOr<command::Answered>> answered;
  const auto before = Ends();
  commands_->Send(std::move(command), driver_.clock().Monotonic() + kWriteDeadline,
                  [&](StatusOr<command::Answered> answer) { answered = std::move(answer); });
  HILO_RETURN_IF_ERROR(Record(before));
  if (!answered) return Error(StatusCode::kInternal, "not_answered", "the write got no answer");
  HILO_RETURN_IF_ERROR(answered->status());
  return (*answered)->answer;
}

Status Stage::Advance(microseconds time) {
  tape_.entries.push_back({.advance = time, .to = {}, .record = {}});
  HILO_RETURN_IF_ERROR(driver_.Advance(time));
  return Follow();
}

std::map<log::TopicPartition, log::Offset> Stage::Ends() const {
  std::map<log::TopicPartition, log::Offset> ends;
  for (const log::TopicPartition& of : shown_.Folded()) ends[of] = driver_.View(of).end;
  return ends;
}

Status Stage::Settle(const std::map<log::TopicPartition, log::Offset>& before) {
  HILO_RETURN_IF_ERROR(Record(before));
  return Follow();
}

Status Stage::Record(const std::map<log::TopicPartition, log::Offset>& before) {
  for (const auto& [of, end] : before) {
    HILO_ASSIGN_OR_RETURN(const auto cursor, driver_.log().OpenCursor(of, end));
    while (true) {
      HILO_ASSIGN_OR_RETURN(const auto records, cursor->Read(1'024, std::chrono::milliseconds(0)));
      if (records.empty()) break;
      for (const log::StoredRecord& stored : records)
        tape_.entries.push_back({.advance = {}, .to = of, .record = stored.record});
    }
  }
  HILO_RETURN_IF_ERROR(driver_.Settle());
  const auto letters = driver_.DeadLetters();
  for (; letters_read_ < letters.size(); ++letters_read_)
    letters_.push_back(letters[letters_read_].reason());
  return OkStatus();
}

void Stage::OpenRinging() {
  for (auto& [agent, desk] : desks_) {
    if (desk.open) continue;
    const std::vector<CallAt> calls = CallsAt(agent);
    if (!calls.empty()) desk.open = calls.front().customer;
  }
}

void Stage::Problem(const Statement& statement, const std::string& problem) {
  problems_.push_back(story_.Place(statement) + ": " + statement.source + "\n    " + problem);
}

void Stage::TellUnexpected() {
  if (last_ != nullptr && !refused_.empty()) Problem(*last_, "was refused: " + refused_);
  for (const std::string& letter : letters_) Problem(*last_, "became a dead letter: " + letter);
  refused_.clear();
  letters_.clear();
}

}  // namespace hilo::scenario
