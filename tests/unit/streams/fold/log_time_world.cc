#include "tests/unit/streams/fold/log_time_world.h"

#include <algorithm>
#include <cstdlib>

namespace hilo::fold {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kTick = kSecond;
constexpr int64_t kStep = LogClock::kStep.count();
constexpr int64_t kHour = 600 * kSecond;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kLength = 30 * kHour;
constexpr int kCustomers = 12;
constexpr int64_t kPatience = 34 * kSecond;  // for a queue of due timers to drain

enum What { kJump, kOutage, kStop, kStart, kAlso, kOne, kSlow };
enum Kind { kKindJump, kKindOutage, kKindRestart, kKindZombie, kKindSlow, kKindCrashJump };

CatchUp PolicyOf(int64_t n) { return static_cast<CatchUp>(n); }

}  // namespace

LogTimeWorld::LogTimeWorld(uint64_t seed, TimeSubject& subject)
    : random_(seed), subject_(subject), t_(2'000 * 24 * 3'600 * kSecond), begin_(t_) {
  for (int i = 0; i < 60; ++i) {
    subject_.SetTimer(t_ + Below(kLength / kSecond) * kSecond, i,
                      static_cast<int>(Below(kCustomers)), PolicyOf(Below(3)), 0);
  }
  for (int i = 60; i < 66; ++i) {
    subject_.SetTimer(t_ + Below(3 * kHour / kSecond) * kSecond, i,
                      static_cast<int>(Below(kCustomers)), PolicyOf(Below(3)),
                      Choose({kHour, 4 * kHour}));
  }
  MakePlan();
  StartOwner(0);
  calm_since_ = same_since_ = t_;
}

int64_t LogTimeWorld::Choose(std::initializer_list<int64_t> from) {
  return from.begin()[Below(static_cast<int64_t>(from.size()))];
}

// A few troubles at random times; the last hours are quiet.
void LogTimeWorld::MakePlan() {
  std::vector<Trouble> plan;
  const int64_t troubles = Choose({1, 2, 4});
  for (int64_t i = 0; i < troubles; ++i) {
    const int64_t at = begin_ + 100 * kSecond + Below((kLength - 13 * kHour) / kSecond) * kSecond;
    const int node = static_cast<int>(Below(3));
    const int64_t kind = Choose({kKindJump, kKindJump, kKindOutage, kKindRestart, kKindRestart,
                                 kKindZombie, kKindSlow, kKindCrashJump});
    switch (kind) {
      case kKindJump:
      case kKindCrashJump: {
        const int64_t off = Choose({2 * kDay, -2 * kDay, 8 * kHour, -kHour, 7 * kSecond});
        plan.push_back({at, kJump, node, off});
        plan.push_back({at + Choose({5 * kSecond, kHour, 7 * kHour}), kJump, node, 0});
        if (kind == kKindCrashJump) {
          plan.push_back({at - Choose({kSecond, kHour}), kStop, node, 0});
          plan.push_back({at + kSecond, kStart, node, 0});
        }
        break;
      }
      case kKindOutage:
        plan.push_back({at, kOutage, 0, Choose({20 * kSecond, 8 * kHour})});
        break;
      case kKindRestart:
        plan.push_back({at, kStop, node, 0});
        plan.push_back({at + Choose({kSecond, 7 * kSecond, 50 * kSecond, 5 * kHour}), kStart,
                        static_cast<int>(Below(3)), 0});
        break;
      case kKindZombie:
        plan.push_back({at, kAlso, node, 0});
        plan.push_back({at + Choose({50 * kSecond, 3 * kHour}), kOne, 0, 0});
        break;
      default:
        plan.push_back({at, kSlow, 0, Choose({5 * kSecond, 33 * kSecond})});
    }
  }
  std::sort(plan.begin(), plan.end(),
            [](const Trouble& a, const Trouble& b) { return a.Key() < b.Key(); });
  plan_.assign(plan.begin(), plan.end());
}

void LogTimeWorld::StartOwner(int node) {
  owners_.push_back({++incarnations_, node, std::nullopt, 0, t_});
}

void LogTimeWorld::Make(const Trouble& trouble) {
  same_since_ = calm_since_ = std::nullopt;
  switch (trouble.what) {
    case kJump:
      wrong_[trouble.node] = trouble.amount;
      same_since_ = t_;
      break;
    case kOutage:
      outage_ = t_ + trouble.amount;
      break;
    case kStop:
      owners_.clear();
      break;
    case kStart:
      if (owners_.empty()) StartOwner(trouble.node);
      break;
    case kAlso:
      StartOwner(trouble.node);
      break;
    case kOne:
      if (owners_.size() > 1) owners_.resize(1);
      if (owners_.empty()) StartOwner(0);
      break;
    case kSlow:
      for (Owner& owner : owners_) {
        owner.ready = t_ + trouble.amount;
        flying_.push_back({t_ + trouble.amount, Measure(owner), owner.incarnation});
      }
      break;
    default:
      break;
  }
}

// Both clocks are read when the tick is sent.
store::v1::Tick LogTimeWorld::Measure(Owner& owner) {
  store::v1::Tick tick;
  tick.set_incarnation(owner.incarnation);
  tick.set_count(++owner.count);
  tick.set_wall_micros(t_ + wrong_[owner.node]);
  tick.set_elapsed_micros(owner.last ? t_ - *owner.last : 0);
  owner.last = t_;
  return tick;
}

std::string LogTimeWorld::Run() {
  while (t_ < begin_ + kLength && violation_.empty()) {
    t_ += kTick / 2;
    while (!plan_.empty() && plan_.front().at <= t_) {
      const Trouble trouble = plan_.front();
      plan_.pop_front();
      Make(trouble);
    }
    const bool start_planned = std::any_of(
        plan_.begin(), plan_.end(), [](const Trouble& trouble) { return trouble.what == kStart; });
    if (owners_.empty() && !start_planned) StartOwner(0);
    if (outage_ && t_ >= *outage_) outage_ = same_since_ = std::nullopt;
    for (Owner& owner : owners_) {
      if (t_ < owner.ready || outage_) continue;
      owner.ready = t_ + kTick;
      Append(Measure(owner));
    }
    for (size_t i = 0; i < flying_.size();) {
      if (flying_[i].at > t_ || outage_) {
        ++i;
        continue;
      }
      const Flying item = flying_[i];
      flying_.erase(flying_.begin() + static_cast<ptrdiff_t>(i));
      Append(item.tick);
      for (Owner& owner : owners_) {
        if (owner.incarnation == item.incarnation && owner.count == 1) owner.last = t_;
      }
    }
    Observe();
  }
  if (violation_.empty()) Judge();
  return violation_;
}

void LogTimeWorld::Append(const store::v1::Tick& tick) {
  ++offset_;
  Record(subject_.Tick(tick, t_));
  const bool agrees = std::abs(t_ - tick.wall_micros()) <= kStep / 2;
  if (!subject_.Closed() || tick.wall_micros() <= subject_.Now() || !subject_.GapSilent() ||
      !agrees)
    return;
  accepts_.push_back(t_);
  store::v1::AcceptTime accept;
  accept.set_gap(subject_.Gap());
  accept.set_wall_micros(tick.wall_micros());
  for (int64_t i = Choose({1, 1, 2}); i > 0; --i)
    Record(subject_.Accept(accept));  // two owners may both write it
  if (Below(2) == 0) {                // and a late one, from a clock that was wrong
    accept.set_wall_micros(tick.wall_micros() + 2 * kDay);
    Record(subject_.Accept(accept));
  }
}

void LogTimeWorld::Record(const std::vector<Fired>& fired) {
  if (fired.size() > TimeSubject::kFire) Violate("limit: too many timers by one record");
  for (const Fired& timer : fired) {
    if (timer.due > t_ + 2 * kStep) Violate("early: fired before it was due");
    if (timer.policy == CatchUp::kSkip && t_ - timer.due > 3 * kStep + kPatience)
      Violate("late: a skipped timer fired");
    if (timer.sent) {
      if (std::abs(subject_.Now() - t_) > 2 * kStep) Violate("sent while log time was wrong");
      sends_.emplace_back(t_, timer.customer);
    }
    fired_.emplace_back(t_, timer.due, timer.name, timer.policy);
  }
}

void LogTimeWorld::Observe() {
  const int64_t now = subject_.Now();
  if (!history_.empty() && now < history_.back().second) Violate("log time went back");
  history_.emplace_back(t_, now);
  if (outage_ || owners_.empty() || !flying_.empty()) {
    same_since_ = calm_since_ = std::nullopt;
    return;
  }
  if (!same_since_) same_since_ = t_;
  const bool right = std::all_of(owners_.begin(), owners_.end(),
                                 [this](const Owner& owner) { return wrong_[owner.node] == 0; });
  calm_since_ = right ? std::optional<int64_t>(calm_since_.value_or(t_)) : std::nullopt;
  constexpr size_t kLook = 201;  // 100 seconds ago
  if (t_ - *same_since_ > 150 * kSecond && history_.size() >= kLook) {
    const auto [t0, l0] = history_[history_.size() - kLook];
    const int64_t went = now - l0;
    const int64_t real = t_ - t0;
    const bool accepted =
        std::any_of(accepts_.begin(), accepts_.end(), [t0 = t0](int64_t at) { return at >= t0; });
    if (went < real * 99 / 100 - 2 * kTick) Violate("stood still");
    if (went > real * 101 / 100 + kStep + 2 * kTick && !accepted) Violate("ran");
  }
  if (calm_since_ && t_ - *calm_since_ > kHour) {
    if (subject_.Closed()) Violate("closed for an hour though all is well");
    if (std::abs(now - t_) > 2 * kStep) Violate("off though all is well");
  }
}

void LogTimeWorld::Judge() {
  for (int customer = 0; customer < kCustomers; ++customer) {
    std::vector<int64_t> at;
    for (const auto& [when, who] : sends_) {
      if (who == customer) at.push_back(when);
    }
    for (size_t i = 0; i < at.size(); ++i) {
      const auto within = std::count_if(at.begin() + static_cast<ptrdiff_t>(i), at.end(),
                                        [&](int64_t x) { return x < at[i] + kDay - 4 * kStep; });
      if (within > TimeSubject::kCap) Violate("budget: more than the cap in a true day");
    }
  }
  std::map<int, size_t> late;
  for (const auto& [when, due, name, policy] : fired_) {
    if (policy == CatchUp::kLatest && name >= 60 && when - due > kHour + 3 * kStep + kPatience)
      ++late[name];
  }
  for (const auto& [name, times] : late) {
    if (times > subject_.Gaps()) Violate("catch-up: the latest fired more than once a gap");
  }
  const auto lowest = subject_.LowestDue();
  if (lowest && *lowest < t_ - 2 * kStep - kPatience) Violate("timers left");
}

}  // namespace hilo::fold
