#include "streams/customer/outbound.h"

#include <gtest/gtest.h>

#include <string>

#include "hilo/v1/decision_service.pb.h"
#include "streams/customer/outbound_reader.h"
#include "tests/unit/streams/customer/outbound_driver.h"

namespace hilo::customer {
namespace {

using store::v1::JourneyRow;
using store::v1::ReportMessage;

TEST(Outbound, FromAnAbandonedBasketToASentMessage) {
  OutboundDriver hub;
  hub.Know("ana");
  hub.Begin("ana", "basket", "b1", 30 * kMinute);
  ASSERT_EQ(hub.Run("ana").state(), JourneyRow::STATE_WAITING);
  EXPECT_TRUE(hub.Due().empty());

  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(31)).ok());
  ASSERT_EQ(hub.Due().size(), 1u);
  EXPECT_EQ(hub.Due()[0].turn, 1u);
  EXPECT_EQ(hub.Run("ana").state(), JourneyRow::STATE_DUE);
  EXPECT_EQ(hub.Count(fold::Notice::Kind::kDue), 2) << "told again after a minute";

  hub.Decide("ana", hub.Order());
  EXPECT_TRUE(hub.Due().empty());
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_DECIDED);
  ASSERT_EQ(hub.Outbound().size(), 1u);
  const store::v1::OutboundMessage sent = hub.Outbound()[0];
  EXPECT_EQ(sent.message(), hub.Message("ana").message());
  EXPECT_EQ(sent.attempt(), 1u);
  EXPECT_EQ(sent.address().hash(), Id("mail-ana"));
  store::v1::Event trigger;
  ASSERT_TRUE(trigger.ParseFromString(sent.event()));
  EXPECT_EQ(trigger.event_id(), Id("begin"));
  ASSERT_EQ(sent.traits_size(), 1);
  EXPECT_EQ(sent.traits(0).sealed(), "Ana");

  const auto permit = hub.AskPermit("ana", 1, 7);
  EXPECT_TRUE(permit.granted());
  EXPECT_GT(permit.valid_micros(), 0);
  EXPECT_EQ(hub.AskPermit("ana", 1, 8).reason(), "in_flight");

  hub.Report("ana", 1, 7, ReportMessage::RESULT_SENT);
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_SENT);
  EXPECT_EQ(hub.Run("ana").state(), JourneyRow::STATE_ENDED);
  EXPECT_EQ(hub.Run("ana").reason(), "sent");
  const TimelinePage page = hub.Timeline("ana");
  ASSERT_FALSE(page.entries.empty());
  EXPECT_EQ(page.entries[0].row.message().state(), v1::MESSAGE_STATE_SENT);
}

}  // namespace
}  // namespace hilo::customer
