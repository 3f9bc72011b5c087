#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "hilo/v1/customer.pb.h"
#include "ops/keys/sealer.h"
#include "state/catalogue/catalogue.h"
#include "state/types/ids.h"
#include "state/types/time.h"

namespace hilo::serving {

// Turns rows into what people see: opens what is sealed, at the last moment. What can no longer be
// opened, because the person's key is destroyed, is left out; what was tampered with shows as
// kUnreadable and is counted by the sealer.
//
// **Threads**: thread-safe. **Lifetime**: shorter than the sealer's. **Cost**: one opening (about a
// microsecond) per sealed value.
class Renderer {
 public:
  static constexpr int kMaxProperties = 64;
  static constexpr std::string_view kUnreadable = "\xEF\xBF\xBD";  // the replacement character

  // What went into a rendering, for who keeps it.
  struct Took {
    std::vector<SubjectId> subjects;  // whose values were opened, in the order first met
    bool all_opened = true;           // false: something sealed could not be opened
    // The log time from which on the same rows are shown otherwise.
    int64_t until_micros = std::numeric_limits<int64_t>::max();
  };

  // `took`, when given, is added to by every call; it must be one thread's then.
  Renderer(const keys::Sealer& sealer, std::shared_ptr<const catalogue::Catalogue> catalogue,
           LogTime now, Took* took = nullptr)
      : sealer_(sealer), catalogue_(std::move(catalogue)), now_(now), took_(took) {}

  v1::Customer Customer(const store::v1::MemberRow& row) const;
  // Everything but timeline and freshness.
  v1::Context Context(const store::v1::MemberRow& row) const;

  v1::Fact Fact(std::string_view customer, const store::v1::FactRow& row) const;
  v1::Question Question(std::string_view customer, const store::v1::QuestionRow& row) const;
  v1::Case Case(std::string_view customer, const store::v1::CaseRow& row) const;
  v1::Promise Promise(std::string_view customer, const store::v1::PromiseRow& row) const;
  v1::Interaction Interaction(std::string_view customer,
                              const store::v1::InteractionRow& row) const;
  v1::Consent Consent(const store::v1::ConsentRow& row) const;
  // `place` is the entry's own within its customer.
  v1::TimelineEntry Entry(std::string_view customer, std::string_view place,
                          const store::v1::TimelineRow& row) const;
  // The same into a cleared entry, whose memory is used again.
  void AddEntry(std::string_view customer, std::string_view place,
                const store::v1::TimelineRow& row, v1::TimelineEntry* entry) const;

 private:
  // nullopt: there is nothing to show (empty, or its key is destroyed).
  std::optional<std::string> Open(std::string_view sealed, std::string_view field) const;
  // Whatever is shown otherwise from `micros` of log time on has to say so here.
  void TurnsAt(int64_t micros) const;
  void RenderEvent(const std::string& bytes, v1::TimelineEntry* entry) const;
  void RenderCommand(const std::string& bytes, v1::TimelineEntry* entry) const;
  void RenderMessage(const store::v1::MessageRow& message, v1::TimelineEntry* entry) const;
  std::string QuestionText(std::string_view kind, std::string_view sealed) const;

  const keys::Sealer& sealer_;
  const std::shared_ptr<const catalogue::Catalogue> catalogue_;
  const LogTime now_;
  Took* const took_;
};

}  // namespace hilo::serving
