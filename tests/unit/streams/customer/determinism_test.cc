#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/unit/streams/customer/customer_driver.h"

namespace hilo::customer {
namespace {

// A day's life of a few customers: events in and out of order, commands, repeats, refusals, time.
class RandomDay {
 public:
  explicit RandomDay(uint64_t seed) : random_(seed) {}

  void Live(CustomerDriver& hub, int steps) {
    for (int i = 0; i < steps; ++i) {
      Step(hub, i);
      if (Below(20) != 0) continue;
      ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(Below(25))).ok());
    }
    ASSERT_TRUE(hub.driver().Settle().ok());
    ASSERT_TRUE(hub.driver().Advance(std::chrono::hours(5)).ok());
  }

 private:
  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }
  std::string Who() { return std::string(1, static_cast<char>('a' + Below(6))); }
  std::string Agent() { return std::string(1, static_cast<char>('A' + Below(3))); }

  void Step(CustomerDriver& hub, int number) {
    const int64_t at = hub.Now() - Below(40) * kMinute;
    EventOf event(Who(), at);
    event.Name("e" + std::to_string(number));
    switch (Below(10)) {
      case 0:
      case 1: {
        static const char* kSteps[] = {"queued",  "agent_ringing", "answered",       "agent_failed",
                                       "ended",   "transferred",   "wrapup_started", "held",
                                       "resumed", "disposition"};
        event.Call("c" + std::to_string(Below(8)), kSteps[Below(10)], Agent());
        return hub.Append(event.Record());
      }
      case 2:
        event.Identified(static_cast<v1::IdentifierKind>(1 + Below(5)),
                         "h" + std::to_string(Below(70)));
        return hub.Append(event.Trait("t" + std::to_string(Below(5)), "v").Record());
      case 3:
        return hub.Append(
            event.Fact("k" + std::to_string(Below(6)), "v", Below(60) * kMinute).Record());
      case 4:
        return hub.Append(event.Bought("o" + std::to_string(Below(30)), Below(9'000)).Record());
      case 5:
        return hub.Append(event.Case("return", Below(2) * kMinute).Record());
      case 6:
        return hub.Append(
            event.Consent(static_cast<v1::ConsentStatus>(1 + Below(2)), Below(3)).Record());
      case 7: {
        store::v1::Record broken = event.Record();
        if (Below(2) == 0) broken.mutable_customer_event()->set_event("\xff\xff");
        return hub.Append(broken);
      }
      default:
        return Command(hub);
    }
  }

  void Command(CustomerDriver& hub) {
    store::v1::Record record = CommandFor(Who(), "r" + std::to_string(Below(150)));
    auto& command = *record.mutable_command();
    const auto row = hub.Row(command.customer().substr(0, 1));
    switch (Below(7)) {
      case 0:
        command.mutable_add_note()->set_sealed_text("note");
        break;
      case 1:
        command.mutable_record_fact()->set_kind("k" + std::to_string(Below(6)));
        break;
      case 2:
        command.mutable_ask_question()->set_kind("k" + std::to_string(Below(6)));
        break;
      case 3:
        command.mutable_make_promise()->set_due_micros(hub.Now() + Below(90) * kMinute);
        break;
      case 4:
        command.mutable_end_promise()->set_state(v1::PROMISE_STATE_KEPT);
        if (row && row->promises_size() > 0) {
          command.mutable_end_promise()->set_promise(row->promises(0).promise());
        }
        break;
      case 5:
        command.mutable_start_interaction()->set_channel(v1::CHANNEL_DESK);
        break;
      default:
        if (row && row->interactions_size() > 0) {
          command.mutable_end_interaction()->set_interaction(row->interactions(0).interaction());
        }
    }
    hub.Append(record);
  }

  std::mt19937_64 random_;
};

TEST(CustomerDeterminism, OneLogIsOneStateWhateverTheBatchesAndRestarts) {
  for (uint64_t seed : {1, 2, 3}) {
    CustomerDriver hub;
    RandomDay(seed).Live(hub, 600);
    ASSERT_FALSE(hub.driver().DeadLetters().empty()) << "the day has refusals in it";
    for (size_t batch : {1, 7, 1'000}) {
      const Status again = hub.driver().Refold({.batch = batch});
      EXPECT_TRUE(again.ok()) << "seed " << seed << " batch " << batch << ": " << Describe(again);
    }
    const Status restarted = hub.driver().Refold({.batch = 1, .restart_after_each_batch = true});
    EXPECT_TRUE(restarted.ok()) << "seed " << seed << " restarted: " << Describe(restarted);
  }
}

}  // namespace
}  // namespace hilo::customer
