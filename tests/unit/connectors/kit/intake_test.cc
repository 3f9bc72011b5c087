#include "connectors/kit/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "tests/testing/edge_fixture.h"

namespace hilo::kit {
namespace {

using ::testing::Each;
using testing::Edge;
using ::testing::HasSubstr;
using ::testing::SizeIs;

IncomingEvent Event(const std::string& user, const std::string& id,
                    const std::string& json = "{}") {
  IncomingEvent event{.source = {.name = "shop", .default_region = "ES"},
                      .channel = v1::CHANNEL_SYSTEM,
                      .id = id,
                      .type = "test.happened",
                      .received = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1))};
  event.identifiers.push_back({v1::IDENTIFIER_KIND_USER_ID, user});
  event.document = json::Document::Parse(json).value();
  event.properties = event.document->root();
  event.body = json;
  return event;
}

std::vector<Accepted> AcceptAndWait(Intake& intake, std::vector<IncomingEvent> events) {
  std::promise<std::vector<Accepted>> promise;
  auto answered = promise.get_future();
  intake.Accept(std::move(events),
                [&](std::vector<Accepted> results) { promise.set_value(std::move(results)); });
  return answered.get();
}

// A key store that fails on demand.
class FailingKeys final : public keys::KeyStore {
 public:
  Status EnsureKeys(std::span<const SubjectId> subjects) override {
    ensured.push_back(subjects.size());
    if (failing) return Error(StatusCode::kUnavailable, "key_store_broken", "the disk is gone");
    return inner.EnsureKeys(subjects);
  }
  StatusOr<keys::SubjectKey> EnsureKey(SubjectId subject) override {
    return inner.EnsureKey(subject);
  }
  StatusOr<keys::SubjectKey> FindKey(SubjectId subject) override { return inner.FindKey(subject); }
  Status DestroyKeys(std::span<const SubjectId> subjects) override {
    return inner.DestroyKeys(subjects);
  }
  StatusOr<HashKey> PurposeKey(std::string_view purpose) override {
    return inner.PurposeKey(purpose);
  }

  keys::MemoryKeyStore inner;
  bool failing = false;
  std::vector<size_t> ensured;
};

TEST(Intake, WithAWorkerAnswersEachInOrderWithItsOffset) {
  Edge edge({.worker = true});
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<IncomingEvent> events;
    for (int i = 0; i < 10; ++i)
      events.push_back(Event("u" + std::to_string(i), std::to_string(batch * 10 + i)));
    const auto results = AcceptAndWait(*edge.intake, std::move(events));
    ASSERT_THAT(results, SizeIs(10));
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(results[static_cast<size_t>(i)].status.ok());
      EXPECT_EQ(results[static_cast<size_t>(i)].offset, batch * 10 + i);
    }
  }
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(200));
  EXPECT_EQ(edge.Identifiers(stored[13].event), "user_id:u3");
}

TEST(Intake, ManyThreadsLoseAndDoubleNothing) {
  Edge edge({.worker = true});
  std::atomic<int> accepted{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 200; ++i) {
          std::vector<IncomingEvent> events;
          events.push_back(Event("u" + std::to_string(thread), std::to_string(thread * 1'000 + i)));
          for (const Accepted& result : AcceptAndWait(*edge.intake, std::move(events)))
            accepted += result.status.ok();
        }
      });
    }
  }
  EXPECT_EQ(accepted, 800);
  std::set<std::string> ids;
  for (const auto& stored : edge.Stored()) ids.insert(stored.event.event_id());
  EXPECT_THAT(ids, SizeIs(800));
  EXPECT_EQ(edge.log.EndOffset({"events", 0}).value(), 800);
}

TEST(Intake, StoppingAnswersWhatWaits) {
  Edge edge({.worker = true}, {.mode = log::MemoryLog::Mode::kManual});
  std::atomic<int> answered{0};
  for (int i = 0; i < 100; ++i) {
    std::vector<IncomingEvent> events;
    events.push_back(Event("u", std::to_string(i)));
    edge.intake->Accept(std::move(events), [&](std::vector<Accepted>) { ++answered; });
  }
  edge.intake.reset();
  // What had reached the log is answered by the log, although the intake is gone.
  edge.log.Pump();
  EXPECT_EQ(answered, 100);
}

TEST(Intake, SubjectsOfABatchShareOneSyncOfTheKeyStore) {
  Edge edge;
  FailingKeys keys;
  const auto intake =
      Intake::Create({.worker = false}, edge.log, keys, edge.clock, edge.registry).value();
  std::vector<IncomingEvent> events;
  for (int i = 0; i < 10; ++i)
    events.push_back(Event("u" + std::to_string(i % 4), std::to_string(i)));
  AcceptAndWait(*intake, std::move(events));
  EXPECT_THAT(keys.ensured, ::testing::ElementsAre(4));
}

TEST(Intake, WithoutKeysNothingIsAppendedAndLaterItIs) {
  Edge edge;
  FailingKeys keys;
  const auto intake =
      Intake::Create({.worker = false}, edge.log, keys, edge.clock, edge.registry).value();
  keys.failing = true;
  std::vector<IncomingEvent> events;
  events.push_back(Event("u", "1"));
  const auto failed = AcceptAndWait(*intake, std::move(events));
  EXPECT_EQ(Reason(failed[0].status), "key_store_broken");
  EXPECT_EQ(HttpStatusOf(failed[0].status, intake->AnswerTo(failed[0].status)), 503);
  EXPECT_THAT(edge.Stored(), SizeIs(0));
  keys.failing = false;
  events.clear();
  events.push_back(Event("u", "1"));
  EXPECT_TRUE(AcceptAndWait(*intake, std::move(events))[0].status.ok());
  EXPECT_THAT(edge.Stored(), SizeIs(1));
}

TEST(Intake, AnErrorThatIsLongPastDoesNotMakeTheNextOneALastingOne) {
  Edge edge;
  const Status paused = Error(StatusCode::kUnavailable, "intake_paused", "");
  const auto status_now = [&] {
    std::vector<IncomingEvent> events;
    events.push_back(Event("u", ""));
    const auto results = AcceptAndWait(*edge.intake, std::move(events));
    return edge.intake->AnswerTo(results[0].status).status;
  };
  edge.intake->Pause("disk_full");
  EXPECT_EQ(status_now(), 503);
  edge.clock.Advance(std::chrono::seconds(6));
  EXPECT_EQ(status_now(), 429);
  edge.clock.Advance(std::chrono::minutes(10));
  EXPECT_EQ(status_now(), 503);
  edge.intake->Pause("outbox_full");
  edge.intake->Resume("disk_full");
  EXPECT_EQ(edge.intake->PausedReason(), "outbox_full");
  edge.intake->Resume("outbox_full");
  EXPECT_EQ(edge.intake->PausedReason(), "");
}

TEST(Intake, UsesTheCatalogueItIsGiven) {
  Edge edge;
  const std::vector<catalogue::File> files = {{"a.yaml", R"(
apiVersion: hilo/v1
kind: FactKind
metadata: {name: allergy}
spec: {question: {en: "Any allergies?"}, expires_after: 2d}
---
apiVersion: hilo/v1
kind: FactRule
metadata: {name: allergy}
spec:
  when: {type: test.happened, condition: {path: kind, equals: "7"}}
  from: answers.0.text
  kind: allergy
  confidence: 60
---
apiVersion: hilo/v1
kind: Source
metadata: {name: shop}
spec: {rank: 9}
)"}};
  const auto parsed = catalogue::Catalogue::Parse(files, 42);
  ASSERT_TRUE(parsed.catalogue) << parsed.problems[0].message;
  edge.intake->UseCatalogue(parsed.catalogue);
  std::vector<IncomingEvent> events;
  events.push_back(Event("u", "1", R"({"kind":7,"answers":[{"text":" nuts "}]})"));
  events.push_back(Event("u", "2", R"({"kind":8,"answers":[{"text":"none"}]})"));
  AcceptAndWait(*edge.intake, std::move(events));
  const auto stored = edge.Stored();
  EXPECT_EQ(edge.Facts(stored[0].body), "allergy=nuts");
  EXPECT_EQ(stored[0].body.facts(0).confidence(), 60u);
  EXPECT_EQ(stored[0].body.facts(0).expires_after_micros(), int64_t{2} * 86'400 * 1'000'000);
  EXPECT_EQ(stored[0].body.source_rank(), 9u);
  EXPECT_EQ(stored[0].body.catalogue_revision(), 42u);
  EXPECT_EQ(edge.Facts(stored[1].body), "");
}

TEST(Intake, SealsForTheStrongestIdentifierAndTheseBytesAreTheSubjects) {
  Edge edge;
  IncomingEvent event = Event("u-ana", "1", R"({"secret":"canary"})");
  event.identifiers.insert(event.identifiers.begin(),
                           {v1::IDENTIFIER_KIND_EMAIL, "ana@example.com"});
  std::vector<IncomingEvent> events;
  events.push_back(std::move(event));
  AcceptAndWait(*edge.intake, std::move(events));
  const auto stored = edge.Stored();
  const auto subject = *SubjectId::FromBytes(stored[0].body.subject());
  EXPECT_EQ(subject.Bytes(), stored[0].event.identifiers(0).hash());
  EXPECT_EQ(keys::Sealer::SubjectOf(stored[0].body.sealed_properties()), subject);
  ASSERT_TRUE(edge.keys.DestroyKey(subject).ok());
  EXPECT_THAT(edge.Properties(stored[0].body), HasSubstr("key_destroyed"));
}

TEST(Intake, EventsWithoutAnIdAreNeverTakenForEachOther) {
  Edge edge;
  std::vector<IncomingEvent> events;
  for (int i = 0; i < 3; ++i) events.push_back(Event("u", ""));
  const auto results = AcceptAndWait(*edge.intake, std::move(events));
  EXPECT_NE(results[0].event_id, results[1].event_id);
  EXPECT_THAT(edge.Stored(), SizeIs(3));
}

TEST(Intake, RemembersAsManyIdsAsItMay) {
  Edge edge({.worker = false, .recent_events = 2});
  for (const char* id : {"1", "2", "3", "1"}) {
    std::vector<IncomingEvent> events;
    events.push_back(Event("u", id));
    AcceptAndWait(*edge.intake, std::move(events));
  }
  EXPECT_THAT(edge.Stored(), SizeIs(4)) << "what is forgotten here the identity fold still knows";
}

}  // namespace
}  // namespace hilo::kit
