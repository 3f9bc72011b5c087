#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "state/catalogue/translated.h"
#include "state/catalogue/trigger.h"
#include "state/types/time.h"

namespace hilo::catalogue {

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
  Micros due_after{0};     // 0: no rule
  bool complaint = false;  // counts as one: see DecisionProfile.open_complaints
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

}  // namespace hilo::catalogue
