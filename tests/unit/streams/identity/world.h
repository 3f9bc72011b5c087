#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/metric_names.h"
#include "ops/base/metrics.h"
#include "state/store/map_store.h"
#include "state/store/tables.h"
#include "state/types/hash.h"
#include "streams/fold/fold.h"
#include "streams/identity/identity_fold.h"
#include "streams/identity/keys.h"
#include "streams/identity/lookup.h"
#include "streams/identity/rows.h"

namespace hilo::identity {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
// Thursday, 1 January 2026, 00:00 UTC: also the first second of a week since 1970.
constexpr int64_t kNewYear = 1'767'225'600 * kSecond;

inline Hash16 HashOf(const std::string& text) { return Hash(text); }
inline std::string BytesOf(const std::string& text) { return std::string(Bytes(Hash(text))); }

// "user u1", "email a@b", "phone 1", "anon a1", "device d1"; a "weak " in front sets the flag.
inline store::v1::Identifier IdentifierOf(std::string text) {
  store::v1::Identifier identifier;
  if (text.starts_with("weak ")) {
    identifier.set_weak(true);
    text = text.substr(5);
  }
  static const std::map<std::string, uint32_t> kKinds = {
      {"user", 1}, {"email", 2}, {"phone", 3}, {"anon", 4}, {"device", 5}};
  identifier.set_kind(kKinds.at(text.substr(0, text.find(' '))));
  identifier.set_hash(BytesOf(text));
  identifier.set_sealed("sealed " + text);
  return identifier;
}

struct EventSpec {
  std::string id;
  std::vector<std::string> identifiers;
  int64_t micros = kNewYear;
  std::string body = "body";
  // kind, id, role
  std::vector<std::array<std::string, 3>> groups;
};

inline store::v1::Event EventOf(const EventSpec& spec) {
  store::v1::Event event;
  event.set_event_id(BytesOf("event " + spec.id));
  event.set_body_hash(BytesOf(spec.body));
  event.set_event_micros(spec.micros);
  event.set_receive_micros(spec.micros);
  for (const std::string& text : spec.identifiers) {
    *event.add_identifiers() = IdentifierOf(text);
  }
  for (const auto& [kind, id, role] : spec.groups) {
    store::v1::Group& group = *event.add_groups();
    group.set_kind(kind);
    group.set_group(BytesOf(kind + " " + id));
    group.set_role(role);
  }
  event.set_body(spec.body);
  return event;
}

inline store::v1::Record RecordOf(const store::v1::Event& event) {
  store::v1::Record record;
  record.set_event(event.SerializeAsString());
  return record;
}

// What was sent on a lane.
struct Emission {
  log::TopicPartition to;
  store::v1::Record record;
};

// Rows over a store with a batch staged on top, as the runtime keeps them.
class StagedContext final : public fold::Context {
 public:
  explicit StagedContext(store::Store& store) : store_(store) {}

  LogTime Now() const override { return now; }
  bool Closed() const override { return false; }
  uint32_t Version() const override { return 1; }
  const store::v1::Parameters& Parameters() const override { return parameters; }

  StatusOr<std::optional<std::string>> Get(std::string_view key) override {
    ++gets;
    if (!failure.ok()) return failure;
    if (const auto at = staged_.find(key); at != staged_.end()) return at->second;
    return store_.Get(key);
  }
  void Put(std::string_view key, std::string_view value) override {
    ++changes;
    staged_.insert_or_assign(std::string(key), std::string(value));
  }
  void Delete(std::string_view key) override {
    ++changes;
    staged_.insert_or_assign(std::string(key), std::nullopt);
  }
  Status Scan(const store::KeyRange& range,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    std::map<std::string, std::string, std::less<>> rows;
    const std::unique_ptr<store::Iterator> stored = store_.NewIterator(range);
    for (; stored->Valid(); stored->Next()) {
      rows.emplace(stored->Key(), stored->Value());
    }
    for (const auto& [key, value] : staged_) {
      if (key < range.begin || (!range.end.empty() && key >= range.end)) continue;
      if (value) {
        rows.insert_or_assign(key, *value);
      } else {
        rows.erase(key);
      }
    }
    for (const auto& [key, value] : rows) {
      ++scanned;
      if (!visit(key, value)) break;
    }
    return OkStatus();
  }

  void Emit(const log::TopicPartition& to, const store::v1::Record& record) override {
    emitted.push_back({to, record});
  }
  void SetTimer(const fold::Timer&) override { ADD_FAILURE() << "identity sets no timers"; }
  void CancelTimer(std::string_view) override { ADD_FAILURE() << "identity sets no timers"; }
  void Answer(std::string_view, RequestId, const store::v1::AnswerRow&) override {
    ADD_FAILURE() << "identity answers nobody";
  }
  void Tell(const fold::Notice&) override { ADD_FAILURE() << "identity tells nobody"; }

  void Write() {
    std::unique_ptr<store::Batch> batch = store_.NewBatch();
    for (const auto& [key, value] : staged_) {
      if (value) {
        batch->Put(key, *value);
      } else {
        batch->Delete(key);
      }
    }
    ASSERT_TRUE(store_.Write(std::move(batch)).ok());
    staged_.clear();
  }
  void Drop() { staged_.clear(); }

  LogTime now;
  store::v1::Parameters parameters;
  std::vector<Emission> emitted;
  Status failure = OkStatus();
  int gets = 0;
  int changes = 0;
  int scanned = 0;

 private:
  store::Store& store_;
  std::map<std::string, std::optional<std::string>, std::less<>> staged_;
};

inline HashKey TestKey() {
  HashKey key;
  for (size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<uint8_t>(i);
  return key;
}

// One partition of events: records go in, one by one, each written at once.
class World {
 public:
  explicit World(uint32_t partitions = 4)
      : partitions_(partitions), context_(store_), fold_(NewFold()) {
    context_.now = {kNewYear};
  }

  fold::Outcome Apply(const store::v1::Record& record) {
    const store::v1::RecordHeader header;
    const fold::Outcome outcome = fold_->Apply({.from = events_,
                                                .offset = offset_++,
                                                .append_micros = append_micros_,
                                                .header = header,
                                                .record = record},
                                               context_);
    context_.Write();
    return outcome;
  }
  fold::Outcome Apply(const EventSpec& spec) { return Apply(RecordOf(EventOf(spec))); }
  // Applies an event that must be accepted, and gives back what its customer was told.
  store::v1::CustomerEvent Accepted(const EventSpec& spec) {
    context_.emitted.clear();
    const fold::Outcome outcome = Apply(spec);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    if (context_.emitted.empty()) {
      ADD_FAILURE() << "event " << spec.id << " went nowhere";
      return {};
    }
    return context_.emitted.front().record.customer_event();
  }
  // The customer that an event with these identifiers goes to.
  CustomerId CustomerOf(std::vector<std::string> identifiers) {
    return *CustomerId::FromBytes(Accepted({.id = "auto " + std::to_string(offset_),
                                            .identifiers = std::move(identifiers),
                                            .micros = context_.now.micros})
                                      .customer());
  }
  // The machine reason of a refusal, "" when it was accepted.
  std::string Refusal(const EventSpec& spec) {
    context_.emitted.clear();
    const int changes = context_.changes;
    const fold::Outcome outcome = Apply(spec);
    if (outcome.ok()) return "";
    EXPECT_TRUE(outcome.refused());
    EXPECT_EQ(context_.changes, changes) << "a refusal changes nothing";
    EXPECT_TRUE(context_.emitted.empty());
    return Reason(outcome.status());
  }

  void SetNow(int64_t micros) { context_.now = {micros}; }
  void SetAppendTime(int64_t micros) { append_micros_ = micros; }
  void Tick(int64_t now) {
    SetNow(now);
    EXPECT_TRUE(fold_->Ticked(context_).ok());
    context_.Write();
  }
  void Restart() { fold_ = NewFold(); }

  std::optional<IdentifierFound> Find(const std::string& text) {
    const store::v1::Identifier identifier = IdentifierOf(text);
    auto found =
        FindByIdentifier(store_, identifier.kind(), *IdentifierHash::FromBytes(identifier.hash()));
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : std::nullopt;
  }
  std::vector<SuggestionFound> Suggestions(CustomerId customer) {
    auto found = SuggestionsOf(store_, customer);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : std::vector<SuggestionFound>();
  }
  uint64_t Counted(const CounterMetric& metric) { return registry_.Get(metric).Value(); }
  uint64_t NotLinked(std::string_view limit) {
    return registry_.Get(metric::kIdentityNotLinked, {limit}).Value();
  }
  size_t RowsIn(store::Table table) {
    size_t rows = 0;
    for (const auto& row : *store_.AllRows()) rows += row.first[0] == static_cast<char>(table);
    return rows;
  }

  store::MapStore& store() { return store_; }
  StagedContext& context() { return context_; }
  fold::Fold& fold() { return *fold_; }
  const std::vector<Emission>& emitted() const { return context_.emitted; }
  log::Offset offset() const { return offset_; }

 private:
  std::unique_ptr<fold::Fold> NewFold() {
    return NewIdentityFold({.customer_partitions = partitions_,
                            .id_key = TestKey(),
                            .cached_identifiers = 64,
                            .cached_customers = 32,
                            .cached_places = 16,
                            .metrics = &registry_});
  }

  const uint32_t partitions_;
  const log::TopicPartition events_{"events", 0};
  Registry registry_;
  store::MapStore store_;
  StagedContext context_;
  std::unique_ptr<fold::Fold> fold_;
  log::Offset offset_ = 0;
  int64_t append_micros_ = kNewYear;
};

}  // namespace hilo::identity
