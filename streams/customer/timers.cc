#include "streams/customer/timers.h"

#include "hilo/v1/common.pb.h"
#include "state/timeline/interactions.h"

namespace hilo::customer {
namespace {

constexpr size_t kIdBytes = 16;

std::string_view Prefix(TimerKind kind) {
  return kind == TimerKind::kSilence ? "silence/" : "promise/";
}

}  // namespace

fold::Timer MakeTimer(const TimerTarget& target, LogTime due) {
  fold::Timer timer;
  timer.name.append(Prefix(target.kind)).append(target.member.Bytes()).append(target.thing);
  timer.due = due;
  timer.payload.append(target.customer.Bytes());
  return timer;
}

std::optional<TimerTarget> TargetOf(const fold::Timer& timer) {
  for (TimerKind kind : {TimerKind::kSilence, TimerKind::kPromise}) {
    const std::string_view prefix = Prefix(kind);
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
