#include <chrono>
#include <vector>

#include "state/store/keys.h"
#include "state/types/bucket.h"
#include "state/types/hash.h"
#include "streams/command/command.h"

namespace hilo::command {
namespace {

using store::KeyBuilder;
using store::Table;

constexpr int64_t kHourMicros = Micros(std::chrono::hours(1)).count();
// An answer outlives its request id (24 h, and 5 minutes for clocks that are ahead), to the full
// hour.
constexpr int64_t kKeptHours = 25;

std::optional<std::string> AnswerKey(const store::v1::Command& command) {
  const auto member = CustomerId::FromBytes(command.member());
  if (!member || command.caller().size() != Hash16().size() ||
      !RequestId::FromBytes(command.request_id())) {
    return std::nullopt;
  }
  return KeyBuilder(Table::kAnswer)
      .U8(BucketOf(*member))
      .Raw(command.member())
      .Raw(command.caller())
      .Raw(command.request_id())
      .Build();
}

// Where ForgetOld goes on: the table's first key, before those of any hour. Searching from there
// and not from the table's beginning keeps it off the tombstones of what was forgotten.
std::string LowestHourKey() { return KeyBuilder(Table::kAnswerHour).Build(); }

uint64_t HourOf(std::string_view bytes) {
  uint64_t hour = 0;
  for (size_t i = 0; i < 8 && i < bytes.size(); ++i)
    hour = hour << 8 | static_cast<uint8_t>(bytes[i]);
  return hour;
}

store::v1::AnswerRow Refusal(const fold::FoldRecord& record, const store::v1::Command& command,
                             StatusCode code, std::string_view reason, std::string_view message) {
  store::v1::AnswerRow answer;
  answer.set_content_hash(command.content_hash());
  answer.set_code(static_cast<uint32_t>(code));
  answer.set_reason(std::string(reason));
  answer.set_message(std::string(message));
  answer.set_offset(record.offset);
  return answer;
}

void Tell(const store::v1::Command& command, const store::v1::AnswerRow& answer,
          fold::Context& context) {
  if (const auto request = RequestId::FromBytes(command.request_id())) {
    context.Answer(command.caller(), *request, answer);
  }
}

}  // namespace

StatusOr<std::optional<store::v1::AnswerRow>> AnswerBook::Find(const fold::FoldRecord& record,
                                                               const store::v1::Command& command,
                                                               fold::Context& context) {
  std::optional<store::v1::AnswerRow> found;
  const auto key = AnswerKey(command);
  if (!key) {
    found = Refusal(record, command, StatusCode::kInvalidArgument, "command_malformed",
                    "its member, caller or request id has not 16 bytes");
    Tell(command, *found, context);
    return found;
  }
  HILO_ASSIGN_OR_RETURN(const auto stored, context.Get(*key));
  if (stored) {
    HILO_RETURN_IF_ERROR(fold::Decode(*stored, &found.emplace()));
    if (found->content_hash() != command.content_hash()) {
      found = Refusal(record, command, StatusCode::kAlreadyExists, "request_id_conflict",
                      "the request id was used for other content; take a new one");
    }
  } else if (command.not_after_micros() != 0 && command.not_after_micros() < record.append_micros) {
    found = Refusal(record, command, StatusCode::kDeadlineExceeded, "too_late",
                    "it reached the log after its deadline and has no effect");
  }
  if (found) Tell(command, *found, context);
  return found;
}

void AnswerBook::Store(const fold::FoldRecord& record, const store::v1::Command& command,
                       store::v1::AnswerRow answer, fold::Context& context) {
  answer.set_content_hash(command.content_hash());
  answer.set_offset(record.offset);
  if (const auto key = AnswerKey(command)) {
    context.Put(*key, fold::Encode(answer));
    const auto hour = static_cast<uint64_t>(context.Now().micros / kHourMicros);
    context.Put(KeyBuilder(Table::kAnswerHour).U64(hour).Raw(*key).Build(), "");
  }
  Tell(command, answer, context);
}

Status AnswerBook::ForgetOld(fold::Context& context, int limit) {
  const int64_t kept_from = context.Now().micros / kHourMicros - kKeptHours;
  if (kept_from <= 0) return OkStatus();
  HILO_ASSIGN_OR_RETURN(const auto lowest, context.Get(LowestHourKey()));
  uint64_t from = lowest ? HourOf(*lowest) : 0;
  const auto until = static_cast<uint64_t>(kept_from);
  if (from >= until) return OkStatus();

  std::vector<std::string> old;
  const store::KeyRange hours{.begin = KeyBuilder(Table::kAnswerHour).U64(from).Build(),
                              .end = KeyBuilder(Table::kAnswerHour).U64(until).Build()};
  HILO_RETURN_IF_ERROR(context.Scan(hours, [&](std::string_view key, std::string_view) {
    old.emplace_back(key);
    return old.size() < static_cast<size_t>(limit);
  }));
  for (const std::string& key : old) {
    context.Delete(std::string_view(key).substr(1 + 8));
    context.Delete(key);
  }
  const bool all = old.size() < static_cast<size_t>(limit);
  from = all ? until : HourOf(std::string_view(old.back()).substr(1));
  const std::string row = KeyBuilder(Table::kAnswerHour).U64(from).Build();
  if (!lowest || HourOf(*lowest) != from)
    context.Put(LowestHourKey(), std::string_view(row).substr(1));
  return OkStatus();
}

}  // namespace hilo::command
