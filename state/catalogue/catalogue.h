#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/base/status.h"
#include "state/types/time.h"

namespace hilo::catalogue {

// A file of a catalogue.
struct File {
  std::string path;     // such as "facts/returns.yaml"; only told in problems, never opened
  std::string content;  // YAML; "---" separates several resources
};

// A mistake in a file: what is wrong and what to write instead. Lines and columns count from 1; 0:
// the whole file.
struct Problem {
  std::string path;
  int line = 0;
  int column = 0;
  std::string message;
};

// Text by language ("en", "es"), as agents read it.
class Translated {
 public:
  void Set(std::string language, std::string text) {
    by_language_[std::move(language)] = std::move(text);
  }
  // The text for a BCP 47 tag: its language, else English, else whichever there is; "" when there
  // is none.
  std::string_view In(std::string_view language) const;
  const std::map<std::string, std::string, std::less<>>& all() const { return by_language_; }

 private:
  std::map<std::string, std::string, std::less<>> by_language_;
};

// A detail of an event must have this value, compared as text.
struct Condition {
  std::string path;
  std::string equals;
};

// Which events a rule looks at.
struct Trigger {
  std::string type;   // event type, such as "web.track"; "" matches every type, and then every name
  std::string event;  // tracked event's name; "" matches every name
  std::optional<Condition> condition;  // none: no further condition
};

// A kind of fact: the question it answers.
struct FactKind {
  std::string name;  // such as "return_reason"
  Translated question;
  Micros expires_after{0};  // where a rule says nothing; 0: never
};

// A detail of an event becomes a fact.
struct FactRule {
  std::string name;
  Trigger when;
  std::string from;  // path of the detail
  std::string kind;  // of the fact
  Micros expires_after{0};
  uint32_t confidence = 100;  // 1 to 100
};

// A kind of open matter, and the events that open one.
struct CaseKind {
  struct OpenedBy {
    Trigger when;
    std::string title_from;  // path of the detail that becomes the title; "": the kind's own title
  };
  std::string name;  // such as "return"
  Translated title;
  Micros due_after{0};  // 0: no rule
  std::vector<OpenedBy> opened_by;
};

enum class PurchaseKind : uint8_t { kOrder = 1, kRefund = 2, kPayment = 3 };

// Where an event tells what was bought, paid or given back.
struct PurchaseRule {
  std::string name;
  Trigger when;
  PurchaseKind kind = PurchaseKind::kOrder;
  std::string order_from;                // path of the order's own id
  std::vector<std::string> amount_from;  // paths; the first that is there counts
  std::string currency_from;
  std::string default_currency;  // "": an event without currency has no purchase
  std::string items_from;        // path of the list of items; "": none
  std::string item_product_from;
  std::string item_quantity_from;
  std::string item_price_from;
};

// A trait or detail that names a group the person belongs to.
struct GroupRule {
  std::string name;
  std::string from;       // path in the traits, else in the details
  std::string kind;       // "household", "company", "account", "loyalty_card"
  std::string role_from;  // path of the role; may be ""
};

// What a source of that name is believed to know better.
struct SourceRule {
  std::string name;
  uint32_t rank = 0;       // among writers at one time; higher wins
  std::string group_kind;  // of its group calls; "": as the source is configured
};

// A purpose that customers consent to, and what banners call it.
struct ConsentPurpose {
  std::string name;                     // such as "marketing"
  std::vector<std::string> categories;  // names in `context.consent.categoryPreferences`
};

// Rules that managers edit: what becomes a fact, a case or a purchase, and which details folds may
// read. Immutable.
//
// Paths name a detail of an event: "order_id", "products.0.name". They are looked up in the event's
// properties (for identify and group: its traits; for CloudEvents and calls: its data).
// **Limits**: kMaxFiles of kMaxFileBytes each, kMaxResources resources.
// **Errors**: Parse collects every problem it can find instead of stopping at the first.
// **Threads**: thread-safe, as it never changes.
// **Cost**: the rules for an event are found by one to three look-ups, not by trying all.
class Catalogue {
 public:
  static constexpr size_t kMaxFiles = 1'000;
  static constexpr size_t kMaxFileBytes = 256 << 10;
  static constexpr size_t kMaxResources = 10'000;
  static constexpr size_t kMaxProblems = 100;

  struct Parsed {
    std::shared_ptr<const Catalogue> catalogue;  // null when there are problems
    std::vector<Problem> problems;
  };
  // Reads and checks all files together.
  static Parsed Parse(std::span<const File> files, uint64_t revision);
  // The catalogue that the program carries, for a shop; revision 0.
  static std::shared_ptr<const Catalogue> BuiltIn();
  static std::span<const File> BuiltInFiles();

  // 1, 2, 3, …; 0: the built-in one.
  uint64_t revision() const { return revision_; }
  const std::vector<File>& files() const { return files_; }

  const FactKind* FindFactKind(std::string_view name) const;
  const CaseKind* FindCaseKind(std::string_view name) const;
  const SourceRule* FindSource(std::string_view name) const;
  const std::map<std::string, FactKind, std::less<>>& fact_kinds() const { return fact_kinds_; }
  const std::map<std::string, CaseKind, std::less<>>& case_kinds() const { return case_kinds_; }
  const std::vector<GroupRule>& group_rules() const { return group_rules_; }
  const std::vector<ConsentPurpose>& consent_purposes() const { return consent_purposes_; }

  // Everything that looks at events of this type and name. Conditions are the caller's to check.
  struct Rules {
    std::vector<const FactRule*> facts;
    std::vector<std::pair<const CaseKind*, const CaseKind::OpenedBy*>> cases;
    std::vector<const PurchaseRule*> purchases;
    std::vector<std::string_view> open_fields;  // paths, ascending, no two equal
  };
  // **Lifetime**: this catalogue's, and points into it.
  const Rules& RulesFor(std::string_view type, std::string_view event) const;

 private:
  friend class Loader;
  struct OpenFields {
    std::string name;
    Trigger when;
    std::vector<std::string> paths;
  };

  Catalogue() = default;
  // Fills rules_ once everything else is in place.
  void Index();
  void AddRules(const Trigger& wanted, Rules& rules) const;

  uint64_t revision_ = 0;
  std::vector<File> files_;
  std::map<std::string, FactKind, std::less<>> fact_kinds_;
  std::map<std::string, CaseKind, std::less<>> case_kinds_;
  std::map<std::string, SourceRule, std::less<>> sources_;
  std::vector<FactRule> fact_rules_;
  std::vector<PurchaseRule> purchase_rules_;
  std::vector<OpenFields> open_fields_;
  std::vector<GroupRule> group_rules_;
  std::vector<ConsentPurpose> consent_purposes_;
  // By "type\0event", "type\0" and "\0": each holds what the wider ones hold.
  std::unordered_map<std::string, Rules> rules_;
};

}  // namespace hilo::catalogue
