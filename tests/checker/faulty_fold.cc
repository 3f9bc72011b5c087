#include "tests/checker/faulty_fold.h"

#include <utility>

#include "state/store/tables.h"

namespace hilo::checker {
namespace {

using fold::Context;
using fold::FoldRecord;
using fold::Outcome;

// Of so many occasions a fault takes one, so that the rest of the run looks healthy.
constexpr int kNowAndThen = 17;

bool IsTable(std::string_view key, store::Table table) {
  return !key.empty() && key[0] == static_cast<char>(table);
}

// Of four partitions, each has a quarter of the buckets.
bool SamePartition(const store::v1::CustomerEvent& a, const store::v1::CustomerEvent& b) {
  return static_cast<uint8_t>(a.customer()[0]) >> 6 == static_cast<uint8_t>(b.customer()[0]) >> 6;
}

// What the fault does on the way between a fold and its context.
class FaultyContext final : public Context {
 public:
  FaultyContext(const std::string& fault, int* occasions, store::v1::CustomerEvent* last)
      : fault_(fault), occasions_(occasions), last_(last) {}

  void Use(Context& inner) { inner_ = &inner; }
  void AcceptLate(bool accept) { accept_late_ = accept; }

  LogTime Now() const override { return accept_late_ ? LogTime{} : inner_->Now(); }
  bool Closed() const override { return inner_->Closed(); }
  uint32_t Version() const override { return inner_->Version(); }
  const store::v1::Parameters& Parameters() const override { return inner_->Parameters(); }

  StatusOr<std::optional<std::string>> Get(std::string_view key) override {
    if (fault_ == "dedup_forgets" && IsTable(key, store::Table::kEventId)) return std::nullopt;
    if (fault_ == "answer_forgotten" && IsTable(key, store::Table::kAnswer)) return std::nullopt;
    return inner_->Get(key);
  }
  void Put(std::string_view key, std::string_view value) override {
    const bool entry = IsTable(key, store::Table::kTimeline);
    if (fault_ == "entry_lost" && entry && Occasion()) return;
    // The stray byte is an unknown field of no length: the row can still be read.
    if (fault_ == "memory_in_fold" && entry && Occasion())
      return inner_->Put(key, std::string(value) + std::string("\xba\x3e\x00", 3));
    inner_->Put(key, value);
  }
  void Delete(std::string_view key) override { inner_->Delete(key); }
  Status Scan(const store::KeyRange& range,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    return inner_->Scan(range, visit);
  }

  void Emit(const log::TopicPartition& to, const store::v1::Record& record) override {
    const bool event = record.has_customer_event() && !record.customer_event().event().empty();
    if (fault_ == "wrong_partition" && event && Occasion())
      return inner_->Emit({to.topic, (to.partition + 1) % 4}, record);
    if (fault_ == "bytes_changed" && event && Occasion()) {
      store::v1::Record changed = record;
      changed.mutable_customer_event()->mutable_event()->back() ^= 1;
      return inner_->Emit(to, changed);
    }
    if (fault_ == "member_swapped" && event) {
      const store::v1::CustomerEvent before = std::exchange(*last_, record.customer_event());
      if (!before.customer().empty() && SamePartition(before, record.customer_event()) &&
          before.customer() != record.customer_event().customer()) {
        store::v1::Record swapped = record;
        swapped.mutable_customer_event()->set_customer(before.customer());
        swapped.mutable_customer_event()->set_member(before.member());
        return inner_->Emit(to, swapped);
      }
    }
    inner_->Emit(to, record);
  }
  void SetTimer(const fold::Timer& timer) override { inner_->SetTimer(timer); }
  void CancelTimer(std::string_view name) override { inner_->CancelTimer(name); }
  void Answer(std::string_view caller, RequestId request,
              const store::v1::AnswerRow& answer) override {
    inner_->Answer(caller, request, answer);
  }
  void Tell(const fold::Notice& notice) override { inner_->Tell(notice); }

  bool Occasion() { return ++*occasions_ % kNowAndThen == 0; }

 private:
  const std::string& fault_;
  int* const occasions_;
  store::v1::CustomerEvent* const last_;
  Context* inner_ = nullptr;
  bool accept_late_ = false;
};

class FaultyFold final : public fold::Fold {
 public:
  FaultyFold(std::unique_ptr<fold::Fold> fold, std::string fault)
      : fold_(std::move(fold)), fault_(std::move(fault)), context_(fault_, &occasions_, &last_) {}

  void Prefetch(const FoldRecord& record, std::vector<std::string>& keys) override {
    fold_->Prefetch(record, keys);
  }

  Outcome Apply(const FoldRecord& record, Context& context) override {
    context_.Use(context);
    const bool event = record.record.has_customer_event();
    if (fault_ == "skip_event" && event && context_.Occasion()) return Outcome::Ok();
    if (fault_ == "apply_twice" && event && context_.Occasion()) {
      if (Outcome first = fold_->Apply(record, context_); !first.ok()) return first;
    }
    Outcome outcome = fold_->Apply(record, context_);
    if (fault_ == "refused_counts" && outcome.refused()) {
      context_.AcceptLate(true);
      outcome = fold_->Apply(record, context_);
      context_.AcceptLate(false);
    }
    if (fault_ == "refusal_swallowed" && outcome.refused()) return Outcome::Ok();
    return outcome;
  }
  Outcome Fire(const fold::Timer& timer, Context& context) override {
    context_.Use(context);
    return fold_->Fire(timer, context_);
  }
  Outcome Ticked(Context& context) override {
    context_.Use(context);
    return fold_->Ticked(context_);
  }
  void Forget() override { fold_->Forget(); }

 private:
  const std::unique_ptr<fold::Fold> fold_;
  const std::string fault_;
  int occasions_ = 0;
  store::v1::CustomerEvent last_;
  FaultyContext context_;
};

}  // namespace

std::vector<std::string> FoldFaults() {
  return {"apply_twice",       "skip_event",      "entry_lost",    "memory_in_fold",
          "bytes_changed",     "wrong_partition", "dedup_forgets", "answer_forgotten",
          "refusal_swallowed", "refused_counts",  "member_swapped"};
}

std::unique_ptr<fold::Fold> WithFault(std::unique_ptr<fold::Fold> fold, const std::string& fault) {
  if (fault.empty()) return fold;
  return std::make_unique<FaultyFold>(std::move(fold), fault);
}

}  // namespace hilo::checker
