#include "ops/base/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <string>

#include "ops/base/json_text.h"
#include "ops/base/metric_names.h"

namespace hilo {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

TEST(JsonText, EscapesWhatCouldEndAStringOrALine) {
  EXPECT_EQ(Quoted("a\"b\\c\nd\te\r"), R"("a\"b\\c\u000ad\u0009e\u000d")");
  EXPECT_EQ(Quoted(std::string_view("\0\x1b[31m\x7f", 7)), R"("\u0000\u001b[31m\u007f")");
}

TEST(JsonText, KeepsTextAndEscapesControlsBeyondAscii) {
  EXPECT_EQ(Quoted("Añá 👟"), "\"Añá 👟\"");
  // U+0085 next line, U+2028 line separator, U+202E right-to-left override, U+FEFF.
  EXPECT_EQ(Quoted("\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xef\xbb\xbf"),
            R"("\u0085\u2028\u202e\ufeff")");
}

TEST(JsonText, ReplacesBytesThatAreNoUtf8) {
  const std::string_view kReplacement = "\xef\xbf\xbd";
  const auto replaced = [&](int times) {
    std::string text = "\"";
    for (int i = 0; i < times; ++i) text += kReplacement;
    return text + "\"";
  };
  EXPECT_EQ(Quoted("\xff"), replaced(1));
  EXPECT_EQ(Quoted("\xc0\xaf"), replaced(2));          // overlong
  EXPECT_EQ(Quoted("\xed\xa0\x80"), replaced(3));      // a surrogate
  EXPECT_EQ(Quoted("\xf4\x90\x80\x80"), replaced(4));  // above U+10FFFF
  EXPECT_EQ(Quoted("\xe2\x82"), replaced(2));          // cut
}

TEST(Logger, WritesOneJsonObjectALine) {
  CapturedLog log;
  log.logger().Warning("outbox grows", {{"lane", 3},
                                        {"bytes", uint64_t{1} << 40},
                                        {"age", std::chrono::milliseconds(1500)},
                                        {"topic", "events"},
                                        {"own", true},
                                        {"share", 0.25}});
  EXPECT_EQ(
      log.Text(),
      R"({"time":"2026-01-01T00:00:00.000000Z","level":"warning","logger":"test","msg":"outbox grows",)"
      R"("lane":3,"bytes":1099511627776,"age":1.5,"topic":"events","own":true,"share":0.25})"
      "\n");
}

TEST(Logger, WritesNumbersThatJsonLacksAsNull) {
  CapturedLog log;
  log.logger().Info("odd", {{"x", std::numeric_limits<double>::infinity()}});
  EXPECT_THAT(log.Text(), HasSubstr(R"("x":null)"));
}

TEST(Logger, TellsAStatusWithItsReason) {
  CapturedLog log;
  log.logger().Error("stopped",
                     {{"cause", Error(StatusCode::kDataLoss, "log_hole", "offset 7 is missing")}});
  EXPECT_THAT(log.Text(), HasSubstr(R"("cause":"data_loss: log_hole: offset 7 is missing")"));
}

TEST(Logger, CannotBeMadeToForgeALine) {
  CapturedLog log({.format = LogOutput::Format::kText});
  log.logger().Info("refused",
                    {{"header", "x\n2026-01-01T00:00:00Z error test: all is lost\x1b[2J"}});
  ASSERT_EQ(log.Lines().size(), 1u);
  EXPECT_EQ(log.Text().find('\n'), log.Text().size() - 1);
  EXPECT_THAT(log.Text(), Not(HasSubstr("\x1b")));
}

TEST(Logger, PrintsATokenForPersonalValues) {
  CapturedLog log;
  const Pii<std::string> email("ana@example.org");
  log.logger().Info("seen", {{"email", email}});
  EXPECT_THAT(log.Text(), HasSubstr(R"("email":"[pii]")"));
  EXPECT_THAT(log.Text(), Not(HasSubstr("ana")));
  std::ostringstream out;
  out << email;
  EXPECT_EQ(out.str(), "[pii]");
  EXPECT_EQ(email.Reveal(), "ana@example.org");
}

TEST(Logger, CutsLongValuesBetweenCharacters) {
  CapturedLog log;
  // The limit falls into the middle of a two-byte character.
  log.logger().Info("long", {{"text", std::string(LogField::kMaxFieldBytes - 1, 'a') + "ññ"}});
  EXPECT_THAT(log.Text(), EndsWith("a…\"}\n"));
  log.logger().Info("fits", {{"text", std::string(LogField::kMaxFieldBytes, 'a')}});
  EXPECT_THAT(log.Lines()[1], EndsWith("a\"}\n"));
}

TEST(Logger, CountsWithTheSameCall) {
  CapturedLog log;
  Counter& counter = log.registry().Get(metric::kFoldLaneDuplicates);
  log.logger().Warning("record came again", counter, {});
  EXPECT_EQ(counter.Value(), 1u);
  EXPECT_EQ(log.registry().Get(metric::kLogLines, {"warning"}).Value(), 1u);
}

TEST(Logger, LeavesOutWhatIsBelowTheMinimum) {
  CapturedLog log({.minimum = LogLevel::kWarning});
  log.logger().Info("usual", {});
  EXPECT_EQ(log.Text(), "");
  EXPECT_EQ(log.registry().Get(metric::kLogLines, {"info"}).Value(), 0u);
}

TEST(Logger, LimitsRepeatsAndSaysHowManyWereSuppressed) {
  CapturedLog log({.lines_per_window = 2, .window = std::chrono::seconds(10)});
  for (int i = 0; i < 7; ++i) log.logger().Info("again", {{"i", i}});
  log.logger().Info("other", {});
  EXPECT_EQ(log.Lines().size(), 3u);
  EXPECT_EQ(log.registry().Get(metric::kLogLinesSuppressed).Value(), 5u);
  EXPECT_EQ(log.registry().Get(metric::kLogLines, {"info"}).Value(), 8u);

  log.clock().Advance(std::chrono::seconds(9));
  log.logger().Info("again", {});
  EXPECT_EQ(log.Lines().size(), 3u);
  log.clock().Advance(std::chrono::seconds(1));
  log.logger().Info("again", {});
  ASSERT_EQ(log.Lines().size(), 4u);
  EXPECT_THAT(log.Lines()[3], HasSubstr(R"("suppressed":6)"));
  log.logger().Info("again", {});
  EXPECT_THAT(log.Lines()[4], Not(HasSubstr("suppressed")));
}

TEST(Logger, TellsAtTheEndWhatItSuppressedLast) {
  MemorySink sink;
  Registry registry;
  ManualClock clock{WallTime{}};
  {
    LogOutput output({.lines_per_window = 1}, sink, clock, registry);
    for (int i = 0; i < 3; ++i) Logger(output, "test").Error("again", {});
    EXPECT_EQ(sink.Lines().size(), 1u);
  }
  ASSERT_EQ(sink.Lines().size(), 2u);
  EXPECT_THAT(sink.Lines()[1], HasSubstr(R"("msg":"again","suppressed":2)"));
}

TEST(Logger, SharesOneLimitBeyondItsNumberOfMessages) {
  CapturedLog log({.lines_per_window = 2});
  const size_t more = LogOutput::kMaxMessages + 10;
  for (size_t i = 0; i < more; ++i) log.logger().Info("message " + std::to_string(i), {});
  EXPECT_EQ(log.Lines().size(), LogOutput::kMaxMessages + 2);
  EXPECT_EQ(log.registry().Get(metric::kLogLinesSuppressed).Value(), 8u);
}

TEST(Logger, CountsLinesThatCannotBeWritten) {
  Registry registry;
  ManualClock clock{WallTime{}};
  DescriptorSink closed(-1);
  LogOutput output({}, closed, clock, registry);
  Logger(output, "test").Error("lost", {});
  EXPECT_EQ(registry.Get(metric::kLogLinesLost).Value(), 1u);
}

TEST(Logger, WritesToADescriptor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  DescriptorSink sink(ends[1]);
  EXPECT_EQ(LogOutput::FormatFor(ends[1]), LogOutput::Format::kJson);
  ASSERT_TRUE(sink.Write("a line\n"));
  close(ends[1]);
  char buffer[16];
  EXPECT_EQ(read(ends[0], buffer, sizeof buffer), 7);
  close(ends[0]);
}

}  // namespace
}  // namespace hilo
