#include "tests/driver/ledger_fold.h"

#include <chrono>

#include "state/store/keys.h"
#include "tests/driver/fold_driver.h"

namespace hilo::driver {
namespace {

using store::KeyBuilder;
using store::Table;

std::string CountKey() { return KeyBuilder(Table::kMember).Raw("count").Build(); }

uint64_t ReadU64(std::string_view bytes) {
  uint64_t value = 0;
  for (char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string U64(uint64_t value) { return KeyBuilder(Table::kMember).U64(value).Build().substr(1); }

}  // namespace

store::v1::Record LedgerEvent(uint64_t id, uint32_t target, LedgerWish wish) {
  store::v1::Event event;
  event.set_event_id(std::to_string(id));
  event.set_receive_micros(target);
  event.set_event_micros(static_cast<int64_t>(wish));
  store::v1::Record record;
  event.SerializeToString(record.mutable_event());
  return record;
}

fold::Outcome LedgerFold::Write(std::string_view entry, fold::Context& context) {
  const auto count = context.Get(CountKey());
  if (!count.ok()) return fold::Outcome::Failed(count.status());
  const uint64_t next = *count ? ReadU64(**count) + 1 : 1;
  context.Put(CountKey(), U64(next));
  std::string row = U64(static_cast<uint64_t>(context.Now().micros));
  row += entry;
  context.Put(KeyBuilder(Table::kTimeline).U64(next).Build(), row);
  return fold::Outcome::Ok();
}

fold::Outcome LedgerFold::Apply(const fold::FoldRecord& record, fold::Context& context) {
  const bool arrived = record.record.has_customer_event();
  const std::string& bytes =
      arrived ? record.record.customer_event().event() : record.record.event();
  store::v1::Event event;
  if (!event.ParseFromString(bytes)) {
    return fold::Outcome::Refused("event_undecodable", "the event within cannot be read");
  }
  const auto wish = static_cast<LedgerWish>(event.event_micros());
  store::v1::Record onward;
  onward.mutable_customer_event()->set_event(bytes);
  if (!arrived) {
    const int copies = wish == LedgerWish::kTooMany ? kMaxEmissions + 1 : 1;
    for (int i = 0; i < copies; ++i) {
      context.Emit({"customers", static_cast<uint32_t>(event.receive_micros())}, onward);
    }
  } else if (wish == LedgerWish::kEcho) {
    context.Emit({"customers", record.from.partition}, onward);
  }
  if (fold::Outcome written = Write(event.event_id(), context); !written.ok()) return written;
  const LogTime later = context.Now() + std::chrono::seconds(60);
  switch (wish) {
    case LedgerWish::kRefuse:
      return fold::Outcome::Refused("planted", "the test asked for it");
    case LedgerWish::kFail:
      return fold::Outcome::Failed(
          Error(StatusCode::kUnavailable, "planted_failure", "the test asked for it"));
    case LedgerWish::kTimer:
      context.SetTimer({.name = "t" + event.event_id(), .due = later, .payload = event.event_id()});
      break;
    case LedgerWish::kSkippedTimer:
      context.SetTimer(
          {.name = "t" + event.event_id(), .due = later, .catch_up = fold::CatchUp::kSkip});
      break;
    case LedgerWish::kPeriodic:
      context.SetTimer({.name = "t" + event.event_id(),
                        .due = later,
                        .catch_up = fold::CatchUp::kLatest,
                        .period = std::chrono::seconds(60)});
      break;
    case LedgerWish::kManyTimers:
      for (int i = 0; i < 10; ++i) {
        context.SetTimer({.name = "t" + event.event_id() + "." + std::to_string(i),
                          .due = context.Now() + std::chrono::seconds(1)});
      }
      break;
    default:
      break;
  }
  return fold::Outcome::Ok();
}

fold::Outcome LedgerFold::Fire(const fold::Timer& timer, fold::Context& context) {
  return Write(timer.name, context);
}

std::vector<std::string> LedgerFold::Read(const store::Reader& store) {
  std::vector<std::string> entries;
  const auto rows = store.NewIterator(store::PrefixRange(KeyBuilder(Table::kTimeline).Build()));
  for (; rows->Valid(); rows->Next()) entries.emplace_back(rows->Value().substr(8));
  return entries;
}

std::vector<PartitionSpec> LedgerPartitions(uint32_t customers) {
  std::vector<log::TopicPartition> targets;
  for (uint32_t i = 0; i < customers; ++i) targets.push_back({"customers", i});
  std::vector<PartitionSpec> specs;
  const auto make_fold = [] { return std::make_unique<LedgerFold>(); };
  specs.push_back({.of = {"events", 0}, .targets = targets, .make_fold = make_fold});
  for (const log::TopicPartition& target : targets) {
    specs.push_back({.of = target, .targets = targets, .make_fold = make_fold});
  }
  return specs;
}

}  // namespace hilo::driver
