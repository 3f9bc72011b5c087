#include "ops/base/logger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <unordered_map>

#include "ops/base/json_text.h"
#include "ops/base/metric_names.h"

namespace hilo {
namespace {

// At most kMaxFieldBytes, and not in the middle of a character.
std::string_view Cut(std::string_view text) {
  if (text.size() <= LogField::kMaxFieldBytes) return text;
  size_t end = LogField::kMaxFieldBytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

void AppendText(std::string_view text, std::string& out) {
  const std::string_view cut = Cut(text);
  AppendJsonString(cut, out);
  if (cut.size() < text.size()) out.insert(out.size() - 1, "…");
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      break;
  }
  return "error";
}

bool DescriptorSink::Write(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(descriptor_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    line.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool MemorySink::Write(std::string_view line) {
  MutexLock lock(mutex_);
  lines_.emplace_back(line);
  return true;
}

std::vector<std::string> MemorySink::Lines() const {
  MutexLock lock(mutex_);
  return lines_;
}

std::string MemorySink::Text() const {
  MutexLock lock(mutex_);
  std::string text;
  for (const std::string& line : lines_) text += line;
  return text;
}

struct LogOutput::State {
  // How often one message came in its current window.
  struct Repeats {
    MonotonicTime window_start;
    int written = 0;
    uint64_t suppressed = 0;
    LogLevel level = LogLevel::kInfo;
    std::string logger;
    std::string message;
  };

  // The repeats of this message. Beyond kMaxMessages all share one.
  Repeats& Find(std::string_view logger, std::string_view message) {
    std::string key(logger);
    key += '\n';
    key += message;
    if (auto found = messages.find(key); found != messages.end()) return found->second;
    if (messages.size() >= kMaxMessages) return shared;
    Repeats& repeats = messages[std::move(key)];
    repeats.logger = logger;
    repeats.message = message;
    return repeats;
  }

  Mutex mutex;
  std::unordered_map<std::string, Repeats> messages;
  Repeats shared{.logger = "ops/base", .message = "other messages"};
  std::array<Counter*, 4> lines{};
};

LogOutput::LogOutput(Options options, LogSink& sink, const Clock& clock, Registry& registry)
    : options_(options),
      sink_(sink),
      clock_(clock),
      suppressed_(registry.Get(metric::kLogLinesSuppressed)),
      lost_(registry.Get(metric::kLogLinesLost)),
      state_(std::make_unique<State>()) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    state_->lines[static_cast<size_t>(level)] =
        &registry.Get(metric::kLogLines, {LogLevelName(level)});
  }
}

LogOutput::~LogOutput() {
  // What was suppressed since the last line of its message would else be told by the counter alone.
  MutexLock lock(state_->mutex);
  const auto tell = [&](const State::Repeats& repeats) {
    if (repeats.suppressed == 0) return;
    if (!sink_.Write(Line(repeats.level, repeats.logger, repeats.message, {}, repeats.suppressed)))
      lost_.Increment();
  };
  for (const auto& [key, repeats] : state_->messages) tell(repeats);
  tell(state_->shared);
}

LogOutput::Format LogOutput::FormatFor(int descriptor) {
  return isatty(descriptor) ? Format::kText : Format::kJson;
}

void LogOutput::Write(LogLevel level, std::string_view logger, std::string_view message,
                      std::initializer_list<LogField> fields) {
  if (level < options_.minimum) return;
  state_->lines[static_cast<size_t>(level)]->Increment();
  MutexLock lock(state_->mutex);
  State::Repeats& repeats = state_->Find(logger, message);
  const MonotonicTime now = clock_.Monotonic();
  if (repeats.written == 0 || now - repeats.window_start >= options_.window) {
    repeats.window_start = now;
    repeats.written = 0;
  }
  if (repeats.written >= options_.lines_per_window) {
    ++repeats.suppressed;
    repeats.level = level;
    suppressed_.Increment();
    return;
  }
  ++repeats.written;
  const uint64_t suppressed = std::exchange(repeats.suppressed, 0);
  if (!sink_.Write(Line(level, logger, message, fields, suppressed))) lost_.Increment();
}

std::string LogOutput::Line(LogLevel level, std::string_view logger, std::string_view message,
                            std::initializer_list<LogField> fields, uint64_t suppressed) const {
  const bool json = options_.format == Format::kJson;
  std::string line;
  if (json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","logger":)", Rfc3339(clock_.Wall()),
                       LogLevelName(level));
    AppendJsonString(logger, line);
    line += ",\"msg\":";
    AppendJsonString(message, line);
  } else {
    line = fmt::format("{} {:<7} {}: {}", Rfc3339(clock_.Wall()), LogLevelName(level), logger,
                       message);
  }
  const auto key = [&](std::string_view name) {
    if (json) {
      line += ',';
      AppendJsonString(name, line);
      line += ':';
    } else {
      line.append(" ").append(name).append("=");
    }
  };
  struct Value {
    std::string& line;
    void operator()(std::string_view text) const { AppendText(text, line); }
    void operator()(const std::string& text) const { AppendText(text, line); }
    void operator()(int64_t number) const { line += std::to_string(number); }
    void operator()(uint64_t number) const { line += std::to_string(number); }
    void operator()(double number) const {
      // JSON has no word for these.
      if (std::isfinite(number)) {
        line += fmt::format("{}", number);
      } else {
        line += "null";
      }
    }
    void operator()(bool truth) const { line += truth ? "true" : "false"; }
  };
  for (const LogField& field : fields) {
    key(field.key_);
    std::visit(Value{line}, field.value_);
  }
  if (suppressed > 0) {
    key("suppressed");
    line += std::to_string(suppressed);
  }
  line += json ? "}\n" : "\n";
  return line;
}

CapturedLog::CapturedLog(LogOutput::Options options)
    // 2026-01-01T00:00:00Z, so that times in expected lines are constants.
    : clock_(WallTime(std::chrono::seconds(1767225600))),
      output_(options, sink_, clock_, registry_) {}

}  // namespace hilo
