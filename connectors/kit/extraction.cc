#include "connectors/kit/extraction.h"

#include <algorithm>
#include <map>
#include <set>

#include "connectors/kit/amount.h"
#include "connectors/kit/identifiers.h"
#include "connectors/kit/text.h"
#include "hilo/v1/customer.pb.h"

namespace hilo::kit {
namespace {

constexpr uint32_t kMaxConsents = 32;
constexpr uint32_t kMaxJourneySignals = 32;
// Parts of a web context that are stored elsewhere or say nothing of the contact.
constexpr std::string_view kContextElsewhere[] = {"traits", "consent", "library", "userAgentData",
                                                  "groupId"};
constexpr std::string_view kConsentUpdated = "Segment Consent Preference Updated";

bool Holds(const std::optional<catalogue::Condition>& condition, json::Value details) {
  return !condition || details.At(condition->path).AsText() == condition->equals;
}

bool IsScalar(json::Value value) {
  return value && (value.IsString() || value.IsNumber() || value.IsBool());
}

// Writes one event's findings.
class Extraction {
 public:
  Extraction(const IncomingEvent& event, const catalogue::Catalogue& catalogue, const HashKey& key,
             Draft& draft)
      : event_(event), catalogue_(catalogue), key_(key), draft_(draft), body_(*draft.body) {}

  void Run() {
    const auto& rules = catalogue_.RulesFor(event_.type, event_.event);
    AddOpenFields(rules);
    AddFacts(rules);
    AddTraits();
    AddGroups();
    AddPurchase(rules);
    AddCase(rules);
    AddJourneys(rules);
    AddConsents();
    AddLanguage();
    SealTheRest();
  }

 private:
  void Seal(std::string* into, std::string_view field, std::string value) {
    draft_.to_seal.push_back({into, field, std::move(value)});
  }

  void AddOpenFields(const catalogue::Catalogue::Rules& rules) {
    for (std::string_view path : rules.open_fields) {
      const json::Value value = event_.properties.At(path);
      if (!IsScalar(value) || value.Text().size() > kMaxOpenFieldBytes) continue;
      AddOpen(path, value.Text());
      opened_.push_back(value);
    }
  }
  void AddOpen(std::string_view name, std::string_view value) {
    store::v1::OpenField* field = body_.add_open();
    field->set_name(std::string(name));
    field->set_value(std::string(value));
  }

  void AddFacts(const catalogue::Catalogue::Rules& rules) {
    for (const catalogue::FactRule* rule : rules.facts) {
      const json::Value value = event_.properties.At(rule->from);
      if (!value || value.type() == json::Type::kNull ||
          !Holds(rule->when.condition, event_.properties))
        continue;
      const std::string text = value.AsText();
      if (Trim(text).empty()) continue;
      store::v1::ExtractedFact* fact = body_.add_facts();
      fact->set_kind(rule->kind);
      fact->set_expires_after_micros(rule->expires_after.count());
      fact->set_confidence(rule->confidence);
      Seal(fact->mutable_sealed(), "fact", std::string(Clip(Trim(text), kMaxFactBytes)));
    }
  }

  void AddTraits() {
    size_t count = 0;
    for (json::Value trait = event_.traits.First(); trait && count < kMaxTraits;
         trait = trait.Next()) {
      const std::string_view name = trait.Key();
      // E-mail and phone have become identifiers.
      if (name.empty() || name.size() > kMaxTraitNameBytes || name == "email" || name == "phone" ||
          trait.type() == json::Type::kNull) {
        continue;
      }
      store::v1::EventTrait* stored = body_.add_traits();
      stored->set_name(std::string(name));
      Seal(stored->mutable_sealed(), "trait", trait.AsText());
      ++count;
    }
  }

  void AddGroups() {
    std::set<std::pair<std::string, std::string>> seen;
    for (const RawGroup& group : event_.groups) AddGroup(group, seen);
    for (const catalogue::GroupRule& rule : catalogue_.group_rules()) {
      for (json::Value details : {event_.traits, event_.properties}) {
        const json::Value id = details.At(rule.from);
        if (!IsScalar(id)) continue;
        const json::Value role =
            rule.role_from.empty() ? json::Value() : details.At(rule.role_from);
        AddGroup({rule.kind, std::string(id.Text()), std::string(role.Text())}, seen);
        break;
      }
    }
  }
  void AddGroup(const RawGroup& raw, std::set<std::pair<std::string, std::string>>& seen) {
    // The rules for junk are those of identifiers; a group that is junk is no group, and no reason
    // to lose the event.
    const auto id = NormaliseGroup(raw.kind, raw.id);
    if (!id || seen.size() == kMaxGroups || !seen.emplace(raw.kind, *id).second) return;
    store::v1::Group* group = draft_.event->add_groups();
    group->set_kind(raw.kind);
    group->set_group(std::string(HashOfGroup(key_, raw.kind, *id).Bytes()));
    group->set_role(std::string(Clip(Trim(raw.role), 64)));
    Seal(group->mutable_sealed_id(), "group", *id);
  }

  void AddPurchase(const catalogue::Catalogue::Rules& rules) {
    for (const catalogue::PurchaseRule* rule : rules.purchases) {
      if (!Holds(rule->when.condition, event_.properties)) continue;
      const std::string_view problem = TryPurchase(*rule);
      if (!problem.empty()) {
        body_.clear_purchase();
        AddOpen("purchase_problem", problem);
      }
      return;
    }
  }

  // "" or what could not be read.
  std::string_view TryPurchase(const catalogue::PurchaseRule& rule) {
    const json::Value details = event_.properties;
    const json::Value written =
        rule.currency_from.empty() ? json::Value() : details.At(rule.currency_from);
    const auto currency = Currency::Parse(
        IsScalar(written) ? Trim(written.Text()) : std::string_view(rule.default_currency));
    if (!currency) return "currency";
    std::optional<Money> amount;
    for (const std::string& path : rule.amount_from) {
      const json::Value value = details.At(path);
      if (!IsScalar(value)) continue;
      amount = ParseAmount(Trim(value.Text()), *currency);
      break;
    }
    // Some sources write what goes back as a negative amount.
    if (amount && rule.kind == catalogue::PurchaseKind::kRefund && amount->minor < 0)
      amount->minor = -amount->minor;
    if (!amount || amount->minor < 0) return "amount";

    store::v1::Purchase* purchase = body_.mutable_purchase();
    purchase->set_kind(static_cast<store::v1::Purchase::Kind>(rule.kind));
    const json::Value order = details.At(rule.order_from);
    const std::string order_id = IsScalar(order) ? std::string(Trim(order.Text())) : std::string();
    purchase->set_order(order_id.empty() ? std::string(draft_.event_id.Bytes())
                                         : std::string(Bytes(KeyedHash(key_, "order", order_id))));
    purchase->set_minor(amount->minor);
    purchase->set_currency(std::string(currency->Text()));
    AddItems(rule, *currency, *purchase);
    return {};
  }

  void AddItems(const catalogue::PurchaseRule& rule, Currency currency,
                store::v1::Purchase& purchase) {
    const json::Value items =
        rule.items_from.empty() ? json::Value() : event_.properties.At(rule.items_from);
    if (!items.IsArray()) return;
    for (json::Value from = items.First(); from; from = from.Next()) {
      if (purchase.items_size() == static_cast<int>(kMaxItems)) return;
      const json::Value product = from.At(rule.item_product_from);
      if (!IsScalar(product)) continue;
      store::v1::Item* item = purchase.add_items();
      item->set_product(std::string(Clip(product.Text(), 128)));
      const json::Value quantity =
          rule.item_quantity_from.empty() ? json::Value() : from.At(rule.item_quantity_from);
      item->set_quantity(quantity.Integer().value_or(1));
      const json::Value price =
          rule.item_price_from.empty() ? json::Value() : from.At(rule.item_price_from);
      if (const auto each =
              IsScalar(price) ? ParseAmount(Trim(price.Text()), currency) : std::nullopt) {
        item->set_minor(each->minor);
      }
    }
  }

  void AddCase(const catalogue::Catalogue::Rules& rules) {
    for (const auto& [kind, opened_by] : rules.cases) {
      if (!Holds(opened_by->when.condition, event_.properties)) continue;
      store::v1::CaseSignal* signal = body_.mutable_case_();
      signal->set_kind(kind->name);
      signal->set_due_after_micros(kind->due_after.count());
      const json::Value title = opened_by->title_from.empty()
                                    ? json::Value()
                                    : event_.properties.At(opened_by->title_from);
      const std::string text(Clip(Trim(title.Text()), kMaxTitleBytes));
      if (!text.empty()) Seal(signal->mutable_sealed_title(), "case", text);
      return;
    }
  }

  void AddJourneys(const catalogue::Catalogue::Rules& rules) {
    for (const auto& [journey, exit] : rules.journeys) {
      if (body_.journeys_size() == static_cast<int>(kMaxJourneySignals)) return;
      const catalogue::Trigger& when = exit == nullptr ? journey->begins : exit->when;
      if (!Holds(when.condition, event_.properties)) continue;
      const std::string& key_from = exit == nullptr ? journey->key_from : exit->key_from;
      const json::Value written = key_from.empty() ? json::Value() : event_.properties.At(key_from);
      const std::string_view about = IsScalar(written) ? Trim(written.Text()) : std::string_view();
      // An exit that should end the run of one basket must not end all of them.
      if (exit != nullptr && !key_from.empty() && about.empty()) continue;
      store::v1::JourneySignal* signal = body_.add_journeys();
      signal->set_journey(journey->name);
      if (!about.empty()) {
        signal->set_key(std::string(
            Bytes(KeyedHash(key_, "journey", journey->name + '\0' + std::string(about)))));
      }
      if (exit != nullptr) {
        signal->set_leaves(true);
        signal->set_reason(exit->reason);
        continue;
      }
      signal->set_wait_micros(journey->wait.count());
      signal->set_restarts(journey->restarts);
      signal->set_expires_micros(journey->expires_after.count());
      signal->set_reenter_micros(journey->reenter_after.count());
    }
  }

  void AddConsent(std::string_view purpose, bool granted, std::string_view mechanism,
                  std::string_view evidence) {
    if (body_.consents_size() == static_cast<int>(kMaxConsents)) return;
    store::v1::ConsentSignal* signal = body_.add_consents();
    signal->set_purpose(std::string(purpose));
    signal->set_status(granted ? v1::CONSENT_STATUS_GRANTED : v1::CONSENT_STATUS_DENIED);
    signal->set_mechanism(std::string(mechanism));
    signal->set_evidence_hash(std::string(Bytes(KeyedHash(key_, "evidence", evidence))));
    signal->set_language(Language());
  }

  void AddConsents() {
    if (event_.global_privacy_control)
      AddConsent("data_sale", false, "global_privacy_control", "1");
    const json::Value consent = event_.context["consent"];
    const json::Value categories = consent["categoryPreferences"];
    if (!categories.IsObject()) return;  // nothing said, nothing changed
    std::string evidence;
    consent.Write(evidence);
    const std::string_view mechanism =
        event_.event == kConsentUpdated ? "preference_centre" : "consent_banner";
    // An empty object refuses every category. Of several categories of one purpose, one refusal
    // counts.
    std::map<std::string, bool, std::less<>> by_purpose;
    if (categories.size() == 0) {
      for (const catalogue::ConsentPurpose& purpose : catalogue_.consent_purposes())
        by_purpose[purpose.name] = false;
    }
    for (json::Value category = categories.First(); category; category = category.Next()) {
      const bool granted = category.Bool().value_or(false);
      const auto [purpose, fresh] = by_purpose.emplace(PurposeOf(category.Key()), granted);
      if (!fresh) purpose->second = purpose->second && granted;
    }
    for (const auto& [purpose, granted] : by_purpose)
      AddConsent(purpose, granted, mechanism, evidence);
  }

  std::string PurposeOf(std::string_view category) const {
    for (const catalogue::ConsentPurpose& purpose : catalogue_.consent_purposes()) {
      for (const std::string& known : purpose.categories) {
        if (AsciiLower(known) == AsciiLower(category)) return purpose.name;
      }
    }
    std::string name = AsciiLower(Clip(Trim(category), 64));
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
  }

  // BCP 47, or "" when the context says none.
  std::string Language() const {
    std::string tag(event_.context["locale"].String().value_or(""));
    std::replace(tag.begin(), tag.end(), '_', '-');
    const bool plain = std::all_of(tag.begin(), tag.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    return plain && tag.size() >= 2 && tag.size() <= 35 ? tag : std::string();
  }

  void AddLanguage() {
    body_.set_language(Language());
    const std::string_view zone = event_.context["timezone"].String().value_or("");
    // Zones of the tz database; "GMT+0000", which some SDKs write, is none.
    const bool iana =
        zone.size() <= 64 && (zone == "UTC" || zone.find('/') != std::string_view::npos) &&
        std::all_of(zone.begin(), zone.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '/' || c == '_' || c == '-' || c == '+';
        });
    if (iana) body_.set_time_zone(std::string(zone));
  }

  void SealTheRest() {
    std::string rest;
    if (event_.properties.IsObject()) {
      event_.properties.Write(rest, opened_);
    } else {
      rest = "{}";
    }
    if (event_.context.IsObject() && !event_.properties["context"]) {
      std::vector<json::Value> elsewhere;
      for (std::string_view name : kContextElsewhere) {
        if (const json::Value value = event_.context[name]) elsewhere.push_back(value);
      }
      std::string context;
      event_.context.Write(context, elsewhere);
      if (context != "{}") {
        rest.pop_back();
        rest += rest.size() > 1 ? ",\"context\":" : "\"context\":";
        rest += context;
        rest += '}';
      }
    }
    if (rest != "{}") Seal(body_.mutable_sealed_properties(), "properties", std::move(rest));
  }

  const IncomingEvent& event_;
  const catalogue::Catalogue& catalogue_;
  const HashKey& key_;
  Draft& draft_;
  store::v1::EventBody& body_;
  std::vector<json::Value> opened_;
};

}  // namespace

void Extract(const IncomingEvent& event, const catalogue::Catalogue& catalogue, const HashKey& key,
             Draft& draft) {
  Extraction(event, catalogue, key, draft).Run();
}

}  // namespace hilo::kit
