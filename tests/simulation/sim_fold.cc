#include "tests/simulation/sim_fold.h"

#include <chrono>

#include "state/store/keys.h"

namespace hilo::simulation {
namespace {

using store::KeyBuilder;
using store::Table;

uint64_t ReadU64(std::string_view bytes) {
  uint64_t value = 0;
  for (char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}
std::string U64(uint64_t value) { return KeyBuilder(Table::kMember).U64(value).Build().substr(1); }

std::string NameOf(const log::TopicPartition& of) {
  return of.topic + std::to_string(of.partition) + "|";
}

log::TopicPartition TargetOf(const store::v1::Record& record) {
  const std::string& event = record.event();
  return {"targets", static_cast<uint32_t>(event.back() - '0')};
}

}  // namespace

store::v1::Record SimFold::Event(uint64_t id, uint32_t target) {
  store::v1::Record record;
  record.set_event(std::to_string(id) + ">" + std::to_string(target));
  return record;
}

std::string SimFold::EntryOf(const store::v1::Record& record, log::Offset offset,
                             const log::TopicPartition& target) {
  if (record.has_customer_event()) return record.customer_event().event();
  if (!record.has_event() || TargetOf(record) != target) return "";
  return std::to_string(std::stoull(record.event())) + "@" + std::to_string(offset);
}

fold::Outcome SimFold::Write(const std::string& of, const std::string& entry,
                             fold::Context& context) {
  const std::string count_key = KeyBuilder(Table::kMember).Raw(of).Build();
  const auto count = context.Get(count_key);
  if (!count.ok()) return fold::Outcome::Failed(count.status());
  const uint64_t next = *count ? ReadU64(**count) + 1 : 1;
  context.Put(count_key, U64(next));
  context.Put(KeyBuilder(Table::kTimeline).Raw(of).U64(next).Build(),
              U64(static_cast<uint64_t>(context.Now().micros)) + entry);
  return fold::Outcome::Ok();
}

fold::Outcome SimFold::Apply(const fold::FoldRecord& record, fold::Context& context) {
  if (record.record.has_event()) {
    const log::TopicPartition target = TargetOf(record.record);
    store::v1::Record onward;
    onward.mutable_customer_event()->set_event(EntryOf(record.record, record.offset, target));
    context.Emit(target, onward);
    return fold::Outcome::Ok();
  }
  const std::string& entry = record.record.customer_event().event();
  const uint64_t id = std::stoull(entry);
  if (id % 7 == 0) {
    context.SetTimer({.name = entry, .due = context.Now() + std::chrono::seconds(3)});
  }
  const log::TopicPartition source{record.header.source_topic(), record.header.source_partition()};
  fold::Outcome written = Write(NameOf(source), entry, context);
  if (written.ok() && Refuses(id)) return fold::Outcome::Refused("planted", "every eleventh is");
  return written;
}

fold::Outcome SimFold::Fire(const fold::Timer& timer, fold::Context& context) {
  return Write("timers|", timer.name, context);
}

std::vector<std::string> SimFold::Applied(const store::Reader& store,
                                          const log::TopicPartition& source) {
  std::vector<std::string> entries;
  const auto rows = store.NewIterator(
      store::PrefixRange(KeyBuilder(Table::kTimeline).Raw(NameOf(source)).Build()));
  for (; rows->Valid(); rows->Next()) entries.emplace_back(rows->Value().substr(8));
  return entries;
}

}  // namespace hilo::simulation
