#include "streams/customer/timers.h"

#include "hilo/v1/common.pb.h"
#include "state/timeline/interactions.h"

namespace hilo::customer {
namespace {

constexpr size_t kIdBytes = 16;

struct Named {
  TimerKind kind;
  std::string_view prefix;
};
constexpr Named kKinds[] = {{TimerKind::kSilence, "silence/"},
                            {TimerKind::kPromise, "promise/"},
                            {TimerKind::kJourney, "journey/"},
                            {TimerKind::kMessage, "message/"},
                            {TimerKind::kResponse, "response/"}};

std::string_view Prefix(TimerKind kind) {
  for (const Named& named : kKinds) {
    if (named.kind == kind) return named.prefix;
  }
  return {};
}

}  // namespace

fold::Timer MakeTimer(const TimerTarget& target, LogTime due) {
  fold::Timer timer;
  timer.name.append(Prefix(target.kind)).append(target.member.Bytes()).append(target.thing);
  timer.due = due;
  timer.payload.append(target.customer.Bytes());
  // A silence is looked at when it is due, and set again when there was none.
  timer.fixed = target.kind == TimerKind::kSilence;
  return timer;
}

std::optional<TimerTarget> TargetOf(const fold::Timer& timer) {
  for (const auto& [kind, prefix] : kKinds) {
    if (timer.name.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string_view ids = std::string_view(timer.name).substr(prefix.size());
    const auto customer = CustomerId::FromBytes(timer.payload);
    if (ids.size() != 2 * kIdBytes || !customer.has_value()) return std::nullopt;
    return TimerTarget{kind, *customer, *MemberId::FromBytes(ids.substr(0, kIdBytes)),
                       std::string(ids.substr(kIdBytes))};
  }
  return std::nullopt;
}

int64_t IdleMicros(uint32_t channel, const store::v1::Parameters& parameters) {
  if (channel == v1::CHANNEL_WEB) {
    return parameters.visit_idle_micros() > 0 ? parameters.visit_idle_micros()
                                              : timeline::kDefaultVisitIdleMicros;
  }
  return parameters.call_idle_micros() > 0 ? parameters.call_idle_micros()
                                           : timeline::kDefaultCallIdleMicros;
}

}  // namespace hilo::customer
