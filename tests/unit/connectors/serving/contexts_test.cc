#include "connectors/serving/contexts.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "connectors/serving/context_cache.h"
#include "connectors/serving/names.h"
#include "connectors/serving/views.h"
#include "hilo/v1/customer_service.pb.h"
#include "ops/base/metric_names.h"
#include "ops/keys/memory_key_store.h"
#include "state/store/map_store.h"
#include "state/timeline/entry_key.h"
#include "streams/fold/fold.h"

namespace hilo::serving {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000;
constexpr int64_t kHour = 3'600'000'000;

// One partition whose rows and clock the test writes.
class OnePartition final : public Node {
 public:
  uint32_t CustomerPartitions() const override { return 1; }
  const store::Store& CustomersStore(uint32_t) const override { return store; }
  const store::Store& IdentityStore() const override { return store; }
  fold::PartitionView View(const log::TopicPartition& of) const override {
    fold::PartitionView view;
    view.of = of;
    view.position = position;
    view.end = position + 2;
    view.log_time = LogTime{now};
    return view;
  }
  std::vector<log::TopicPartition> Folded() const override { return {{"customers", 0}}; }

  store::MapStore store;
  log::Offset position = 100;
  int64_t now = kNow;
};

class ContextsTest : public ::testing::Test {
 protected:
  ContextsTest() {
    row_.set_member(std::string(BirthMember(customer_).Bytes()));
    row_.set_customer(std::string(customer_.Bytes()));
    row_.set_language("es");
    auto* trait = row_.add_traits();
    trait->set_name("first_name");
    trait->set_sealed(Sealed("trait", "Ana"));
    for (int i = 0; i < 7; ++i) AddEntry(i, "size " + std::to_string(i));
    Save();
  }

  std::string Sealed(std::string_view field, std::string_view value) {
    return sealer_.Seal(subject_, field, value).value();
  }
  void AddEntry(int number, const std::string& text) {
    store::v1::EventBody body;
    body.set_type("web.track");
    body.set_sealed_properties(Sealed("properties", R"({"text":")" + text + R"("})"));
    store::v1::Event event;
    body.SerializeToString(event.mutable_body());
    store::v1::TimelineRow entry;
    event.SerializeToString(entry.mutable_event());
    entry.set_event_micros(kNow - kHour + number);
    entry.set_offset(number);
    Put(timeline::EntryKey(BucketOf(customer_),
                           {entry.event_micros(), number, BirthMember(customer_)}),
        entry);
  }
  // As the fold does: every change counts.
  void Save() {
    row_.set_changes(row_.changes() + 1);
    Put(timeline::MemberKey(BucketOf(customer_), BirthMember(customer_)), row_);
  }
  void Put(const std::string& key, const google::protobuf::MessageLite& row) {
    auto batch = node_.store.NewBatch();
    batch->Put(key, fold::Encode(row));
    ASSERT_TRUE(node_.store.Write(std::move(batch)).ok());
  }

  v1::Context Shown(size_t timeline_size = 20) {
    const auto wire = contexts_.ContextResponse(customer_, timeline_size);
    v1::GetContextResponse response;
    EXPECT_TRUE(wire.ok() && wire->has_value() && response.ParseFromString(**wire));
    return response.context();
  }
  // What it must be: rendered over messages, nothing kept.
  v1::Context Expected(size_t timeline_size = 20) {
    return **ReadContext(node_, sealer_, catalogue_.Catalogue(), customer_, timeline_size, clock_);
  }
  uint64_t Reads(std::string_view result) {
    return registry_.Get(metric::kContextCacheReads, {result}).Value();
  }
  static std::string Trait(const v1::Context& context) {
    return context.customer().traits().empty() ? "" : context.customer().traits(0).value();
  }

  const CustomerId customer_ = *CustomerId::FromBytes("0123456789abcdef");
  const SubjectId subject_ = *SubjectId::FromBytes("fedcba9876543210");
  Registry registry_;
  ManualClock clock_{WallTime(std::chrono::microseconds(kNow))};
  keys::MemoryKeyStore keys_;
  keys::Sealer sealer_{keys_, registry_};
  CatalogueInForce catalogue_{registry_, nullptr};
  OnePartition node_;
  ContextCache cache_{{}, keys_, registry_};
  Contexts contexts_{{.node = node_,
                      .sealer = sealer_,
                      .catalogue = catalogue_,
                      .cache = cache_,
                      .clock = clock_,
                      .registry = registry_}};
  store::v1::MemberRow row_;
};

#define EXPECT_SAME(a, b) EXPECT_EQ((a).DebugString(), (b).DebugString())

TEST_F(ContextsTest, ShowsWhatTheMessagesShowWhetherKeptOrNot) {
  for (const size_t size : {3u, 0u, 7u, 6u, 20u, 3u, 7u}) EXPECT_SAME(Shown(size), Expected(size));
  // Only the growth from 3 to 7 entries was rendered: 20 asks for more than there are.
  EXPECT_EQ(Reads("shown_again"), 5u);
  EXPECT_EQ(Reads("brought_up_to_date"), 1u);
  EXPECT_EQ(Reads("rendered"), 1u);
}

TEST_F(ContextsTest, AllBytesAreOnesThatSerialisingGives) {
  Shown();
  v1::GetContextResponse response;
  *response.mutable_context() = Expected();
  EXPECT_EQ(**contexts_.ContextResponse(customer_, 20), response.SerializeAsString());
}

TEST_F(ContextsTest, ReadsATimelinePageFromTheSameEntries) {
  Shown(20);
  for (const size_t size : {1u, 7u, 20u}) {
    v1::ListTimelineResponse page;
    ASSERT_TRUE(page.ParseFromString(**contexts_.TimelineResponse(customer_, size)));
    const v1::Context expected = Expected(size);
    ASSERT_EQ(page.entries_size(), expected.timeline_size());
    for (int i = 0; i < page.entries_size(); ++i) {
      EXPECT_SAME(page.entries(i), expected.timeline(i));
    }
    EXPECT_EQ(page.next_page_token(), expected.timeline_next_page_token());
  }
  EXPECT_EQ(Reads("rendered"), 1u);
}

TEST_F(ContextsTest, ShowsAChangeToTheVeryNextReader) {
  Shown();
  AddEntry(9, "the newest");
  row_.mutable_traits(0)->set_sealed(Sealed("trait", "Anabel"));
  Save();
  EXPECT_EQ(Trait(Shown()), "Anabel");
  EXPECT_EQ(Shown().timeline_size(), 8);
  EXPECT_EQ(Shown().timeline(0).properties(0).value(), "the newest");
  EXPECT_SAME(Shown(), Expected());
  EXPECT_EQ(Reads("brought_up_to_date"), 1u);
}

TEST_F(ContextsTest, ShowsAnEntryThatCameLateInItsPlace) {
  Shown();
  AddEntry(-50, "older than all");
  Save();
  EXPECT_SAME(Shown(), Expected());
  EXPECT_SAME(Shown(7), Expected(7));
}

TEST_F(ContextsTest, ShowsAnotherLanguageAtOnce) {
  EXPECT_EQ(Shown().customer().language(), "es");
  row_.set_language("de");
  Save();
  EXPECT_EQ(Shown().customer().language(), "de");
}

TEST_F(ContextsTest, ShowsTheCatalogueInForce) {
  auto* question = row_.add_questions();
  question->set_question("q123456789abcdef");
  question->set_kind("return_reason");
  Save();
  const std::string before = Shown().questions(0).text();
  ASSERT_NE(before, "");
  store::v1::CatalogueRevision revision;
  revision.set_revision(1);
  for (const catalogue::File& built_in : catalogue::Catalogue::BuiltInFiles()) {
    auto* file = revision.add_files();
    file->set_path(built_in.path);
    file->set_content(built_in.content);
    if (const size_t at = built_in.content.find(before); at != std::string::npos) {
      file->mutable_content()->replace(at, before.size(), "What was wrong?");
    }
  }
  catalogue_.Offer(revision);
  EXPECT_EQ(Shown().questions(0).text(), "What was wrong?");
  EXPECT_SAME(Shown(), Expected());
}

TEST_F(ContextsTest, TurnsWithLogTimeAndNotBefore) {
  auto* fact = row_.add_facts();
  fact->set_fact("f123456789abcdef");
  fact->set_kind("size");
  fact->set_sealed(Sealed("fact", "42"));
  fact->set_expire_micros(kNow + 2 * kHour);
  auto* promise = row_.add_promises();
  promise->set_promise("p123456789abcdef");
  promise->set_state(v1::PROMISE_STATE_OPEN);
  promise->set_due_micros(kNow + kHour);
  Save();
  for (const int64_t now : {kNow, kNow + kHour - 1, kNow + kHour, kNow + 2 * kHour - 1,
                            kNow + 2 * kHour, kNow + 3 * kHour}) {
    node_.now = now;
    EXPECT_SAME(Shown(), Expected());
    EXPECT_SAME(Shown(), Expected());
  }
  EXPECT_EQ(Shown().facts_size(), 0);
  EXPECT_EQ(Shown().promises(0).state(), v1::PROMISE_STATE_OVERDUE);
  EXPECT_EQ(Reads("rendered") + Reads("brought_up_to_date"), 3u);
}

TEST_F(ContextsTest, TellsPositionAndLagOfNow) {
  Shown();
  node_.position = 250;
  EXPECT_SAME(Shown(), Expected());
  EXPECT_NE(Shown().freshness().position_token().find("250"), std::string::npos);
  EXPECT_EQ(Reads("rendered"), 1u);
}

TEST_F(ContextsTest, ForgetsWhatWasOpenedWhenItsKeyIsDestroyed) {
  ASSERT_EQ(Trait(Shown()), "Ana");
  ASSERT_NE(cache_.Find(customer_), nullptr);
  ASSERT_TRUE(keys_.DestroyKey(subject_).ok());
  EXPECT_EQ(cache_.Find(customer_), nullptr);
  for (int read = 0; read < 2; ++read) {
    const std::string wire = **contexts_.ContextResponse(customer_, 20);
    EXPECT_EQ(wire.find("Ana"), std::string::npos);
    EXPECT_EQ(wire.find("size 3"), std::string::npos);
    const std::string page = **contexts_.TimelineResponse(customer_, 20);
    EXPECT_EQ(page.find("size 3"), std::string::npos);
  }
  EXPECT_SAME(Shown(), Expected());
  EXPECT_EQ(registry_.Get(metric::kContextCacheBytes).Value(), 0);
  EXPECT_EQ(registry_.Get(metric::kContextCacheErased).Value(), 1u);
}

TEST_F(ContextsTest, ForgetsWhatWasTakenOverFromAnOlderRendering) {
  Shown();
  // What is rendered now opens nothing of the subject; its entries are taken over.
  row_.clear_traits();
  Save();
  Shown();
  ASSERT_TRUE(keys_.DestroyKey(subject_).ok());
  EXPECT_EQ((**contexts_.ContextResponse(customer_, 20)).find("size 3"), std::string::npos);
}

TEST_F(ContextsTest, AReaderBesideADestructionBringsNothingBack) {
  for (int round = 0; round < 50; ++round) {
    row_.mutable_traits(0)->set_sealed(Sealed("trait", "Ana"));
    Save();
    std::jthread reader([this](std::stop_token stop) {
      while (!stop.stop_requested()) (void)contexts_.ContextResponse(customer_, 0);
    });
    ASSERT_EQ(Trait(Shown(0)), "Ana");
    ASSERT_TRUE(keys_.DestroyKey(subject_).ok());
    for (int read = 0; read < 10; ++read) EXPECT_EQ(Trait(Shown(0)), "");
  }
}

TEST_F(ContextsTest, DoesNotKeepWhatDidNotOpen) {
  row_.mutable_traits(0)->mutable_sealed()->back() ^= 1;
  Save();
  EXPECT_EQ(Trait(Shown()), Renderer::kUnreadable);
  EXPECT_EQ(cache_.Find(customer_), nullptr);
}

TEST_F(ContextsTest, ACustomerWhoIsNotKnownIsNobody) {
  const auto other = *CustomerId::FromBytes("another customer");
  EXPECT_EQ(*contexts_.ContextResponse(other, 20), std::nullopt);
  EXPECT_EQ(*contexts_.TimelineResponse(other, 20), std::nullopt);
}

std::shared_ptr<const RenderedCustomer> Rendered(size_t bytes, std::vector<SubjectId> subjects) {
  auto rendered = std::make_shared<RenderedCustomer>();
  rendered->context = keys::OpenedBytes(std::string(bytes, 'x'));
  rendered->subjects = std::move(subjects);
  return rendered;
}

CustomerId Customer(int number) {
  std::string bytes = "customer......" + std::to_string(10 + number);
  return *CustomerId::FromBytes(bytes);
}

class ContextCacheTest : public ::testing::Test {
 protected:
  Registry registry_;
  keys::MemoryKeyStore keys_;
  const SubjectId ana_ = *SubjectId::FromBytes("ana's identifier");
  const SubjectId ben_ = *SubjectId::FromBytes("ben's identifier");
};

TEST_F(ContextCacheTest, DropsTheOneUsedLongestAgoAtItsLimit) {
  const size_t each = Rendered(1'000, {})->Bytes();
  ContextCache cache({.max_bytes = 10 * each}, keys_, registry_);
  for (int i = 0; i < 10; ++i) cache.Put(Customer(i), Rendered(1'000, {}), cache.Epoch());
  EXPECT_EQ(registry_.Get(metric::kContextCacheBytes).Value(), 10.0 * each);
  ASSERT_NE(cache.Find(Customer(0)), nullptr);  // used
  cache.Put(Customer(10), Rendered(1'000, {}), cache.Epoch());
  EXPECT_NE(cache.Find(Customer(0)), nullptr);
  EXPECT_EQ(cache.Find(Customer(1)), nullptr);
  EXPECT_NE(cache.Find(Customer(2)), nullptr);
  EXPECT_EQ(registry_.Get(metric::kContextCacheBytes).Value(), 10.0 * each);
}

TEST_F(ContextCacheTest, CountsOneThatTakesThePlaceOfAnotherOnce) {
  ContextCache cache({.max_bytes = 1 << 20}, keys_, registry_);
  cache.Put(Customer(1), Rendered(9'000, {}), cache.Epoch());
  cache.Put(Customer(1), Rendered(1'000, {}), cache.Epoch());
  EXPECT_EQ(registry_.Get(metric::kContextCacheBytes).Value(), Rendered(1'000, {})->Bytes());
}

TEST_F(ContextCacheTest, DoesNotKeepAGiant) {
  ContextCache cache({.max_bytes = 100'000}, keys_, registry_);
  cache.Put(Customer(1), Rendered(100, {}), cache.Epoch());
  cache.Put(Customer(1), Rendered(20'000, {}), cache.Epoch());
  // Nor what it took the place of.
  EXPECT_EQ(cache.Find(Customer(1)), nullptr);
}

TEST_F(ContextCacheTest, DropsExactlyThoseInWhomADestroyedKeyOpenedSomething) {
  ContextCache cache({}, keys_, registry_);
  cache.Put(Customer(1), Rendered(10, {ben_, ana_}), cache.Epoch());
  cache.Put(Customer(2), Rendered(10, {ben_}), cache.Epoch());
  cache.Put(Customer(3), Rendered(10, {ana_}), cache.Epoch());
  ASSERT_TRUE(keys_.DestroyKey(ana_).ok());
  EXPECT_EQ(cache.Find(Customer(1)), nullptr);
  EXPECT_NE(cache.Find(Customer(2)), nullptr);
  EXPECT_EQ(cache.Find(Customer(3)), nullptr);
}

TEST_F(ContextCacheTest, RefusesWhatWasBegunBeforeAKeyWasDestroyed) {
  ContextCache cache({}, keys_, registry_);
  const uint64_t epoch = cache.Epoch();
  ASSERT_TRUE(keys_.DestroyKey(ana_).ok());
  cache.Put(Customer(1), Rendered(10, {ana_}), epoch);
  EXPECT_EQ(cache.Find(Customer(1)), nullptr);
  cache.Put(Customer(1), Rendered(10, {}), cache.Epoch());
  EXPECT_NE(cache.Find(Customer(1)), nullptr);
}

}  // namespace
}  // namespace hilo::serving
