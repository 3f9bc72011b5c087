#include "tests/simulation/outbound_world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/check.h"
#include "state/message/messages.h"
#include "streams/customer/outbound.h"
#include "streams/customer/outbound_reader.h"
#include "streams/customer/reader.h"
#include "tests/simulation/node_clock.h"

namespace hilo::simulation {
namespace {

using log::TopicPartition;
using store::v1::MessageOrder;
using store::v1::MessageRow;
using store::v1::ReportMessage;
using Micros = std::chrono::microseconds;

const TopicPartition kCustomers{"customers", 0};
const TopicPartition kOutbound{"outbound.email", 0};
const TopicPartition kSuppression{"suppression", 0};
const std::vector<std::string> kPeople = {"ana.............", "bob.............",
                                          "cid............."};
constexpr int kNodes = 2;
constexpr int kDispatchers = 3;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kPermit = 8 * kSecond;
constexpr int64_t kGrace = 4 * kSecond;
constexpr int64_t kLimitPeriod = 60 * kSecond;
// Log time may differ from the time at the sink by a step of its clock and the ticks on their way.
constexpr int64_t kLimitSlack = 15 * kSecond;
// Journeys and what they send.
struct Kind {
  std::string_view journey;
  MessageOrder::Class order_class;
};
constexpr Kind kKinds[] = {{"basket", MessageOrder::CLASS_DEFAULT},
                           {"order", MessageOrder::CLASS_TRANSACTIONAL},
                           {"recall", MessageOrder::CLASS_MANDATORY}};

std::string Id16(std::string name) {
  name.resize(16, '.');
  return name;
}

}  // namespace

// Hears what a node tells.
class OutboundWorld::Ear final : public fold::Listener {
 public:
  explicit Ear(OutboundWorld& world) : world_(world) {}
  void OnAnswer(std::string_view, RequestId request, const store::v1::AnswerRow& answer) override {
    world_.OnAnswer(request.Bytes(), answer);
  }

 private:
  OutboundWorld& world_;
};

struct OutboundWorld::Node {
  Node(OutboundWorld& world, const Clock& truth) : clock(truth), ear(world) {}

  NodeClock clock;
  UnsyncedStore store;
  std::unique_ptr<fold::Fold> fold;
  std::unique_ptr<fold::Partition> partition;
  std::unique_ptr<fold::Ticker> ticker;
  Ear ear;
  bool owner = false;
};

struct OutboundWorld::Dispatcher {
  enum class Stage { kIdle, kAsk, kWaitPermit, kSend, kReport, kWaitReport };
  uint64_t incarnation = 0;
  log::Offset position = 0;
  log::Offset stored = 0;  // of what was settled, as its disk has it
  Stage stage = Stage::kIdle;
  store::v1::OutboundMessage message;
  std::string request;       // waited for
  int64_t asked_micros = 0;  // when the permit was first asked for
  int64_t valid_micros = 0;
  ReportMessage report;
};

OutboundWorld::OutboundWorld(uint64_t seed, bool story, Mistake mistake)
    : story_(story),
      mistake_(mistake),
      random_(seed),
      clock_(WallTime(std::chrono::hours(24 * 20'000))) {
  const log::MemoryLogFaults faults{
      .delay = 40, .reorder = 30, .lose = 30, .lose_answer = 30, .arrive_late = 30, .repeat = 30};
  std::vector<log::TopicSpec> topics = customer::OutboundTopics(1);
  topics.push_back({"customers", 1});
  topics.push_back({"dead-letters", 1});
  log_ = std::make_unique<log::MemoryLog>(
      std::move(topics), clock_,
      log::MemoryLog::Options{.mode = log::MemoryLog::Mode::kManual, .seed = random_()});
  progress_ = fold::NewLocalProgress();
  limit_ = static_cast<uint32_t>(1 + Below(2));
  for (int i = 0; i < kNodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(*this, clock_));
    nodes_.back()->owner = i == 0 || Chance(500);
    HILO_CHECK(Open(*nodes_.back()).ok(), "an empty store over an empty log opens");
  }
  Introduce();
  log_->SetFaults(faults);
  for (int i = 0; i < kDispatchers; ++i) {
    dispatchers_.push_back(std::make_unique<Dispatcher>());
    dispatchers_.back()->incarnation = ++incarnations_;
  }
}

OutboundWorld::~OutboundWorld() = default;

int64_t OutboundWorld::NowMicros() const { return clock_.Wall().time_since_epoch().count(); }

void OutboundWorld::Violate(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

void OutboundWorld::Say(const std::string& what) const {
  if (story_) std::printf("%5d %s\n", steps_, what.c_str());
}

std::string OutboundWorld::RandomId() {
  std::string id;
  for (int i = 0; i < 16; ++i) id.push_back(static_cast<char>(random_()));
  return id;
}

void OutboundWorld::Append(const Record& record) {
  std::vector<log::Record> records;
  records.push_back({.payload = fold::Encode(record)});
  log_->Append(kCustomers, std::move(records), [](const StatusOr<log::Offset>&) {});
}

OutboundWorld::Record OutboundWorld::CommandFor(const std::string& customer,
                                                const std::string& request) {
  Record record;
  auto& command = *record.mutable_command();
  command.set_customer(customer);
  command.set_member(customer);
  command.set_caller(Id16("dispatcher"));
  command.set_request_id(request);
  command.set_content_hash(Id16("content"));
  command.set_principal("dispatcher");
  return record;
}

Status OutboundWorld::Open(Node& node) {
  node.ticker.reset();
  node.partition.reset();
  node.fold = customer::NewCustomerFold({.partition = 0, .partitions = 1});
  fold::Partition::Options options;
  options.of = kCustomers;
  options.owner = node.owner;
  options.max_batch_records = Choose(std::vector<size_t>{1, 2, 7, 1'000});
  options.targets = customer::OutboundTargets(0);
  options.targets.push_back({"dead-letters", 0});
  for (std::string& topic : customer::OutboundTopicNames())
    options.durable_is_accepted.push_back(std::move(topic));
  HILO_ASSIGN_OR_RETURN(node.partition, fold::Partition::Open(options, *log_, node.store,
                                                              *node.fold, *progress_, node.ear));
  if (node.owner) {
    node.ticker =
        fold::Ticker::Create(kCustomers, ++incarnations_, *log_, node.clock, *node.partition);
  }
  return OkStatus();
}

std::string OutboundWorld::Run() {
  const int steps = Choose(std::vector<int>{200, 600, 1'200});
  for (; steps_ < steps && violation_.empty(); ++steps_) Step();
  if (violation_.empty()) Drain();
  if (violation_.empty()) Judge();
  return violation_;
}

void OutboundWorld::Step() {
  clock_.Advance(Micros(1));
  const uint64_t what = Below(1'000);
  if (what < 110) {
    Happen();
  } else if (what < 290) {
    Fold(*nodes_[Below(nodes_.size())]);
  } else if (what < 380) {
    nodes_[Below(nodes_.size())]->partition->Send();
  } else if (what < 500) {
    log_->Pump(1 + Below(4));
  } else if (what < 560) {
    Decide(*nodes_[Below(nodes_.size())]);
  } else if (what < 830) {
    Dispatcher& dispatcher = *dispatchers_[Below(dispatchers_.size())];
    for (uint64_t moves = 1 + Below(3); moves > 0; --moves) Move(dispatcher);
  } else if (what < 920) {
    clock_.Advance(std::chrono::milliseconds(700));
    Beat();
  } else if (what < 930) {
    Die(*dispatchers_[Below(dispatchers_.size())]);
  } else if (what < 955) {
    Kill(*nodes_[Below(nodes_.size())]);
  } else if (what < 958) {
    Node& node = *nodes_[Below(nodes_.size())];
    node.clock.wrong_by = Choose(std::vector<Micros>{
        Micros(0), Micros(0), Micros(0), std::chrono::hours(48), -std::chrono::hours(48)});
  } else if (what < 975) {
    log_->BreakConnection();
  } else if (what < 990) {
    AcceptTime();
  } else {
    (void)nodes_[Below(nodes_.size())]->partition->Trim(true);
  }
}

// Everybody is known, can be written to and has agreed.
void OutboundWorld::Introduce() {
  Record parameters;
  parameters.mutable_parameters()->set_permit_valid_micros(kPermit);
  parameters.mutable_parameters()->set_report_grace_micros(kGrace);
  Append(parameters);
  Beat();
  log_->Settle();
  for (const std::string& customer : kPeople) {
    clock_.Advance(Micros(1));
    Consent(customer, true, false);
  }
  log_->Settle();
}

void OutboundWorld::Consent(const std::string& customer, bool granted, bool by_command) {
  store::v1::ConsentSignal signal;
  signal.set_channel(v1::CHANNEL_EMAIL);
  signal.set_purpose("marketing");
  signal.set_status(granted ? v1::CONSENT_STATUS_GRANTED : v1::CONSENT_STATUS_DENIED);
  if (by_command) {
    Record record = CommandFor(customer, RandomId());
    *record.mutable_command()->mutable_record_consent()->mutable_signal() = signal;
    return Append(record);
  }
  store::v1::EventBody body;
  *body.add_consents() = signal;
  store::v1::Event event;
  event.set_event_id(Id16("event" + std::to_string(++names_)));
  event.set_event_micros(NowMicros());
  auto& address = *event.add_identifiers();
  address.set_kind(v1::IDENTIFIER_KIND_EMAIL);
  address.set_hash(Id16("mail" + customer.substr(0, 3)));
  body.SerializeToString(event.mutable_body());
  Record record;
  auto& envelope = *record.mutable_customer_event();
  envelope.set_customer(customer);
  envelope.set_member(customer);
  envelope.add_bound(0);
  event.SerializeToString(envelope.mutable_event());
  envelope.set_event_micros(event.event_micros());
  Append(record);
}

void OutboundWorld::CloseACase(const std::string& customer) {
  const auto id = *CustomerId::FromBytes(customer);
  const auto row = customer::ReadCustomer(nodes_[0]->store, id);
  if (!row.ok() || !row->has_value()) return;
  for (const auto& open : (*row)->cases()) {
    if (open.state() != v1::CASE_STATE_OPEN) continue;
    Record record = CommandFor(customer, RandomId());
    record.mutable_command()->mutable_close_case()->set_case_(open.case_());
    return Append(record);
  }
}

// Something happens to a customer.
void OutboundWorld::Happen() {
  const std::string& customer = Choose(kPeople);
  const uint64_t what = Below(100);
  if (what < 6) return Consent(customer, false, Chance(700));
  if (what < 20) return Consent(customer, true, Chance(700));
  if (what < 25) return CloseACase(customer);
  store::v1::EventBody body;
  if (what < 30) {
    body.mutable_case_()->set_kind("complaint");
  } else {
    auto& signal = *body.add_journeys();
    signal.set_journey(std::string(kKinds[Below(std::size(kKinds))].journey));
    signal.set_key(Id16("key" + std::to_string(Below(4))));
    if (what < 40) {
      signal.set_leaves(true);
      signal.set_reason("bought");
    } else {
      signal.set_wait_micros(static_cast<int64_t>(Below(4)) * kSecond);
      signal.set_expires_micros(20 * kSecond);
      signal.set_reenter_micros(Choose(std::vector<int64_t>{0, 10 * kSecond}));
      signal.set_restarts(Chance(300));
    }
  }
  store::v1::Event event;
  event.set_event_id(Id16("event" + std::to_string(++names_)));
  event.set_event_micros(NowMicros());
  body.SerializeToString(event.mutable_body());
  Record record;
  auto& envelope = *record.mutable_customer_event();
  envelope.set_customer(customer);
  envelope.set_member(customer);
  event.SerializeToString(envelope.mutable_event());
  envelope.set_event_micros(event.event_micros());
  Append(record);
}

// ------------------------------------------------------------------------------------- owners

MessageOrder OutboundWorld::Order(std::string_view journey) {
  MessageOrder order;
  for (const Kind& kind : kKinds) {
    if (kind.journey == journey) order.set_class_(kind.order_class);
  }
  // A name of its own for each decision: which one was taken shows.
  order.set_template_("decided" + std::to_string(++names_));
  order.set_action(std::string(journey));
  order.set_channel(v1::CHANNEL_EMAIL);
  order.set_purpose("marketing");
  order.add_held_by_cases("complaint");
  order.set_max_attempts(static_cast<uint32_t>(1 + Below(4)));
  order.set_retry_micros(2 * kSecond);
  order.set_expire_micros(NowMicros() + static_cast<int64_t>(5 + Below(30)) * kSecond);
  auto& limit = *order.add_limits();
  limit.set_policy("calm");
  limit.set_channel(v1::CHANNEL_EMAIL);
  limit.set_at_most(limit_);
  limit.set_period_micros(kLimitPeriod);
  return order;
}

// Decides for what is due as this node has it, which may be old.
void OutboundWorld::Decide(Node& node) {
  if (!node.owner) return;
  const auto due = customer::ReadDue(node.store, 100);
  HILO_CHECK(due.ok(), "a store in memory can be read");
  if (due->runs.empty()) return;
  const customer::DueRun& run = Choose(due->runs);
  const auto row = customer::ReadMember(node.store, run.customer, run.member);
  HILO_CHECK(row.ok() && row->has_value(), "what is due belongs to somebody");
  std::string journey;
  for (const auto& known : (*row)->journeys()) {
    if (known.run() == run.run) journey = known.journey();
  }
  Record record;
  auto& decided = *record.mutable_decided();
  decided.set_customer(std::string(run.customer.Bytes()));
  decided.set_member(std::string(run.member.Bytes()));
  decided.set_run(run.run);
  decided.set_turn(run.turn);
  const uint64_t what = calm_ ? 100 : Below(100);
  if (what < 10) {
    decided.set_reason("open_complaint");
    decided.set_again_micros(NowMicros() + 3 * kSecond);
  } else if (what < 15) {
    decided.set_reason("nothing");
  } else {
    *decided.mutable_order() = Order(journey);
  }
  Append(record);
}

// -------------------------------------------------------------------------------- dispatchers

void OutboundWorld::OnAnswer(std::string_view request, const store::v1::AnswerRow& answer) {
  const auto asked = asked_.find(std::string(request));
  if (asked == asked_.end()) return;
  if (answer.result().permit().granted()) {
    const Asked& what = asked->second;
    grants_[asked->first] = {what.message, what.attempt, what.customer, what.order_class,
                             answer.offset()};
  } else if (answer.result().has_permit()) {
    ++refused_;
  }
  const bool gets_lost = !calm_ && Chance(250);
  if (!gets_lost) heard_[asked->first] = answer;
}

void OutboundWorld::Move(Dispatcher& dispatcher) {
  using Stage = Dispatcher::Stage;
  const auto answer = heard_.find(dispatcher.request);
  switch (dispatcher.stage) {
    case Stage::kIdle:
      return Take(dispatcher);
    case Stage::kAsk:
      return Ask(dispatcher, true);
    case Stage::kWaitPermit:
      if (answer == heard_.end()) return Ask(dispatcher, false);
      return OnPermit(dispatcher, answer->second.result().permit());
    case Stage::kSend:
      return Deliver(dispatcher);
    case Stage::kReport:
    case Stage::kWaitReport:
      if (dispatcher.stage == Stage::kWaitReport && answer != heard_.end())
        return Settle(dispatcher);
      return Report(dispatcher);
  }
}

void OutboundWorld::Take(Dispatcher& dispatcher) {
  auto cursor = log_->OpenCursor(kOutbound, dispatcher.position);
  HILO_CHECK(cursor.ok(), "nothing is trimmed here");
  const auto records = (*cursor)->Read(1, std::chrono::milliseconds(0));
  HILO_CHECK(records.ok(), "a log in memory can be read");
  if (records->empty()) return;
  Record record;
  HILO_CHECK(fold::Decode((*records)[0].record.payload, &record).ok(), "only folds write there");
  dispatcher.message = record.message();
  dispatcher.stage = Dispatcher::Stage::kAsk;
  if (mistake_ == Mistake::kSendsBeforeItAsks && Chance(50)) {
    sink_.push_back({dispatcher.message.message(), dispatcher.message.customer(),
                     static_cast<uint32_t>(dispatcher.message.order().class_()), NowMicros()});
  }
}

void OutboundWorld::Ask(Dispatcher& dispatcher, bool first) {
  const store::v1::OutboundMessage& message = dispatcher.message;
  if (first) {
    dispatcher.request = RandomId();
    if (mistake_ == Mistake::kPermitIdFromMessage) {
      dispatcher.request = message.message();
      dispatcher.request[0] = static_cast<char>(message.attempt());
    }
    dispatcher.asked_micros = NowMicros();
    asked_[dispatcher.request] = {message.message(), message.attempt(), message.customer(),
                                  static_cast<uint32_t>(message.order().class_())};
    dispatcher.stage = Dispatcher::Stage::kWaitPermit;
  } else if (!calm_ && Chance(600)) {
    return;  // waits
  }
  Record record = CommandFor(message.customer(), dispatcher.request);
  auto& asked = *record.mutable_command()->mutable_request_permit();
  asked.set_message(message.message());
  asked.set_attempt(message.attempt());
  asked.set_incarnation(dispatcher.incarnation);
  if (!calm_ && Chance(60)) asked.set_hold_until_micros(NowMicros() + 3 * kSecond);
  if (!calm_ && Chance(20)) asked.set_suppressed(true);
  if (!calm_ && Chance(20)) asked.set_unsendable("template_failed");
  Append(record);
}

void OutboundWorld::OnPermit(Dispatcher& dispatcher, const store::v1::PermitResult& permit) {
  if (permit.granted()) {
    dispatcher.valid_micros = permit.valid_micros();
    dispatcher.stage = Dispatcher::Stage::kSend;
  } else if (permit.settled()) {
    Settle(dispatcher);
  } else {
    dispatcher.stage = Dispatcher::Stage::kAsk;
  }
}

// The channel, which may break at any point.
void OutboundWorld::Deliver(Dispatcher& dispatcher) {
  const store::v1::OutboundMessage& message = dispatcher.message;
  ReportMessage& report = dispatcher.report;
  report.Clear();
  report.set_message(message.message());
  report.set_attempt(message.attempt());
  report.set_incarnation(dispatcher.incarnation);
  dispatcher.request = RandomId();
  dispatcher.stage = Dispatcher::Stage::kReport;
  if (NowMicros() >= dispatcher.asked_micros + dispatcher.valid_micros) {
    report.set_result(ReportMessage::RESULT_NOT_SENT);
    return;
  }
  const uint64_t what = Below(100);
  const bool arrives = what < 60;
  if (arrives) {
    sink_.push_back({message.message(), message.customer(),
                     static_cast<uint32_t>(message.order().class_()), NowMicros()});
  }
  if (what < 45) {
    report.set_result(ReportMessage::RESULT_SENT);
  } else if (what < 70) {
    // The link broke after the final dot: it arrived, or it did not.
    report.set_result(mistake_ == Mistake::kLostAnswerIsNotSent ? ReportMessage::RESULT_NOT_SENT
                                                                : ReportMessage::RESULT_UNKNOWN);
  } else if (what < 90) {
    report.set_result(ReportMessage::RESULT_TRANSIENT);
  } else if (what < 96) {
    report.set_result(ReportMessage::RESULT_NOT_SENT);
  } else {
    report.set_result(ReportMessage::RESULT_PERMANENT);
    report.set_enhanced_code("5.7.1");
  }
}

void OutboundWorld::Report(Dispatcher& dispatcher) {
  const bool again = dispatcher.stage == Dispatcher::Stage::kWaitReport;
  dispatcher.stage = Dispatcher::Stage::kWaitReport;
  if (again && !calm_ && Chance(600)) return;  // waits
  asked_.try_emplace(dispatcher.request);
  Record record = CommandFor(dispatcher.message.customer(), dispatcher.request);
  *record.mutable_command()->mutable_report_message() = dispatcher.report;
  Append(record);
}

void OutboundWorld::Settle(Dispatcher& dispatcher) {
  ++dispatcher.position;
  if (Chance(500)) dispatcher.stored = dispatcher.position;
  dispatcher.request.clear();
  dispatcher.stage = Dispatcher::Stage::kIdle;
}

// Another incarnation begins where the disk says, or at the beginning.
void OutboundWorld::Die(Dispatcher& dispatcher) {
  ++deaths_;
  const log::Offset stored = Chance(200) ? 0 : dispatcher.stored;
  dispatcher = Dispatcher();
  dispatcher.incarnation = ++incarnations_;
  dispatcher.position = stored;
  dispatcher.stored = stored;
}

// -------------------------------------------------------------------------------------- nodes

void OutboundWorld::Fold(Node& node) {
  const auto folded = node.partition->Step(std::chrono::milliseconds(0));
  if (!folded.ok()) return Violate("a node stopped: " + Describe(folded.status()));
  if (*folded == 0) return;
  const fold::PartitionView view = node.partition->View();
  const auto [known, fresh] = digests_.try_emplace(view.position, view.state_digest);
  if (!fresh && known->second != view.state_digest)
    Violate("digest: two nodes differ at " + std::to_string(view.position));
}

void OutboundWorld::Kill(Node& node) {
  node.partition.reset();
  node.ticker.reset();
  node.store.PowerCut(Choose(std::vector<size_t>{0, 0, 1, 2}));
  node.owner = Chance(700);
  const bool nobody =
      std::none_of(nodes_.begin(), nodes_.end(), [](const auto& other) { return other->owner; });
  node.owner = node.owner || nobody;
  if (const Status opened = Open(node); !opened.ok())
    Violate("a node does not open after a kill: " + Describe(opened));
}

void OutboundWorld::Beat() {
  for (const auto& node : nodes_) {
    if (node->ticker != nullptr) node->ticker->Beat();
  }
}

// The operator closes the gap with the right time.
void OutboundWorld::AcceptTime() {
  const fold::PartitionView view = nodes_[Below(nodes_.size())]->partition->View();
  if (!view.closed) return;
  Record record;
  record.mutable_accept_time()->set_gap(view.gap);
  record.mutable_accept_time()->set_wall_micros(NowMicros());
  record.mutable_accept_time()->set_principal("operator");
  Append(record);
}

// Faults end, nothing new begins: everything must come to its end.
void OutboundWorld::Drain() {
  Say("drain");
  calm_ = true;
  log_->SetFaults({});
  log_->Settle();
  for (const auto& node : nodes_) {
    node->clock.wrong_by = {};
    node->owner = node == nodes_.front();
    if (const Status opened = Open(*node); !opened.ok())
      return Violate("a node does not open: " + Describe(opened));
  }
  for (int round = 0; round < 110 && violation_.empty(); ++round) {
    clock_.Advance(std::chrono::seconds(1));
    Beat();
    log_->Settle();
    for (int turn = 0; turn < 6; ++turn) {
      for (const auto& node : nodes_) {
        Fold(*node);
        node->partition->Send();
      }
      log_->Settle();
      for (const auto& dispatcher : dispatchers_) {
        // What nobody owns any more is not worked on: its dispatcher died for good.
        if (round > 5 || dispatcher->stage != Dispatcher::Stage::kSend) Move(*dispatcher);
      }
    }
    Decide(*nodes_.front());
    if (round % 4 == 0) AcceptTime();
    log_->Settle();
  }
  for (const auto& node : nodes_) {
    while (violation_.empty()) {
      const log::Offset before = node->partition->View().position;
      Fold(*node);
      if (node->partition->View().position == before) break;
    }
  }
}

// ------------------------------------------------------------------------------------- oracle

std::vector<log::StoredRecord> OutboundWorld::Read(const TopicPartition& of) const {
  auto cursor = log_->OpenCursor(of, 0);
  HILO_CHECK(cursor.ok(), "nothing is trimmed here");
  std::vector<log::StoredRecord> all;
  while (true) {
    auto some = (*cursor)->Read(1'024, std::chrono::milliseconds(0));
    HILO_CHECK(some.ok(), "a log in memory can be read");
    if (some->empty()) return all;
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
}

void OutboundWorld::Judge() {
  std::map<std::string, MessageRow> rows;
  for (const std::string& customer : kPeople) {
    const auto row = customer::ReadCustomer(nodes_[0]->store, *CustomerId::FromBytes(customer));
    if (!row.ok() || !row->has_value()) return Violate("a customer is not known");
    JudgeMember(**row);
    for (const MessageRow& message : (*row)->messages()) {
      if (message.state() == v1::MESSAGE_STATE_UNKNOWN) ++unknown_;
      if (!rows.try_emplace(message.message(), message).second) Violate("one message has two rows");
    }
  }
  const auto due = customer::ReadDue(nodes_[0]->store, 100);
  if (!due.ok() || !due->runs.empty()) Violate("something stays due though every run is over");
  JudgeSink(rows);
  JudgePermits();
  JudgeLimits();
  if (nodes_[0]->partition->View().state_digest != nodes_[1]->partition->View().state_digest)
    Violate("digest: the nodes differ at the end");
}

void OutboundWorld::JudgeMember(const store::v1::MemberRow& row) {
  for (const auto& run : row.journeys()) {
    if (run.state() != store::v1::JourneyRow::STATE_ENDED)
      Violate("a run of " + run.journey() + " does not end");
  }
  std::map<std::pair<std::string, std::string>, int> of_run;
  for (const MessageRow& message : row.messages()) {
    if (!message::IsSettled(message))
      Violate("a message stays " +
              v1::MessageState_Name(static_cast<v1::MessageState>(message.state())));
    if (message.reason() != "duplicate" && ++of_run[{message.run(), ""}] > 1)
      Violate("two messages come of one run and turn");
  }
}

void OutboundWorld::JudgeSink(const std::map<std::string, MessageRow>& rows) {
  std::map<std::string, int> arrived;
  for (const Arrival& arrival : sink_) ++arrived[arrival.message];
  std::map<std::string, int> granted;
  for (const auto& [request, grant] : grants_) ++granted[grant.message];
  for (const auto& [id, times] : arrived) {
    const auto row = rows.find(id);
    if (row == rows.end()) {
      Violate("a message was sent that nobody decided");
      continue;
    }
    const MessageRow& message = row->second;
    const bool transactional = message.order().class_() == MessageOrder::CLASS_TRANSACTIONAL;
    if (times > 1) ++repeated_;
    if (times > 1 && !transactional) Violate("what is not transactional was sent twice");
    if (times > granted[id]) Violate("a message was sent more often than it had permits");
    if (times > 1 + static_cast<int>(message.unknowns()))
      Violate("a message was sent again though it was known how the attempt before ended");
    if (message.state() != v1::MESSAGE_STATE_SENT && message.state() != v1::MESSAGE_STATE_UNKNOWN) {
      Violate("what was sent gave its place back as " +
              v1::MessageState_Name(static_cast<v1::MessageState>(message.state())));
    }
  }
  for (const auto& [id, message] : rows) {
    if (message.state() == v1::MESSAGE_STATE_SENT && !arrived.contains(id))
      Violate("a message counts as sent that never arrived");
    if (message.attempts() != static_cast<uint32_t>(granted[id]))
      Violate("a message counts " + std::to_string(message.attempts()) + " permits, " +
              std::to_string(granted[id]) + " were handed out");
  }
}

// By the log alone: the latest signal below that offset, with the first copy of a command.
bool OutboundWorld::ConsentAt(const std::string& customer, log::Offset offset) const {
  std::set<std::string> commands;
  std::pair<int64_t, std::string> latest{INT64_MIN, ""};
  bool granted = false;
  const auto take = [&](const store::v1::ConsentSignal& signal, int64_t micros,
                        const std::string& id) {
    if (std::make_pair(micros, id) < latest) return;
    latest = {micros, id};
    granted = signal.status() == v1::CONSENT_STATUS_GRANTED;
  };
  for (const log::StoredRecord& stored : Read(kCustomers)) {
    if (stored.offset >= offset) break;
    Record record;
    if (!fold::Decode(stored.record.payload, &record).ok()) continue;
    if (record.has_command() && record.command().customer() == customer) {
      const auto& command = record.command();
      if (!command.has_record_consent() || !commands.insert(command.request_id()).second) continue;
      take(command.record_consent().signal(), stored.append_time.time_since_epoch().count(),
           command.request_id());
    } else if (record.has_customer_event() && record.customer_event().customer() == customer) {
      store::v1::Event event;
      store::v1::EventBody body;
      if (!event.ParseFromString(record.customer_event().event()) ||
          !body.ParseFromString(event.body())) {
        continue;
      }
      for (const auto& signal : body.consents())
        take(signal, event.event_micros(), event.event_id());
    }
  }
  return granted;
}

void OutboundWorld::JudgePermits() {
  std::map<std::pair<std::string, uint32_t>, int> by_attempt;
  for (const auto& [request, grant] : grants_) {
    if (++by_attempt[{grant.message, grant.attempt}] > 1) Violate("two permits for one attempt");
    if (grant.order_class == MessageOrder::CLASS_TRANSACTIONAL) continue;
    if (!ConsentAt(grant.customer, grant.offset))
      Violate("a permit was given after the customer had opted out");
  }
}

// At most so many of class default in any window, by true time at the sink.
void OutboundWorld::JudgeLimits() {
  std::map<std::string, std::vector<int64_t>> times;
  for (const Arrival& arrival : sink_) {
    if (arrival.order_class == MessageOrder::CLASS_DEFAULT)
      times[arrival.customer].push_back(arrival.at_micros);
  }
  for (auto& [customer, arrived] : times) {
    std::sort(arrived.begin(), arrived.end());
    for (size_t i = limit_; i < arrived.size(); ++i) {
      if (arrived[i] - arrived[i - limit_] < kLimitPeriod - kLimitSlack)
        Violate("more than " + std::to_string(limit_) + " messages within the period of the limit");
    }
  }
}

}  // namespace hilo::simulation
