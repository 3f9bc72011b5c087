#include <string>
#include <utility>

#include "state/catalogue/loader.h"
#include "state/types/money.h"

namespace hilo::catalogue {
namespace {

constexpr std::string_view kGroupKinds[] = {"household", "company", "account", "loyalty_card"};
constexpr std::string_view kPurchaseKinds[] = {"order", "refund", "payment"};

constexpr YamlReader::TranslatedOptions kAnyText = {.english = false, .lines = true};

}  // namespace

Trigger Loader::ReadTrigger(const Map& map, std::string_view key, bool required) {
  Trigger trigger;
  const YAML::Node* node = map.Find(key);
  if (node == nullptr) {
    if (required)
      yaml_.AddProblem(map.place, map.what + " lacks " + Quoted(key) +
                                      "; add \"when: {type: web.track, event: …}\"");
    return trigger;
  }
  const auto when =
      yaml_.ReadMap(*node, map.what + "'s " + Quoted(key), {"type", "event", "condition"});
  if (!when) return trigger;
  trigger.type = yaml_.Text(*when, "type", true, 128);
  trigger.event = yaml_.Text(*when, "event", false, 200);
  if (const auto condition = yaml_.SubMap(*when, "condition", {"path", "equals"})) {
    trigger.condition =
        Condition{yaml_.Path(*condition, "path", true), yaml_.Text(*condition, "equals", true)};
  }
  return trigger;
}

void Loader::RefuseCondition(const Map& map, const Trigger& when) {
  if (when.condition) {
    yaml_.AddProblem(*map.Find("when"),
                     map.what +
                         " cannot have a \"condition\": whether a field is open may not depend on "
                         "what a customer wrote");
  }
}

void Loader::LoadFactKind(const std::string& name, const std::string& what,
                          const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"question", "expires_after"});
  if (map)
    catalogue_->fact_kinds_[name] = {name, yaml_.ReadTranslated(*map, "question", kAnyText),
                                     yaml_.Duration(*map, "expires_after")};
}

void Loader::LoadFactRule(const std::string& name, const std::string& what,
                          const YAML::Node& spec) {
  const auto map =
      yaml_.ReadMap(spec, what, {"when", "from", "kind", "expires_after", "confidence"});
  if (!map) return;
  catalogue_->fact_rules_.push_back({.name = name,
                                     .when = ReadTrigger(*map, "when", true),
                                     .from = yaml_.Path(*map, "from", true),
                                     .kind = yaml_.Text(*map, "kind", true),
                                     .expires_after = yaml_.Duration(*map, "expires_after"),
                                     .confidence = yaml_.Number(*map, "confidence", 1, 100, 100)});
  Refer(*map, "kind", "FactKind", {catalogue_->fact_rules_.back().kind});
}

void Loader::LoadCaseKind(const std::string& name, const std::string& what,
                          const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"title", "due_after", "complaint", "opened_by"});
  if (!map) return;
  CaseKind kind{.name = name,
                .title = yaml_.ReadTranslated(*map, "title", kAnyText),
                .due_after = yaml_.Duration(*map, "due_after"),
                .complaint = yaml_.Flag(*map, "complaint", false)};
  for (const YAML::Node& rule : yaml_.Items(*map, "opened_by", "when: {type: …}")) {
    if (const auto opened_by =
            yaml_.ReadMap(rule, what + "'s \"opened_by\"", {"when", "title_from"})) {
      kind.opened_by.push_back(
          {ReadTrigger(*opened_by, "when", true), yaml_.Path(*opened_by, "title_from", false)});
    }
  }
  catalogue_->case_kinds_[name] = std::move(kind);
}

void Loader::LoadPurchaseRule(const std::string& name, const std::string& what,
                              const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(
      spec, what, {"when", "kind", "order", "amount", "currency", "default_currency", "items"});
  if (!map) return;
  PurchaseRule rule{.name = name,
                    .when = ReadTrigger(*map, "when", true),
                    .order_from = yaml_.Path(*map, "order", true),
                    .amount_from = yaml_.Paths(*map, "amount", true),
                    .currency_from = yaml_.Path(*map, "currency", false),
                    .default_currency = yaml_.Text(*map, "default_currency", false)};
  const std::string kind = yaml_.Word(*map, "kind", true, kPurchaseKinds);
  rule.kind = kind == "refund"    ? PurchaseKind::kRefund
              : kind == "payment" ? PurchaseKind::kPayment
                                  : PurchaseKind::kOrder;
  if (rule.default_currency.empty() && rule.currency_from.empty()) {
    yaml_.AddProblem(spec,
                     what + " needs \"currency\" (a path) or \"default_currency\" (such as EUR)");
  } else if (!rule.default_currency.empty() && !Currency::Parse(rule.default_currency)) {
    yaml_.AddProblem(*map->Find("default_currency"),
                     "this is no currency; write three letters of ISO 4217, such as EUR");
  }
  if (const auto items = yaml_.SubMap(*map, "items", {"from", "product", "quantity", "price"})) {
    rule.items_from = yaml_.Path(*items, "from", true);
    rule.item_product_from = yaml_.Path(*items, "product", true);
    rule.item_quantity_from = yaml_.Path(*items, "quantity", false);
    rule.item_price_from = yaml_.Path(*items, "price", false);
  }
  catalogue_->purchase_rules_.push_back(std::move(rule));
}

void Loader::LoadOpenFields(const std::string& name, const std::string& what,
                            const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"when", "paths"});
  if (!map) return;
  catalogue_->open_fields_.push_back(
      {name, ReadTrigger(*map, "when", false), yaml_.Paths(*map, "paths", true)});
  RefuseCondition(*map, catalogue_->open_fields_.back().when);
}

void Loader::LoadGroupRule(const std::string& name, const std::string& what,
                           const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"from", "kind", "role"});
  if (!map) return;
  catalogue_->group_rules_.push_back({name, yaml_.Path(*map, "from", true),
                                      yaml_.Word(*map, "kind", true, kGroupKinds),
                                      yaml_.Path(*map, "role", false)});
}

void Loader::LoadSource(const std::string& name, const std::string& what, const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"rank", "group_kind"});
  if (!map) return;
  catalogue_->sources_[name] = {name, yaml_.Number(*map, "rank", 0, 1'000, 0),
                                yaml_.Word(*map, "group_kind", false, kGroupKinds)};
}

void Loader::LoadConsentPurpose(const std::string& name, const std::string& what,
                                const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"categories"});
  if (!map) return;
  catalogue_->consent_purposes_.push_back(
      {name, yaml_.Texts(*map, "categories", true, kMaxTextBytes)});
}

}  // namespace hilo::catalogue
