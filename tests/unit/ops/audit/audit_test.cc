#include "ops/audit/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "ops/audit/lines.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::audit {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kCustomer[] = "0123456789abcdef0123456789abcdef";

HashKey Seed(uint8_t number) {
  HashKey seed;
  seed.bytes[0] = number;
  return seed;
}

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_.Sub("audit.jsonl");
    heads_path_ = path_ + ".heads";
  }

  StatusOr<std::unique_ptr<Audit>> TryOpen() {
    return Audit::Open({.path = path_}, signer_, log_.clock(), log_.logger(), registry_);
  }
  void Open() {
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << Describe(opened.status());
    audit_ = *std::move(opened);
  }
  std::string OpenReason() { return Reason(TryOpen().status()); }
  void Close() { audit_.reset(); }

  static AuditEntry Entry(const std::string& method) {
    return {.principal = "agent:7",
            .method = method,
            .customer = kCustomer,
            .field_group = "context",
            .reason = "interaction:42",
            .result = "OK"};
  }
  void Record(const std::string& method) { ASSERT_TRUE(audit_->Record(Entry(method)).ok()); }

  std::vector<std::string> Lines(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> Lines() { return Lines(path_); }
  void WriteLines(const std::vector<std::string>& lines) {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
  }
  // Five entries with the opening, closed and so signed.
  void WriteFive() {
    Open();
    for (const char* method : {"a", "b", "c", "d"}) Record(method);
    Close();
    ASSERT_EQ(Lines().size(), 5u);
  }
  StatusOr<Verification> Verify() { return VerifyFile(path_, heads_path_, signer_.public_key()); }
  std::string VerifyReason() { return Reason(Verify().status()); }

  CapturedLog log_;
  Registry registry_;
  keys::Signer signer_{Seed(1)};
  hilo::testing::TemporaryDirectory folder_;
  std::string path_;
  std::string heads_path_;
  std::unique_ptr<Audit> audit_;
};

TEST_F(AuditTest, WritesOneLineAnEntry) {
  Open();
  Record("hilo.v1.CustomerService/GetContext");
  ASSERT_TRUE(audit_->Flush().ok());
  ASSERT_EQ(Lines().size(), 2u);
  EXPECT_THAT(Lines()[0], HasSubstr(R"("method":"audit.opened")"));
  EXPECT_THAT(
      Lines()[1],
      ::testing::StartsWith(
          R"({"n":2,"time":"2026-01-01T00:00:00.000000Z","principal":"agent:7",)"
          R"("method":"hilo.v1.CustomerService/GetContext","customer":")" +
          std::string(kCustomer) +
          R"(","field_group":"context","reason":"interaction:42","result":"OK","chain":")"));
  struct stat about {};
  ASSERT_EQ(stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(AuditTest, HoldsWhatItWrote) {
  WriteFive();
  const StatusOr<Verification> verification = Verify();
  ASSERT_TRUE(verification.ok()) << Describe(verification.status());
  EXPECT_EQ(verification->entries, 5u);
  EXPECT_EQ(verification->signed_entries, 5u);
}

TEST_F(AuditTest, GoesOnAfterARestart) {
  for (int i = 0; i < 3; ++i) {
    Open();
    Record("a");
    Close();
  }
  EXPECT_EQ(Lines().size(), 6u);
  EXPECT_EQ(Verify()->signed_entries, 6u);
}

TEST_F(AuditTest, SignsItsHeadAtEachInterval) {
  Open();
  Record("a");
  ASSERT_TRUE(audit_->Flush().ok());
  EXPECT_EQ(Lines(heads_path_).size(), 0u);
  log_.clock().Advance(std::chrono::seconds(59));
  Record("b");
  ASSERT_TRUE(audit_->Flush().ok());
  EXPECT_EQ(Lines(heads_path_).size(), 0u);
  log_.clock().Advance(std::chrono::seconds(1));
  Record("c");
  ASSERT_TRUE(audit_->Flush().ok());
  EXPECT_EQ(Lines(heads_path_).size(), 1u);
  Record("d");
  ASSERT_TRUE(audit_->Flush().ok());
  EXPECT_EQ(Verify()->signed_entries, 4u);
  EXPECT_EQ(Verify()->entries, 5u);
  ASSERT_TRUE(audit_->SignHead().ok());
  EXPECT_EQ(Verify()->signed_entries, 5u);
  // Nothing new: nothing to sign.
  ASSERT_TRUE(audit_->SignHead().ok());
  EXPECT_EQ(Lines(heads_path_).size(), 2u);
}

TEST_F(AuditTest, TakesEntriesOfManyThreadsInOneOrder) {
  Open();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 200; ++j) {
          EXPECT_TRUE(audit_->Record(Entry("m")).ok());
          if (j % 50 == 0) {
            EXPECT_TRUE(audit_->Flush().ok());
          }
        }
      });
    }
  }
  Close();
  EXPECT_EQ(Verify()->entries, 801u);
  EXPECT_EQ(registry_.Get(metric::kAuditEntries).Value(), 800u);
  EXPECT_EQ(registry_.Get(metric::kAuditQueued).Value(), 0);
}

TEST_F(AuditTest, RefusesTextsThatCouldHoldACustomersDataOrBreakALine) {
  Open();
  const auto reason = [&](auto change) {
    AuditEntry entry = Entry("m");
    change(entry);
    return Reason(audit_->Record(entry));
  };
  EXPECT_EQ(reason([](AuditEntry&) {}), "");
  EXPECT_EQ(reason([](AuditEntry& e) { e.principal = "agent:eva@shop.example"; }), "");
  EXPECT_EQ(reason([](AuditEntry& e) { e.customer = ""; }), "");
  EXPECT_EQ(reason([](AuditEntry& e) { e.reason = ""; }), "");
  EXPECT_EQ(reason([](AuditEntry& e) { e.principal = ""; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.principal = "a\"b"; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.principal = "a\nb"; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.method = ""; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.result = ""; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.customer = "ana@example.org"; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.reason = "Ana asked"; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.reason = "ana@example.org"; }), "audit_field");
  EXPECT_EQ(reason([](AuditEntry& e) { e.field_group = std::string(128, 'a'); }), "");
  EXPECT_EQ(reason([](AuditEntry& e) { e.field_group = std::string(129, 'a'); }), "audit_field");
  EXPECT_EQ(registry_.Get(metric::kAuditRefused, {"field_malformed"}).Value(), 9u);
  AuditEntry entry = Entry("m");
  entry.reason = "ana@example.org";
  EXPECT_THAT(Describe(audit_->Record(entry)), Not(HasSubstr("ana")));
}

TEST_F(AuditTest, HasLinesShorterThanTheirLimit) {
  Open();
  const std::string longest(AuditEntry::kMaxFieldBytes, 'a');
  ASSERT_TRUE(audit_->Record({longest, longest, kCustomer, longest, longest, longest}).ok());
  Close();
  EXPECT_LT(Lines()[1].size() + 20, kMaxLineBytes);
  Open();
  Close();
  EXPECT_TRUE(Verify().ok());
}

// A clock whose monotonic time can be held back, and with it the thread that asks for it: the
// writer.
class GateClock final : public Clock {
 public:
  WallTime Wall() const override { return {}; }
  MonotonicTime Monotonic() const override {
    MutexLock lock(mutex_);
    changed_.wait(mutex_, [&] { return open_; });
    return {};
  }
  void Let(bool open) {
    MutexLock lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

 private:
  mutable Mutex mutex_;
  mutable ConditionVariable changed_;
  bool open_ = true;
};

TEST_F(AuditTest, RefusesWhenItsQueueIsFull) {
  GateClock clock;
  auto audit =
      Audit::Open({.path = path_, .max_queued = 3}, signer_, clock, log_.logger(), registry_);
  ASSERT_TRUE(audit.ok());
  clock.Let(false);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*audit)->Record(Entry("m")).ok()) << i;
  EXPECT_EQ(Reason((*audit)->Record(Entry("m"))), "audit_unavailable");
  EXPECT_TRUE(IsRetryable((*audit)->Record(Entry("m"))));
  EXPECT_EQ(registry_.Get(metric::kAuditRefused, {"queue_full"}).Value(), 2u);
  clock.Let(true);
  ASSERT_TRUE((*audit)->Flush().ok());
  EXPECT_TRUE((*audit)->Record(Entry("m")).ok());
  audit->reset();
  EXPECT_EQ(Verify()->entries, 5u);
}

TEST_F(AuditTest, RefusesEverythingOnceAWriteHasFailed) {
  Open();
  Record("a");
  ASSERT_TRUE(audit_->Flush().ok());
  // As a full disk would: no file of this process may grow beyond what this one has.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(path_) + 10;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  ASSERT_TRUE(audit_->Record(Entry("b")).ok());
  const Status flushed = audit_->Flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, old_handler);

  EXPECT_EQ(Reason(flushed), "audit_unavailable");
  EXPECT_EQ(Reason(audit_->Record(Entry("c"))), "audit_unavailable");
  EXPECT_EQ(Reason(audit_->SignHead()), "audit_unavailable");
  EXPECT_EQ(registry_.Get(metric::kAuditRefused, {"writer_broken"}).Value(), 1u);
  EXPECT_THAT(log_.Text(), HasSubstr("audit stopped"));
  Close();
  // Ten bytes of the refused entry are on disk: the next opening removes them and says so.
  Open();
  Record("d");
  Close();
  EXPECT_EQ(Verify()->entries, 4u);
  EXPECT_THAT(Lines()[2], HasSubstr("half_written_line_removed"));
}

TEST_F(AuditTest, IsWrittenByOneAtATime) {
  Open();
  EXPECT_EQ(OpenReason(), "audit_unavailable");
}

TEST_F(AuditTest, CannotBeOpenedWhereItCannotBeWritten) {
  path_ = folder_.Sub("missing/audit.jsonl");
  EXPECT_EQ(OpenReason(), "audit_unavailable");
}

TEST_F(AuditTest, DoesNotOpenWhenItsEndWasCutOrChanged) {
  WriteFive();
  const std::vector<std::string> lines = Lines();
  std::vector<std::string> cut(lines.begin(), lines.end() - 1);
  WriteLines(cut);
  EXPECT_EQ(OpenReason(), "audit_cut");
  std::filesystem::remove(path_);
  EXPECT_EQ(OpenReason(), "audit_cut");
  std::vector<std::string> other = lines;
  other.back() = std::regex_replace(other.back(), std::regex("[0-9a-f]{4}\"\\}$"), "0000\"}");
  WriteLines(other);
  EXPECT_EQ(OpenReason(), "audit_broken");
  WriteLines(lines);
  Open();
  Close();
  EXPECT_TRUE(Verify().ok());
}

TEST_F(AuditTest, DoesNotOpenWhenWhatFollowsTheSignedHeadDoesNotHold) {
  WriteFive();
  std::ofstream(path_, std::ios::app) << "{\"n\":6}\n";
  EXPECT_EQ(OpenReason(), "audit_broken");
  std::ofstream(path_, std::ios::trunc) << std::string(kMaxLineBytes * 2, 'x');
  std::filesystem::remove(heads_path_);
  EXPECT_EQ(OpenReason(), "audit_broken");
}

TEST_F(AuditTest, DoesNotOpenWithHeadsThatAnotherKeySigned) {
  WriteFive();
  const keys::Signer other(Seed(2));
  EXPECT_EQ(
      Reason(Audit::Open({.path = path_}, other, log_.clock(), log_.logger(), registry_).status()),
      "audit_broken");
}

TEST_F(AuditTest, TakesUpAFileWithoutHeadsAndHalfWrittenEnds) {
  WriteFive();
  std::ofstream(path_, std::ios::app) << R"({"n":6,"time":"20)";
  std::ofstream(heads_path_, std::ios::app) << R"({"entries":)";
  Open();
  Close();
  EXPECT_EQ(Verify()->signed_entries, 6u);
  std::filesystem::remove(heads_path_);
  Open();
  Close();
  EXPECT_EQ(Verify()->signed_entries, 7u);
}

TEST_F(AuditTest, FindsEveryChangedByte) {
  WriteFive();
  std::ifstream file(path_, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << changed;
    ASSERT_NE(VerifyReason(), "") << "byte " << i;
  }
}

TEST_F(AuditTest, FindsLinesThatWereEditedRemovedMovedOrCut) {
  WriteFive();
  const std::vector<std::string> lines = Lines();
  const auto with = [&](auto change) {
    std::vector<std::string> changed = lines;
    change(changed);
    WriteLines(changed);
    return Describe(Verify().status());
  };
  EXPECT_EQ(with([](auto&) {}), "ok");
  EXPECT_THAT(
      with([](auto& l) { l[2] = std::regex_replace(l[2], std::regex("agent:7"), "agent:8"); }),
      ::testing::AllOf(HasSubstr("audit_edited"), HasSubstr("line 3")));
  EXPECT_THAT(with([](auto& l) { l.erase(l.begin() + 1); }),
              ::testing::AllOf(HasSubstr("audit_reordered"), HasSubstr("line 2")));
  EXPECT_THAT(with([](auto& l) { std::swap(l[1], l[2]); }), HasSubstr("audit_reordered"));
  EXPECT_THAT(with([](auto& l) { l.insert(l.begin() + 2, l[1]); }), HasSubstr("audit_reordered"));
  EXPECT_THAT(with([](auto& l) { l.pop_back(); }), HasSubstr("audit_cut"));
  EXPECT_THAT(with([](auto& l) { l.clear(); }), HasSubstr("audit_cut"));
}

TEST_F(AuditTest, FindsAChainThatWasComputedAnew) {
  WriteFive();
  // Somebody who can compute hashes leaves out "b" and writes the rest again, and adds one to hide
  // the cut.
  ChainHead head;
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  for (const char* method : {"audit.opened", "a", "c", "d", "e"}) {
    file << EntryLine(Entry(method), log_.clock().Wall(), head);
  }
  file.close();
  EXPECT_EQ(VerifyReason(), "audit_head");
}

TEST_F(AuditTest, FindsHeadsThatWereForgedOrMoved) {
  WriteFive();
  Open();
  Close();
  std::vector<std::string> heads = Lines(heads_path_);
  ASSERT_EQ(heads.size(), 2u);
  const auto with = [&](const std::vector<std::string>& lines) {
    std::ofstream file(heads_path_, std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
    file.close();
    return VerifyReason();
  };
  EXPECT_EQ(with({heads[1], heads[0]}), "audit_head");
  EXPECT_EQ(with({std::regex_replace(heads[0], std::regex("\"entries\":5"), "\"entries\":4")}),
            "audit_head");
  const keys::Signer other(Seed(2));
  std::string forged = HeadLine({}, WallTime{}, other);
  forged.pop_back();
  EXPECT_EQ(with({forged}), "audit_head");
  EXPECT_EQ(with(heads), "");
  EXPECT_EQ(Reason(VerifyFile(path_, heads_path_, other.public_key()).status()), "audit_head");
  std::filesystem::remove(heads_path_);
  EXPECT_EQ(VerifyReason(), "audit_missing");
}

}  // namespace
}  // namespace hilo::audit
