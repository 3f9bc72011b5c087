#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "state/catalogue/action.h"
#include "state/catalogue/file.h"
#include "state/catalogue/journey.h"
#include "state/catalogue/parameter.h"
#include "state/catalogue/policy.h"
#include "state/catalogue/product.h"
#include "state/catalogue/product_index.h"
#include "state/catalogue/rules.h"
#include "state/catalogue/segment.h"
#include "state/catalogue/template.h"

namespace hilo::catalogue {

// An action on one of its channels, with the policies that cover it there.
struct Offer {
  const Action* action = nullptr;
  // By name. Offers that are covered by the same policies share one list, so that what depends on
  // the list alone need be worked out once: compare the pointers.
  const std::vector<const Policy*>* policies = nullptr;
};

// What managers edit: what becomes a fact, a case or a purchase, which details folds may read, what
// the company may do next and under which rules. Immutable. All lists are ordered by name, so that
// the order of files never matters.
//
// Paths name a detail of an event: "order_id", "products.0.name". They are looked up in the event's
// properties (for identify and group: its traits; for CloudEvents and calls: its data).
// **Limits**: kMaxFiles of kMaxFileBytes each and kMaxBytes together, kMaxResources resources, of
// the kinds that decisions go through as many as the constants say.
// **Errors**: Parse collects every problem it can find instead of stopping at the first.
// **Threads**: thread-safe, as it never changes.
// **Cost**: the rules for an event are found by one to three look-ups, not by trying all.
class Catalogue {
 public:
  static constexpr size_t kMaxFiles = 1'000;
  static constexpr size_t kMaxFileBytes = 256 << 10;
  static constexpr size_t kMaxResources = 50'000;
  static constexpr size_t kMaxBytes = 32 << 20;  // of all files together
  static constexpr size_t kMaxActions = 10'000;
  static constexpr size_t kMaxPolicies = 200;
  static constexpr size_t kMaxSegments = 200;
  static constexpr size_t kMaxJourneys = 500;
  static constexpr size_t kMaxProducts = 20'000;
  static constexpr size_t kMaxTemplates = 1'000;
  static constexpr size_t kMaxParameters = 500;
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

  const Action* FindAction(std::string_view name) const;
  const Policy* FindPolicy(std::string_view name) const;
  const Segment* FindSegment(std::string_view name) const;
  const Product* FindProduct(std::string_view id) const;
  const Journey* FindJourney(std::string_view name) const;
  const Template* FindTemplate(std::string_view name) const;
  const Parameter* FindParameter(std::string_view name) const;
  const std::map<std::string, Action, std::less<>>& actions() const { return actions_; }
  const std::map<std::string, Policy, std::less<>>& policies() const { return policies_; }
  const std::map<std::string, Segment, std::less<>>& segments() const { return segments_; }
  const std::map<std::string, Product, std::less<>>& products() const { return products_; }
  const std::map<std::string, Journey, std::less<>>& journeys() const { return journeys_; }
  const std::map<std::string, Template, std::less<>>& templates() const { return templates_; }
  const std::map<std::string, Parameter, std::less<>>& parameters() const { return parameters_; }
  const ProductIndex& product_index() const { return product_index_; }
  // Actions on a channel, by name. **Lifetime**: this catalogue's.
  std::span<const Offer> ActionsFor(std::string_view channel) const;

  // How many different conditions there are; CompiledPredicate::number is below it.
  uint32_t predicate_count() const { return predicate_count_; }

  // Everything that looks at events of this type and name. Conditions are the caller's to check.
  struct Rules {
    std::vector<const FactRule*> facts;
    std::vector<std::pair<const CaseKind*, const CaseKind::OpenedBy*>> cases;
    std::vector<const PurchaseRule*> purchases;
    std::vector<std::string_view> open_fields;  // paths, ascending, no two equal
    // By journey; null: it begins, else how it ends. Of one journey exits come first.
    std::vector<std::pair<const Journey*, const Journey::Exit*>> journeys;
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
  std::map<std::string, Action, std::less<>> actions_;
  std::map<std::string, Policy, std::less<>> policies_;
  std::map<std::string, Segment, std::less<>> segments_;
  std::map<std::string, Product, std::less<>> products_;  // by id
  std::map<std::string, Journey, std::less<>> journeys_;
  std::map<std::string, Template, std::less<>> templates_;
  std::map<std::string, Parameter, std::less<>> parameters_;
  uint32_t predicate_count_ = 0;
  ProductIndex product_index_;
  std::map<std::string, std::vector<Offer>, std::less<>> offers_;  // by channel
  std::set<std::vector<const Policy*>> covers_;                    // the lists that offers share
  // By "type\0event", "type\0" and "\0": each holds what the wider ones hold.
  std::unordered_map<std::string, Rules> rules_;
};

}  // namespace hilo::catalogue
