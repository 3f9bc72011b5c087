#include "streams/customer/reader.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "state/timeline/entry_key.h"
#include "streams/customer/catalogue_rows.h"
#include "tests/unit/streams/customer/customer_driver.h"

namespace hilo::customer {
namespace {

TEST(Reader, TellsTheTimelineNewestFirstByEventTimeHoweverItCame) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  for (int64_t at : {30, 10, 20}) hub.Give(EventOf("ana", now + at));
  const TimelinePage page = hub.Timeline("ana");
  ASSERT_EQ(page.entries.size(), 3u);
  EXPECT_EQ(page.entries[0].row.event_micros(), now + 30);
  EXPECT_EQ(page.entries[1].row.event_micros(), now + 20);
  EXPECT_EQ(page.entries[2].row.event_micros(), now + 10);
  EXPECT_TRUE(page.next.empty());
}

TEST(Reader, PagesNameEachEntryOnceAlsoWhenNewOnesCome) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  for (int i = 0; i < 25; ++i) hub.Append(EventOf("ana", now + i / 2).Record());
  ASSERT_TRUE(hub.driver().Settle().ok());
  std::multiset<int64_t> offsets;
  TimelineQuery query{.page_size = 10};
  int pages = 0;
  do {
    const TimelinePage page = hub.Timeline("ana", query);
    for (const auto& entry : page.entries) offsets.insert(entry.row.offset());
    query.after = page.next;
    hub.Give(EventOf("ana", now + 1'000 + pages));
    ++pages;
  } while (!query.after.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(offsets.size(), 25u);
  EXPECT_EQ(std::set<int64_t>(offsets.begin(), offsets.end()).size(), 25u);
}

TEST(Reader, AFullLastPageHasNoNext) {
  CustomerDriver hub;
  for (int i = 0; i < 4; ++i) hub.Give(EventOf("ana", hub.Now() + i));
  EXPECT_TRUE(hub.Timeline("ana", {.page_size = 4}).next.empty());
  EXPECT_FALSE(hub.Timeline("ana", {.page_size = 3}).next.empty());
}

TEST(Reader, FiltersByChannel) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.Give(EventOf("ana", now));
  hub.Give(EventOf("ana", now + 1).Call("c1", "queued"));
  hub.Give(EventOf("ana", now + 2));
  const TimelinePage page = hub.Timeline("ana", {.channel = v1::CHANNEL_CALL});
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].row.event_micros(), now + 1);
}

TEST(Reader, AFilterThatMatchesNothingStopsAndGoesOn) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.Append(EventOf("ana", now - 1).Call("c1", "queued").Record());
  for (size_t i = 0; i < kMaxRowsScanned; ++i) {
    hub.Append(EventOf("ana", now + static_cast<int64_t>(i)).Record());
  }
  ASSERT_TRUE(hub.driver().Settle().ok());
  const TimelinePage first = hub.Timeline("ana", {.channel = v1::CHANNEL_CALL});
  EXPECT_TRUE(first.entries.empty());
  ASSERT_FALSE(first.next.empty());
  const TimelinePage second =
      hub.Timeline("ana", {.after = first.next, .channel = v1::CHANNEL_CALL});
  EXPECT_EQ(second.entries.size(), 1u);
  EXPECT_TRUE(second.next.empty());
}

TEST(Reader, MergesTheTimelinesOfSeveralMembers) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  // Two members of one customer lie in its bucket.
  for (int i = 0; i < 12; ++i) {
    store::v1::Record record = EventOf("ana", now + i / 3).Record();
    record.mutable_customer_event()->set_member(Id(i % 2 == 0 ? "ana" : "bob"));
    hub.Append(record);
  }
  ASSERT_TRUE(hub.driver().Settle().ok());
  const auto& store = hub.driver().store(CustomerDriver::kPartition);
  std::vector<int64_t> offsets;
  TimelineQuery query{.page_size = 5};
  do {
    const auto page =
        ReadTimeline(store, *CustomerId::FromBytes(Id("ana")),
                     {*MemberId::FromBytes(Id("ana")), *MemberId::FromBytes(Id("bob"))}, query);
    ASSERT_TRUE(page.ok());
    for (const auto& entry : page->entries) offsets.push_back(entry.row.offset());
    query.after = page->next;
  } while (!query.after.empty());
  ASSERT_EQ(offsets.size(), 12u);
  for (size_t i = 1; i < offsets.size(); ++i) EXPECT_GT(offsets[i - 1], offsets[i]);
}

TEST(Reader, RefusesAPageTokenThatIsNotOurs) {
  CustomerDriver hub;
  const auto page = ReadTimeline(hub.driver().store(CustomerDriver::kPartition),
                                 *CustomerId::FromBytes(Id("ana")),
                                 {*MemberId::FromBytes(Id("ana"))}, {.after = "nonsense"});
  EXPECT_EQ(Reason(page.status()), "page_token_invalid");
}

TEST(Reader, TellsTheCallsOfAnAgentOldestFirstAcrossCustomers) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.Give(EventOf("bob", now + 5).Call("c2", "agent_ringing", "marta"));
  hub.Give(EventOf("ana", now).Call("c1", "agent_ringing", "marta"));
  hub.Give(EventOf("ana", now).Name("x").Call("c3", "agent_ringing", "marta2"));
  const auto calls = hub.CallsAt("marta");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].customer.Bytes(), Id("ana"));
  EXPECT_EQ(calls[1].customer.Bytes(), Id("bob"));
}

TEST(Reader, AnUnknownCustomerIsAbsent) {
  CustomerDriver hub;
  EXPECT_FALSE(hub.Row("nobody").has_value());
  EXPECT_TRUE(hub.Timeline("nobody").entries.empty());
  const auto catalogue = ReadCatalogue(hub.driver().store(CustomerDriver::kPartition));
  ASSERT_TRUE(catalogue.ok());
  EXPECT_FALSE(catalogue->has_value());
}

}  // namespace
}  // namespace hilo::customer
