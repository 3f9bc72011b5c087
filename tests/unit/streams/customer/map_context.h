#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "streams/fold/fold.h"

namespace hilo::customer {

// A context over a map, for what needs no runtime: nothing is undone, notices and answers are kept.
class MapContext final : public fold::Context {
 public:
  LogTime Now() const override { return now; }
  bool Closed() const override { return false; }
  uint32_t Version() const override { return 1; }
  const store::v1::Parameters& Parameters() const override { return parameters; }
  StatusOr<std::optional<std::string>> Get(std::string_view key) override {
    ++gets;
    if (!failure.ok()) return failure;
    const auto found = rows.find(std::string(key));
    if (found == rows.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  void Put(std::string_view key, std::string_view value) override {
    ++puts;
    rows[std::string(key)] = std::string(value);
  }
  void Delete(std::string_view key) override { rows.erase(std::string(key)); }
  Status Scan(const store::KeyRange& range,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    for (auto at = rows.lower_bound(range.begin); at != rows.end(); ++at) {
      if (!range.end.empty() && at->first >= range.end) break;
      if (!visit(at->first, at->second)) break;
    }
    return OkStatus();
  }
  void Emit(const log::TopicPartition&, const store::v1::Record&) override {}
  void SetTimer(const fold::Timer& timer) override { timers[timer.name] = timer; }
  void CancelTimer(std::string_view name) override { timers.erase(std::string(name)); }
  void Answer(std::string_view, RequestId, const store::v1::AnswerRow& answer) override {
    answers.push_back(answer);
  }
  void Tell(const fold::Notice& notice) override { notices.push_back(notice); }

  LogTime now{int64_t{1'700'000'000} * 1'000'000};
  store::v1::Parameters parameters;
  Status failure;
  std::map<std::string, std::string> rows;
  std::map<std::string, fold::Timer> timers;
  std::vector<store::v1::AnswerRow> answers;
  std::vector<fold::Notice> notices;
  int gets = 0;
  int puts = 0;
};

}  // namespace hilo::customer
