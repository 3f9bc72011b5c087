#include "connectors/kit/event_time.h"

#include <chrono>

namespace hilo::kit {
namespace {

// Takes numbers and signs off the front of a text.
class Front {
 public:
  explicit Front(std::string_view text) : rest_(text) {}
  std::optional<int> Digits(size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool Take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    taken_ = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  char taken() const { return taken_; }
  bool AtEnd() const { return rest_.empty(); }
  bool AtDigit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

 private:
  std::string_view rest_;
  char taken_ = 0;
};

}  // namespace

std::optional<WallTime> ParseTime(std::string_view text) {
  using namespace std::chrono;
  if (text.size() > 40) return std::nullopt;
  Front front(text);
  const auto year_number = front.Digits(4);
  if (!year_number || !front.Take("-")) return std::nullopt;
  const auto month_number = front.Digits(2);
  if (!month_number || !front.Take("-")) return std::nullopt;
  const auto day_number = front.Digits(2);
  if (!day_number || *year_number < 1970 || *year_number > 2199) return std::nullopt;
  const year_month_day date(year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number)));
  if (!date.ok()) return std::nullopt;
  WallTime time = sys_days(date);
  if (front.AtEnd()) return time;

  if (!front.Take("Tt ")) return std::nullopt;
  const auto hour = front.Digits(2);
  if (!hour || *hour > 23 || !front.Take(":")) return std::nullopt;
  const auto minute = front.Digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  time += hours(*hour) + minutes(*minute);
  if (front.Take(":")) {
    const auto second = front.Digits(2);
    if (!second || *second > 60) return std::nullopt;  // a leap second counts as the one after it
    time += seconds(*second);
    if (front.Take(".,")) {
      if (!front.AtDigit()) return std::nullopt;
      for (int64_t unit = 100'000; front.AtDigit(); unit /= 10)
        time += microseconds(unit * *front.Digits(1));
    }
  }
  if (front.AtEnd() || front.Take("Zz")) return front.AtEnd() ? std::optional(time) : std::nullopt;
  if (!front.Take("+-")) return std::nullopt;
  const int sign = front.taken() == '+' ? 1 : -1;
  const auto offset_hours = front.Digits(2);
  if (!offset_hours || *offset_hours > 23) return std::nullopt;
  front.Take(":");
  int offset_minutes = 0;
  if (!front.AtEnd()) {
    const auto digits = front.Digits(2);
    if (!digits || *digits > 59 || !front.AtEnd()) return std::nullopt;
    offset_minutes = *digits;
  }
  return time - sign * (hours(*offset_hours) + minutes(offset_minutes));
}

StatusOr<CorrectedTime> CorrectTime(const std::optional<std::string>& time,
                                    const std::optional<std::string>& sent, WallTime arrival,
                                    std::chrono::microseconds ahead) {
  if (!time) return CorrectedTime{arrival, false};
  const auto claimed = ParseTime(*time);
  if (!claimed) {
    return Error(
        StatusCode::kInvalidArgument, "bad_time",
        "a time must be ISO 8601 between the years 1970 and 2199, as 2026-03-01T10:00:00.000Z");
  }
  CorrectedTime corrected{*claimed, false};
  if (const auto sent_time = sent ? ParseTime(*sent) : std::nullopt;
      sent_time && *sent_time >= *claimed) {
    corrected.time = arrival - (*sent_time - *claimed);
  }
  if (corrected.time > arrival + ahead) corrected = {arrival, true};
  return corrected;
}

}  // namespace hilo::kit
