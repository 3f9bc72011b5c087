#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/mutex.h"
#include "ops/base/pii.h"
#include "ops/base/status.h"

namespace hilo {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
std::string_view LogLevelName(LogLevel level);

// One key=value of a line. Keys are constants in snake_case; `trace_id`, `span_id` and `request_id`
// are known to log tools under these names. A Pii value prints its token. Texts longer than
// kMaxFieldBytes are cut.
// **Lifetime**: the texts must live until the call that writes the line returns, which temporaries
// do.
class LogField {
 public:
  static constexpr size_t kMaxFieldBytes = 1024;

  LogField(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  LogField(std::string_view key, const std::string& value)
      : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, const char* value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, bool value) : key_(key), value_(value) {}
  LogField(std::string_view key, std::signed_integral auto value)
      : key_(key), value_(int64_t{value}) {}
  LogField(std::string_view key, std::unsigned_integral auto value)
      : key_(key), value_(uint64_t{value}) {}
  LogField(std::string_view key, std::floating_point auto value)
      : key_(key), value_(double{value}) {}
  // As Describe() gives it.
  LogField(std::string_view key, const Status& value) : key_(key), value_(Describe(value)) {}
  template <typename T>
  LogField(std::string_view key, const Pii<T>&) : LogField(key, std::string_view(kPiiToken)) {}
  // In seconds.
  template <typename Rep, typename Period>
  LogField(std::string_view key, std::chrono::duration<Rep, Period> value)
      : key_(key), value_(std::chrono::duration<double>(value).count()) {}

 private:
  friend class LogOutput;
  std::string_view key_;
  std::variant<std::string_view, std::string, int64_t, uint64_t, double, bool> value_;
};

// Where lines go. **Threads**: called by one thread at a time.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // `line` ends in a newline. False when it is lost; it is then counted, not reported.
  virtual bool Write(std::string_view line) = 0;
};

// A file descriptor (2 for stderr), one write a line, not closed at the end. It waits for a reader
// that does not read.
class DescriptorSink final : public LogSink {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  bool Write(std::string_view line) override;

 private:
  int descriptor_;
};

// Keeps the lines, for tests. **Threads**: thread-safe.
class MemorySink final : public LogSink {
 public:
  bool Write(std::string_view line) override;
  std::vector<std::string> Lines() const;
  // All lines in one text.
  std::string Text() const;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ HILO_GUARDED_BY(mutex_);
};

// The process's log: one JSON object a line (RFC 3339 time in UTC, level, msg, logger, fields), or
// text for people.
//
// **Guarantees**: a line is written whole and cannot be forged from a value. One message (by logger
// and text) is written at most Options::lines_per_window times per window, the next line that gets
// through says how many were `suppressed`, and the counters see all of them:
// `hilo_base_log_lines_total`, `…_suppressed_total`, `…_lost_total`. Messages beyond kMaxMessages
// different ones share one limit.
// **Errors**: none; a line that cannot be written is counted.
// **Threads**: thread-safe.
// **Lifetime**: outlives its loggers.
// **Cost**: a few microseconds and a system call a line; normal operation is silent.
class LogOutput {
 public:
  static constexpr size_t kMaxMessages = 1024;

  enum class Format { kJson, kText };
  struct Options {
    Format format = Format::kJson;
    LogLevel minimum = LogLevel::kInfo;
    int lines_per_window = 10;
    std::chrono::seconds window{10};
  };

  LogOutput(Options options, LogSink& sink, const Clock& clock, Registry& registry);
  ~LogOutput();
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  // kText when `descriptor` is a terminal, else kJson.
  static Format FormatFor(int descriptor);

  void Write(LogLevel level, std::string_view logger, std::string_view message,
             std::initializer_list<LogField> fields);

 private:
  struct State;
  std::string Line(LogLevel level, std::string_view logger, std::string_view message,
                   std::initializer_list<LogField> fields, uint64_t suppressed) const;

  const Options options_;
  LogSink& sink_;
  const Clock& clock_;
  Counter& suppressed_;
  Counter& lost_;
  std::unique_ptr<State> state_;
};

// The log as one part of the program writes to it. One event, one call: the call writes the line
// and moves the counter. `message` is a constant that says what happened ("partition stopped");
// what varies goes into fields; nothing of a customer goes into either. An error is logged once,
// where it is handled. A copyable value.
//
//   logger.Error("partition stopped", stopped_counter, {{"topic", topic}, {"partition", partition},
//   {"cause", status}});
//
// **Threads**: thread-safe. **Lifetime**: shorter than its LogOutput.
class Logger {
 public:
  // `name` is a constant: the folder, "streams/fold".
  Logger(LogOutput& output, std::string_view name) : output_(&output), name_(name) {}
  // The same log under another name.
  Logger Named(std::string_view name) const { return Logger(*output_, name); }

  void Error(std::string_view message, Counter& counter,
             std::initializer_list<LogField> fields) const {
    Event(LogLevel::kError, message, &counter, fields);
  }
  void Warning(std::string_view message, Counter& counter,
               std::initializer_list<LogField> fields) const {
    Event(LogLevel::kWarning, message, &counter, fields);
  }
  void Info(std::string_view message, Counter& counter,
            std::initializer_list<LogField> fields) const {
    Event(LogLevel::kInfo, message, &counter, fields);
  }
  // For what has no counter of its own: `hilo_base_log_lines_total` still counts it.
  void Error(std::string_view message, std::initializer_list<LogField> fields) const {
    Event(LogLevel::kError, message, nullptr, fields);
  }
  void Warning(std::string_view message, std::initializer_list<LogField> fields) const {
    Event(LogLevel::kWarning, message, nullptr, fields);
  }
  void Info(std::string_view message, std::initializer_list<LogField> fields) const {
    Event(LogLevel::kInfo, message, nullptr, fields);
  }
  void Debug(std::string_view message, std::initializer_list<LogField> fields) const {
    Event(LogLevel::kDebug, message, nullptr, fields);
  }

 private:
  void Event(LogLevel level, std::string_view message, Counter* counter,
             std::initializer_list<LogField> fields) const {
    if (counter != nullptr) counter->Increment();
    output_->Write(level, name_, message, fields);
  }

  LogOutput* output_;
  std::string_view name_;
};

// A log that keeps its lines, with clock and counters of its own, for tests:
//
//   CapturedLog log;
//   Thing thing(log.logger());
//   EXPECT_THAT(log.Text(), HasSubstr("partition stopped"));
class CapturedLog {
 public:
  explicit CapturedLog(LogOutput::Options options = {.minimum = LogLevel::kDebug});
  Logger logger() { return Logger(output_, "test"); }
  std::vector<std::string> Lines() const { return sink_.Lines(); }
  std::string Text() const { return sink_.Text(); }
  ManualClock& clock() { return clock_; }
  Registry& registry() { return registry_; }

 private:
  ManualClock clock_;
  Registry registry_;
  MemorySink sink_;
  LogOutput output_;
};

}  // namespace hilo
