#include "tests/checker/world.h"

#include <algorithm>
#include <utility>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "ops/base/check.h"
#include "state/store/tables.h"
#include "state/types/bucket.h"
#include "state/types/hash.h"
#include "streams/command/command.h"
#include "streams/customer/customer_fold.h"
#include "streams/customer/outbound.h"
#include "streams/customer/outbound_reader.h"
#include "streams/identity/identity_fold.h"
#include "tests/checker/dump_file.h"
#include "tests/checker/faulty_fold.h"

namespace hilo::checker {
namespace {

constexpr uint32_t kPartitions = 4;
constexpr int kIdentifiers = 9;
constexpr uint64_t kPatience = 40;       // steps after which a sender sends again
constexpr uint64_t kMaxSteps = 200'000;  // of a run: beyond it something never comes to rest
constexpr int kMaxRestRounds = 20'000;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;
const log::TopicPartition kEvents{"events", 0};
const log::TopicPartition kDeadLetters{"dead-letters", 0};

std::vector<log::TopicSpec> Topics() {
  std::vector<log::TopicSpec> topics = customer::OutboundTopics(kPartitions);
  topics.push_back({"events", 1});
  topics.push_back({"customers", kPartitions});
  topics.push_back({"dead-letters", 1});
  return topics;
}

void AddOutbound(uint32_t partition, fold::Partition::Options& options) {
  for (log::TopicPartition& to : customer::OutboundTargets(partition))
    options.targets.push_back(std::move(to));
  for (std::string& topic : customer::OutboundTopicNames())
    options.durable_is_accepted.push_back(std::move(topic));
}

log::MemoryLogFaults Hostile(std::mt19937_64& random) {
  const auto per_mille = [&random](uint32_t most) {
    return static_cast<uint32_t>(random() % (most + 1));
  };
  return {.delay = per_mille(100),
          .reorder = per_mille(60),
          .lose = per_mille(60),
          .lose_answer = per_mille(60),
          .arrive_late = per_mille(60),
          .repeat = per_mille(60)};
}

std::string Id16(std::string_view of) { return std::string(Bytes(Hash(of))); }

}  // namespace

// A store whose writes may fail: as with a kill, nothing of them is there.
class World::DyingStore final : public store::Store {
 public:
  explicit DyingStore(std::mt19937_64& random) : random_(random) {}
  StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return rows_->Get(key);
  }
  std::unique_ptr<store::Iterator> NewIterator(const store::KeyRange& range) const override {
    return rows_->NewIterator(range);
  }
  std::unique_ptr<store::Batch> NewBatch() override { return rows_->NewBatch(); }
  Status Write(std::unique_ptr<store::Batch> batch) override {
    if (mortal_ && random_() % 100 == 0)
      return Error(StatusCode::kUnavailable, "store_failed", "killed before the batch");
    return rows_->Write(std::move(batch));
  }
  std::unique_ptr<store::View> NewView() const override { return rows_->NewView(); }
  Status Flush() override { return OkStatus(); }

  void Mortal(bool mortal) { mortal_ = mortal; }
  store::MapStore& rows() { return *rows_; }

  // What a restore from an old copy would do that keeps the position of today.
  void RestoreStale() {
    if (old_ == nullptr || random_() % 3 == 0) old_ = rows_->AllRows();
    store::MapStore::Rows mixed;
    for (const auto& [key, value] : *rows_->AllRows()) {
      const bool member = key[0] == static_cast<char>(store::Table::kMember);
      const auto before = old_->find(key);
      mixed[key] = member && before != old_->end() ? before->second : value;
    }
    rows_ = std::make_unique<store::MapStore>(std::move(mixed));
  }

 private:
  std::mt19937_64& random_;
  std::unique_ptr<store::MapStore> rows_ = std::make_unique<store::MapStore>();
  std::shared_ptr<const store::MapStore::Rows> old_;
  bool mortal_ = true;
};

// A partition with its store, that can be killed at any time. It stands in for its Partition, so
// that a ticker need not know.
class World::Node final : public fold::Partition {
 public:
  Node(World& world, log::TopicPartition of)
      : world_(world), of_(std::move(of)), store_(world.random_) {
    Open();
  }

  void Open() {
    partition_.reset();
    if (world_.options_.stale_restore && of_ != kEvents) store_.RestoreStale();
    Options options{.of = of_, .targets = {kDeadLetters}, .max_batch_records = 1 + world_.Draw(60)};
    if (of_ == kEvents) {
      for (uint32_t i = 0; i < kPartitions; ++i) options.targets.push_back({"customers", i});
    } else {
      AddOutbound(of_.partition, options);
    }
    fold_ = world_.MakeFold(of_);
    auto opened = Partition::Open(options, world_.log_, store_, *fold_, *world_.progress_, world_);
    opened_ = opened.status();
    if (!opened.ok()) return;
    partition_ = *std::move(opened);
    ticker_ = fold::Ticker::Create(of_, world_.random_(), world_.log_, world_.clock_, *this);
  }

  StatusOr<size_t> Step(std::chrono::milliseconds wait) override {
    HILO_RETURN_IF_ERROR(opened_);
    return partition_->Step(wait);
  }
  void Send() override {
    if (partition_ != nullptr) partition_->Send();
  }
  Status Trim(bool now) override { return partition_ == nullptr ? opened_ : partition_->Trim(now); }
  bool OutboxEmpty() const override { return partition_ == nullptr || partition_->OutboxEmpty(); }
  bool OutboxFull() const override { return false; }
  fold::PartitionView View() const override {
    if (partition_ != nullptr) return partition_->View();
    return {.of = of_, .stopped_reason = Reason(opened_)};
  }
  void Interrupt() override {}

  void Beat() {
    if (partition_ != nullptr) ticker_->Beat();
  }
  bool Killed() const { return View().stopped_reason == "store_failed"; }
  const log::TopicPartition& of() const { return of_; }
  DyingStore& store() { return store_; }

 private:
  World& world_;
  const log::TopicPartition of_;
  DyingStore store_;
  std::unique_ptr<fold::Fold> fold_;
  std::unique_ptr<fold::Partition> partition_;
  std::unique_ptr<fold::Ticker> ticker_;
  Status opened_;
};

World::World(Options options)
    : options_(std::move(options)),
      random_(options_.seed),
      clock_(WallTime(std::chrono::hours(24 * 20'000))),
      log_(Topics(), clock_,
           {.mode = log::MemoryLog::Mode::kManual, .seed = random_(), .faults = Hostile(random_)}),
      progress_(fold::NewLocalProgress()),
      couriers_(kPartitions) {
  ledger_ = std::fopen(options_.ledger_path.c_str(), "w");
  HILO_CHECK(ledger_ != nullptr, "the caller names a file that can be written");
  nodes_.push_back(std::make_unique<Node>(*this, kEvents));
  for (uint32_t i = 0; i < kPartitions; ++i)
    nodes_.push_back(std::make_unique<Node>(*this, log::TopicPartition{"customers", i}));
  for (int identifier = 0; identifier < kIdentifiers; ++identifier) {
    for (const char* source : {"web", "till"}) {
      if (identifier % 3 == 0 && source[0] == 't') continue;
      senders_.push_back(
          {.source = source, .identifier = identifier, .chain = std::string(16, '\0')});
    }
  }
}

World::~World() { std::fclose(ledger_); }

std::unique_ptr<fold::Fold> World::MakeFold(const log::TopicPartition& of) const {
  auto fold =
      of == kEvents
          ? identity::NewIdentityFold({.customer_partitions = kPartitions})
          : customer::NewCustomerFold({.partition = of.partition, .partitions = kPartitions});
  return WithFault(std::move(fold), options_.fold_fault);
}

void World::Ledger(const std::string& line) { std::fprintf(ledger_, "%s\n", line.c_str()); }

store::v1::Event World::MakeEvent(const Sender& sender, const std::string& id,
                                  std::string* invoke) {
  const int64_t now = clock_.Wall().time_since_epoch().count();
  const bool late = Draw(40) == 0;
  store::v1::EventBody body;
  body.set_type("web.track");
  body.set_channel(v1::CHANNEL_WEB);
  body.set_source(sender.source);
  body.set_assurance(v1::ASSURANCE_CLAIMED);
  const std::string chain = Id16(sender.chain + id);
  const std::string sequence = std::to_string(sender.sequence + 1);
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"ledger_id", id},
                                    {"ledger_seq", sequence},
                                    {"ledger_chain", Hex(chain)}}) {
    store::v1::OpenField* field = body.add_open();
    field->set_name(name);
    field->set_value(value);
  }
  int64_t minor = 0;
  if (Draw(3) == 0) {
    minor = static_cast<int64_t>(100 + Draw(9'900));
    body.mutable_purchase()->set_kind(store::v1::Purchase::KIND_ORDER);
    body.mutable_purchase()->set_order(Id16("order " + id));
    body.mutable_purchase()->set_minor(minor);
    body.mutable_purchase()->set_currency(Draw(4) == 0 ? "USD" : "EUR");
  }
  if (Draw(5) == 0) {
    store::v1::ExtractedFact* fact = body.add_facts();
    fact->set_kind("shoe_size");
    fact->set_sealed("sealed " + id);
    fact->set_confidence(90);
  }
  store::v1::Event event;
  event.set_event_id(Id16(id));
  event.set_event_micros(late ? now - 8 * kDay : now - static_cast<int64_t>(Draw(3'600)) * kSecond);
  event.set_receive_micros(now);
  // A third of the customers sign in; what they did before they did is on the same browser.
  const std::string who = std::to_string(sender.identifier);
  const bool signs_in = sender.identifier % 3 != 0;
  if (signs_in && (sender.source == "till" || Draw(3) != 0)) {
    store::v1::Identifier* user = event.add_identifiers();
    user->set_kind(v1::IDENTIFIER_KIND_USER_ID);
    user->set_hash(Id16("user " + who));
  }
  if (event.identifiers().empty() || sender.source == "web") {
    store::v1::Identifier* browser = event.add_identifiers();
    browser->set_kind(v1::IDENTIFIER_KIND_ANONYMOUS_ID);
    browser->set_hash(Id16("browser " + who));
  }
  if (signs_in && Draw(3) == 0) AddJourney(event, body, "mail " + who);
  body.SerializeToString(event.mutable_body());
  event.set_body_hash(Id16(event.body()));
  *invoke = "{\"op\":\"invoke\",\"kind\":\"event\",\"id\":\"" + id + "\",\"source\":\"" +
            sender.source + "\",\"identifier\":\"" + who + "\",\"seq\":" + sequence +
            ",\"chain\":\"" + Hex(chain) +
            "\",\"ordered\":true,\"minor\":" + std::to_string(minor) + ",\"currency\":\"" +
            (minor > 0 ? body.purchase().currency() : "") + "\",\"expect\":\"" +
            (late ? "event_too_late" : "counted") + "\"}";
  return event;
}

// Something is left behind, bought after all, or no longer wanted.
void World::AddJourney(store::v1::Event& event, store::v1::EventBody& body,
                       const std::string& address) {
  store::v1::Identifier* mail = event.add_identifiers();
  mail->set_kind(v1::IDENTIFIER_KIND_EMAIL);
  mail->set_hash(Id16(address));
  if (Draw(4) != 0) {
    store::v1::ConsentSignal* consent = body.add_consents();
    consent->set_channel(Draw(3) == 0 ? 0 : v1::CHANNEL_EMAIL);
    consent->set_purpose("marketing");
    consent->set_status(Draw(4) == 0 ? v1::CONSENT_STATUS_DENIED : v1::CONSENT_STATUS_GRANTED);
    body.set_source_rank(static_cast<uint32_t>(Draw(2)));
  }
  store::v1::JourneySignal* signal = body.add_journeys();
  signal->set_journey(Draw(3) == 0 ? "order" : "basket");
  signal->set_leaves(Draw(8) == 0);
  signal->set_reason("bought");
  signal->set_expires_micros(30 * kSecond);
}

// Owners decide for what is due as their rows have it: two times, when the first is on its way.
void World::DecideDue() {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    const auto due = customer::ReadDue(nodes_[1 + partition]->store(), 10);
    if (!due.ok() || due->runs.empty()) continue;
    const customer::DueRun& run = due->runs[Draw(due->runs.size())];
    store::v1::Record record;
    store::v1::Decided& decided = *record.mutable_decided();
    decided.set_customer(std::string(run.customer.Bytes()));
    decided.set_member(std::string(run.member.Bytes()));
    decided.set_run(run.run);
    decided.set_turn(run.turn);
    store::v1::MessageOrder& order = *decided.mutable_order();
    order.set_action("action " + std::to_string(Draw(3)));
    order.set_channel(v1::CHANNEL_EMAIL);
    order.set_class_(Draw(3) == 0 ? store::v1::MessageOrder::CLASS_TRANSACTIONAL
                                  : store::v1::MessageOrder::CLASS_DEFAULT);
    order.set_max_attempts(3);
    order.set_retry_micros(kSecond);
    order.set_expire_micros(clock_.Wall().time_since_epoch().count() + 60 * kSecond);
    std::vector<log::Record> records;
    records.push_back({.payload = fold::Encode(record)});
    log_.Append({"customers", partition}, std::move(records), [](const StatusOr<log::Offset>&) {});
  }
}

void World::Dispatch() {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    Courier& courier = couriers_[partition];
    if (Draw(12) == 0) {
      courier = {.incarnation = random_(), .position = courier.position - courier.position % 4};
    }
    if (!courier.request.empty()) {
      const auto answer = told_.find(courier.request);
      if (answer == told_.end()) {
        Ask(courier, partition);
        continue;
      }
      const bool sends = !courier.reports && answer->second.result().permit().granted();
      courier.reports = sends;
      courier.request.clear();
      if (!sends) ++courier.position;
    } else {
      auto cursor = log_.OpenCursor({"outbound.email", partition}, courier.position);
      if (!cursor.ok()) continue;
      const auto records = (*cursor)->Read(1, std::chrono::milliseconds(0));
      store::v1::Record record;
      if (!records.ok() || records->empty()) continue;
      HILO_CHECK(fold::Decode((*records)[0].record.payload, &record).ok(), "folds write there");
      courier.message = record.message();
      courier.reports = false;
    }
    if (courier.request.empty() && (courier.reports || !courier.message.message().empty())) {
      for (int i = 0; i < 16; ++i) courier.request.push_back(static_cast<char>(Draw(64) | 0x80));
      Ask(courier, partition);
    }
  }
}

// Asks for a permit, or reports; the same question as before when it waits for the answer.
void World::Ask(Courier& courier, uint32_t partition) {
  store::v1::Record record;
  store::v1::Command& command = *record.mutable_command();
  command.set_customer(courier.message.customer());
  command.set_member(courier.message.member());
  command.set_caller(Id16("courier"));
  command.set_request_id(courier.request);
  command.set_content_hash(Id16(courier.request));
  if (courier.reports) {
    store::v1::ReportMessage& report = *command.mutable_report_message();
    report.set_message(courier.message.message());
    report.set_attempt(courier.message.attempt());
    report.set_incarnation(courier.incarnation);
    // By the request: a question put again is the same.
    const auto said = static_cast<unsigned char>(courier.request[0]);
    report.set_result(said % 2 == 0 ? store::v1::ReportMessage::RESULT_SENT
                                    : static_cast<store::v1::ReportMessage::Result>(1 + said % 5));
  } else {
    store::v1::RequestPermit& permit = *command.mutable_request_permit();
    permit.set_message(courier.message.message());
    permit.set_attempt(courier.message.attempt());
    permit.set_incarnation(courier.incarnation);
  }
  std::vector<log::Record> records;
  records.push_back({.payload = fold::Encode(record)});
  log_.Append({"customers", partition}, std::move(records), [](const StatusOr<log::Offset>&) {});
}

void World::SendNext(Sender& sender) {
  if (made_ >= options_.events) return;
  const std::string id = "e" + std::to_string(++made_);
  std::string invoke;
  const store::v1::Event event = MakeEvent(sender, id, &invoke);
  store::v1::Record record;
  event.SerializeToString(record.mutable_event());
  Ledger(invoke);
  sender.current = std::make_shared<Sending>();
  sender.current->id = id;
  sender.current->to = kEvents;
  sender.current->record.payload = fold::Encode(record);
  Send(sender.current);
  const bool late = invoke.find("event_too_late") != std::string::npos;
  if (!late && sender.current != nullptr && Draw(30) == 0) SendConflict(event, id);
}

// The same id with another body, once the first is known to be there.
void World::SendConflict(const store::v1::Event& event, const std::string& id) {
  store::v1::Event other = event;
  other.set_body_hash(Id16("another body of " + id));
  store::v1::EventBody body;
  HILO_CHECK(body.ParseFromString(event.body()), "we made it");
  body.mutable_open(0)->set_value(id + "-other");
  body.SerializeToString(other.mutable_body());
  store::v1::Record record;
  other.SerializeToString(record.mutable_event());
  auto sending = std::make_shared<Sending>();
  sending->id = id + "-other";
  sending->to = kEvents;
  sending->record.payload = fold::Encode(record);
  // Behind the first in its sender's queue: it begins when that one has ended.
  waiting_["conflict " + id] = std::move(sending);
}

void World::Send(const std::shared_ptr<Sending>& sending) {
  if (!sending->in_flight && !sending->done &&
      std::find(open_.begin(), open_.end(), sending) == open_.end())
    open_.push_back(sending);
  sending->in_flight = true;
  sending->sent_at = step_;
  const uint64_t attempt = ++sending->attempt;
  if (options_.forget_unsent && Draw(20) == 0) {
    sending->done = true;
    Ledger("{\"op\":\"ok\",\"id\":\"" + sending->id + "\"}");
    return;
  }
  log_.Append(sending->to, {sending->record},
              [this, sending, attempt](const StatusOr<log::Offset>& at) {
                if (sending->done || attempt != sending->attempt) return;
                sending->in_flight = false;
                const bool command = sending->to.topic == "customers";
                if (at.ok() && command) return;  // its answer comes from the fold
                if (at.ok()) {
                  sending->done = true;
                  Ledger("{\"op\":\"ok\",\"id\":\"" + sending->id + "\"}");
                } else if (Reason(at.status()) == "disk_full" && sending->attempt == 1) {
                  sending->done = true;
                  Ledger("{\"op\":\"fail\",\"id\":\"" + sending->id + "\"}");
                  for (Sender& sender : senders_) {
                    if (sender.current == sending) sender.current.reset();  // begins anew
                  }
                } else {
                  Ledger("{\"op\":\"info\",\"id\":\"" + sending->id + "\"}");
                }
              });
}

void World::SendCommand() {
  if (known_.empty()) return;
  const auto& [customer, member] = known_[Draw(known_.size())];
  const RequestId request = command::NewRequestId(clock_.Wall());
  // A request id has random bits of its own: ours come from the seed.
  std::string name(request.Bytes());
  name[6] = 0x70;
  for (size_t i = 7; i < name.size(); ++i) name[i] = static_cast<char>(Draw(64) | 0x80);
  const std::string caller = Id16("agent");
  store::v1::Record record;
  store::v1::Command& command = *record.mutable_command();
  command.set_customer(customer);
  command.set_member(member);
  command.set_caller(caller);
  command.set_request_id(name);
  command.set_content_hash(Id16("content " + name));
  command.set_principal("agent");
  command.set_channel(v1::CHANNEL_DESK);
  const bool note = Draw(2) == 0;
  if (note) {
    command.mutable_add_note()->set_sealed_text("sealed note");
  } else {
    command.mutable_record_fact()->set_kind("allergy");
    command.mutable_record_fact()->set_sealed_value("sealed fact");
  }
  auto sending = std::make_shared<Sending>();
  sending->id = Hex(name);
  sending->to = {"customers", PartitionOf(*CustomerId::FromBytes(customer), kPartitions)};
  sending->record.payload = fold::Encode(record);
  waiting_[sending->id] = sending;
  Ledger("{\"op\":\"invoke\",\"kind\":\"command\",\"id\":\"" + sending->id + "\",\"caller\":\"" +
         Hex(caller) + "\",\"customer\":\"" + Hex(customer) + "\",\"member\":\"" + Hex(member) +
         "\",\"what\":\"" + (note ? "note" : "fact") + "\"}");
  Send(sending);
}

void World::SendPoison() {
  const log::TopicPartition to =
      Draw(2) == 0 ? kEvents
                   : log::TopicPartition{"customers", static_cast<uint32_t>(Draw(kPartitions))};
  log::Record record;
  const std::string unique = std::to_string(random_());
  switch (Draw(5)) {
    case 0:
      record.payload = "\x01\xff\xff\xff poison " + unique;  // no message
      break;
    case 1:
      record.payload = "\x07 poison " + unique;  // no format we know
      break;
    case 2:
      record.header = "\xff\xff\xff";
      record.payload = "\x01 poison " + unique;
      break;
    case 3: {
      store::v1::Record wrong;  // belongs in no log that is folded
      wrong.mutable_done()->set_position(static_cast<int64_t>(random_() >> 1));
      record.payload = fold::Encode(wrong);
      break;
    }
    default: {
      store::v1::Record wrong;  // names nobody
      store::v1::Event nobody;
      nobody.set_event_id(Id16(unique));
      nobody.set_body_hash(Id16(unique));
      nobody.SerializeToString(wrong.mutable_event());
      record.payload = fold::Encode(wrong);
    }
  }
  Ledger("{\"op\":\"poison\",\"partition\":\"" + to.topic + "/" + std::to_string(to.partition) +
         "\",\"payload_hash\":\"" + Hex(Bytes(Hash(record.payload))) + "\"}");
  std::vector<log::Record> records;
  records.push_back(std::move(record));
  log_.Append(to, std::move(records), [](const StatusOr<log::Offset>&) {});
}

void World::OnAnswer(std::string_view caller, RequestId request,
                     const store::v1::AnswerRow& answer) {
  if (caller == Id16("courier")) told_[std::string(request.Bytes())] = answer;
  const auto waits = waiting_.find(request.Hex());
  if (waits == waiting_.end()) return;
  waits->second->done = true;
  Ledger("{\"op\":\"" + std::string(answer.code() == 0 ? "ok" : "fail") + "\",\"id\":\"" +
         waits->second->id + "\"}");
  waiting_.erase(waits);
}

void World::OnNotice(const log::TopicPartition&, const fold::Notice& notice) {
  if (notice.kind != fold::Notice::Kind::kMemberChanged) return;
  std::pair<std::string, std::string> one(notice.customer.Bytes(), notice.member.Bytes());
  if (std::find(known_.begin(), known_.end(), one) == known_.end())
    known_.push_back(std::move(one));
}

// Senders and callers who wait too long, or who were told that nobody knows, send again.
void World::Resend() {
  std::erase_if(open_, [](const auto& sending) { return sending->done; });
  for (const auto& sending : std::vector(open_)) {
    const bool command = sending->to.topic == "customers";
    const bool waited = step_ > sending->sent_at + kPatience;
    if (waited || (!sending->in_flight && !command)) Send(sending);
  }
}

void World::Step() {
  ++step_;
  switch (Draw(16)) {
    case 0:
      clock_.Advance(std::chrono::milliseconds(200 + Draw(900)));
      for (const auto& node : nodes_) node->Beat();
      break;
    case 1:
      nodes_[Draw(nodes_.size())]->Open();
      break;
    case 2:
      if (Draw(4) == 0) log_.BreakConnection();
      if (refusing_ || Draw(8) == 0) {
        refusing_ = !refusing_;
        log_.RefuseAppends(refusing_ ? Error(StatusCode::kResourceExhausted, "disk_full", "full")
                                     : OkStatus());
      }
      break;
    case 3:
      if (Draw(4) == 0) SendPoison();
      if (Draw(2) == 0) SendCommand();
      if (Draw(2) == 0) DecideDue();
      Dispatch();
      break;
    case 4:
    case 5:
    case 6:
      for (Sender& sender : senders_) {
        if (sender.current != nullptr && sender.current->done) {
          const auto conflict = waiting_.find("conflict " + sender.current->id);
          ++sender.sequence;
          sender.chain = Id16(sender.chain + sender.current->id);
          sender.current.reset();
          if (conflict != waiting_.end()) {
            Ledger("{\"op\":\"invoke\",\"kind\":\"event\",\"id\":\"" + conflict->second->id +
                   "\",\"expect\":\"event_id_conflict\"}");
            Send(conflict->second);
            waiting_.erase(conflict);
          }
        }
        if (sender.current == nullptr && Draw(4) == 0) SendNext(sender);
      }
      break;
    case 7:
      Resend();
      Dispatch();
      break;
    case 8:
    case 9:
      log_.Pump(1 + Draw(20));
      break;
    default: {
      Node& node = *nodes_[Draw(nodes_.size())];
      (void)node.Step(std::chrono::milliseconds(0));
      if (Draw(3) != 0) node.Send();
      if (Draw(3) != 0) (void)node.Trim(Draw(2) == 0);
      if (node.Killed()) node.Open();
    }
  }
}

void World::Run() {
  const auto busy = [this] {
    return made_ < options_.events ||
           std::any_of(senders_.begin(), senders_.end(), [](const Sender& sender) {
             return sender.current != nullptr && !sender.current->done;
           });
  };
  while (busy() && step_ < kMaxSteps) Step();
  Rest();
}

// No more faults; everything that is on its way arrives.
void World::Rest() {
  log_.SetFaults({});
  log_.RefuseAppends(OkStatus());
  for (const auto& node : nodes_) {
    node->store().Mortal(false);
    if (node->Killed() || Draw(2) == 0) node->Open();
  }
  int quiet = 0;
  for (int round = 0; quiet < 3 && round < kMaxRestRounds; ++round) {
    step_ += kPatience / 4;
    log_.Settle();
    Resend();
    log_.Settle();
    bool moved = false;
    for (const auto& node : nodes_) {
      const auto folded = node->Step(std::chrono::milliseconds(0));
      node->Send();
      (void)node->Trim(true);
      moved = moved || (folded.ok() && *folded > 0) || !node->OutboxEmpty();
    }
    // Time goes on: holes and re-sends are counted in ticks.
    if (!moved && quiet == 0) {
      clock_.Advance(std::chrono::seconds(1));
      for (const auto& node : nodes_) node->Beat();
      moved = round < 20;
    }
    quiet = moved || !open_.empty() ? 0 : quiet + 1;
    if (!moved && round > 400) break;
  }
  log_.Settle();
  for (const auto& node : nodes_) {
    while (true) {
      const auto folded = node->Step(std::chrono::milliseconds(0));
      if (!folded.ok() || *folded == 0) break;
    }
  }
  for (const auto& node : nodes_) (void)node->Trim(true);
  for (const auto& node : nodes_) (void)node->Trim(true);
  std::fflush(ledger_);
}

Status World::Dump(const std::string& path) {
  HILO_ASSIGN_OR_RETURN(const auto dump, DumpFile::Create(path));
  for (const auto& node : nodes_) {
    HILO_RETURN_IF_ERROR(dump->WriteLog(log_, node->of(), node->View().stopped_reason));
    HILO_RETURN_IF_ERROR(dump->WriteRows(node->store(), node->of()));
  }
  HILO_RETURN_IF_ERROR(dump->WriteLog(log_, kDeadLetters));
  for (const log::TopicSpec& topic : customer::OutboundTopics(kPartitions)) {
    for (uint32_t partition = 0; partition < topic.partitions; ++partition)
      HILO_RETURN_IF_ERROR(dump->WriteLog(log_, {topic.name, partition}));
  }
  return dump->Close();
}

Status World::DumpRefolded(const std::string& path) {
  HILO_ASSIGN_OR_RETURN(const auto dump, DumpFile::Create(path));
  fold::Listener deaf;
  for (const auto& node : nodes_) {
    fold::Partition::Options options{
        .of = node->of(), .targets = {kDeadLetters}, .owner = false, .max_batch_records = 1'000};
    for (uint32_t i = 0; node->of() == kEvents && i < kPartitions; ++i)
      options.targets.push_back({"customers", i});
    if (node->of() != kEvents) AddOutbound(node->of().partition, options);
    store::MapStore rows;
    const auto progress = fold::NewLocalProgress();
    const auto fold = MakeFold(node->of());
    auto partition = fold::Partition::Open(options, log_, rows, *fold, *progress, deaf);
    // What a fold stops at the rows show: they are not those of the first one.
    while (partition.ok()) {
      const auto folded = (*partition)->Step(std::chrono::milliseconds(0));
      if (!folded.ok() || *folded == 0) break;
    }
    HILO_RETURN_IF_ERROR(dump->WriteRows(rows, node->of()));
  }
  return dump->Close();
}

}  // namespace hilo::checker
