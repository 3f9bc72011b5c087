// Resources of catalogues as JSON, one a line, each with what the loader says of it: those of the
// catalogue that the program carries, and a table of good and bad ones. catalogue-schema.test.mjs
// holds the JSON Schemas to the same answers.
#include <yaml-cpp/yaml.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/catalogue.h"

namespace hilo::catalogue {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool IsInteger(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text.front() != '0');
}

// As editors read YAML: the core schema of YAML 1.2, as far as these files need it.
std::string Json(const YAML::Node& node) {
  std::string out;
  if (node.IsMap()) {
    for (const auto& member : node)
      out += (out.empty() ? "" : ",") + Quoted(member.first.Scalar()) + ":" + Json(member.second);
    return "{" + out + "}";
  }
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) out += (out.empty() ? "" : ",") + Json(item);
    return "[" + out + "]";
  }
  if (!node.IsScalar()) return "null";
  const std::string& text = node.Scalar();
  const bool plain = node.Tag() == "?";
  if (plain && (text == "true" || text == "false" || IsInteger(text))) return text;
  return Quoted(text);
}

void Print(const std::string& name, bool accepted, const YAML::Node& resource) {
  std::printf("{\"name\":%s,\"accepted\":%s,\"resource\":%s}\n", Quoted(name).c_str(),
              accepted ? "true" : "false", Json(resource).c_str());
}

// What the resources of the table may name.
const char kAround[] = R"(
apiVersion: hilo/v1
kind: Template
metadata: {name: mail}
spec: {channel: email, texts: {en: {subject: S, text: "{{unsubscribe_url}}"}}}
---
apiVersion: hilo/v1
kind: Template
metadata: {name: short}
spec: {channel: sms, texts: {en: {text: T}}}
---
apiVersion: hilo/v1
kind: Action
metadata: {name: act}
spec: {group: grp, class: transactional, title: {en: T}, channels: [email, sms], templates: {email: mail, sms: short}}
---
apiVersion: hilo/v1
kind: CaseKind
metadata: {name: case}
spec: {title: {en: C}}
---
apiVersion: hilo/v1
kind: FactKind
metadata: {name: fact}
spec: {question: {en: Q}}
)";

struct Document {
  const char* kind;
  const char* spec;
};

// One line each: what one may write, then what one may not. The first word is the kind.
const Document kDocuments[] = {
    {"FactKind", "{question: {en: Why}, expires_after: 90d}"},
    {"FactKind", "{question: {es: Por qué}}"},
    {"FactKind", "{question: Why}"},
    {"FactKind", "{question: {}}"},
    {"FactKind", "{question: {english: Why}}"},
    {"FactKind", "{question: {en: Why}, expires_after: 90 days}"},
    {"FactKind", "{question: {en: Why}, expire_after: 90d}"},
    {"FactRule",
     "{when: {type: t, event: E, condition: {path: a.0.b, equals: x}}, from: a, kind: fact}"},
    {"FactRule", "{when: {type: t}, from: a, kind: fact, confidence: 100}"},
    {"FactRule", "{when: {type: t}, from: a, kind: fact, confidence: 101}"},
    {"FactRule", "{when: {event: E}, from: a, kind: fact}"},
    {"FactRule", "{when: {type: t}, from: a..b, kind: fact}"},
    {"FactRule", "{when: {type: t}, from: .a, kind: fact}"},
    {"FactRule", "{when: {type: t}, from: a., kind: fact}"},
    {"FactRule", "{when: {type: t}, from: $.a, kind: fact}"},
    {"FactRule", "{when: {type: t}, from: \"a[0]\", kind: fact}"},
    {"FactRule", "{from: a, kind: fact}"},
    {"OpenFields", "{paths: [a, b.c]}"},
    {"OpenFields", "{when: {type: t}, paths: a}"},
    {"OpenFields", "{paths: []}"},
    {"OpenFields", "{when: {type: t, condition: {path: a, equals: b}}, paths: [a]}"},
    {"CaseKind",
     "{title: {en: T}, due_after: 14d, complaint: true, opened_by: [{when: {type: t}, title_from: "
     "a}]}"},
    {"CaseKind", "{title: {en: T}, complaint: \"maybe\"}"},
    {"CaseKind", "{title: {en: T}, opened_by: {when: {type: t}}}"},
    {"CaseKind", "{title: {en: T}, opened_by: [{title_from: a}]}"},
    {"PurchaseRule",
     "{when: {type: t}, kind: order, order: id, amount: [a, b], default_currency: EUR, items: "
     "{from: i, product: p, quantity: q, price: r}}"},
    {"PurchaseRule", "{when: {type: t}, kind: refund, order: id, amount: a, currency: c}"},
    {"PurchaseRule", "{when: {type: t}, kind: gift, order: id, amount: a, currency: c}"},
    {"PurchaseRule", "{when: {type: t}, kind: order, order: id, amount: a}"},
    {"PurchaseRule",
     "{when: {type: t}, kind: order, order: id, amount: a, default_currency: EURO}"},
    {"PurchaseRule",
     "{when: {type: t}, kind: order, order: id, amount: a, currency: c, items: {from: i}}"},
    {"GroupRule", "{from: a, kind: household, role: r}"},
    {"GroupRule", "{from: a, kind: family}"},
    {"Source", "{rank: 1000, group_kind: company}"},
    {"Source", "{rank: -1}"},
    {"ConsentPurpose", "{categories: [A, B]}"},
    {"ConsentPurpose", "{}"},
    {"Action", "{group: g, value: 12.50 EUR, cost: 1 EUR, title: {en: T}, channels: [web]}"},
    {"Action",
     "{group: g, class: default, value: 1 EUR, title: {en: T, es: T}, talk_track: {en: S}, "
     "accept_label: {en: \"Y\"}, decline_label: {en: \"N\"}, channels: [desk, email], templates: "
     "{email: mail}, decline_reasons: [{name: dear, label: {en: D}}], effort: 1m, expires_after: "
     "2d, purpose: marketing, eligibility: [customer.orders > 0, {condition: customer.events > 1, "
     "why: {en: W.}, why_not: {en: N.}}], context_weights: [{condition: context.queue == \"vip\", "
     "percent: 150}], levers: {a: 0, b: 1000}, prior: {positives: 1, negatives: 9}}"},
    {"Action",
     "{group: g, class: mandatory, title: {en: T}, channels: sms, templates: {sms: short}}"},
    {"Action",
     "{group: g, class: transactional, title: {en: T}, channels: [call], purpose: marketing}"},
    {"Action", "{group: g, title: {en: T}, channels: [web]}"},
    {"Action", "{value: 1 EUR, title: {en: T}, channels: [web]}"},
    {"Action", "{group: G, value: 1 EUR, title: {en: T}, channels: [web]}"},
    {"Action", "{group: g, value: 1 EUR, title: {es: T}, channels: [web]}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: \"a\\nb\"}, channels: [web]}"},
    {"Action",
     "{group: g, value: 1 EUR, title: {en: "
     "1234567890123456789012345678901234567890123456789012345678901234567890123456789012}, "
     "channels: [web]}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [paper]}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: []}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [web, web]}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [desk]}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [email]}"},
    {"Action",
     "{group: g, value: 1 EUR, title: {en: T}, channels: [web], templates: {email: mail}}"},
    {"Action",
     "{group: g, value: 1 EUR, title: {en: T}, channels: [web], templates: {letter: mail}}"},
    {"Action", "{group: g, value: 12.5, title: {en: T}, channels: [web]}"},
    {"Action", "{group: g, value: 1 eur, title: {en: T}, channels: [web]}"},
    {"Action", "{group: g, value: -1 EUR, title: {en: T}, channels: [web]}"},
    {"Action", "{group: g, class: special, value: 1 EUR, title: {en: T}, channels: [web]}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [web], levers: {a: 1001}}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [web], levers: {A b: 100}}"},
    {"Action", "{group: g, value: 1 EUR, title: {en: T}, channels: [web], prior: {positives: 0}}"},
    {"Action",
     "{group: g, value: 1 EUR, title: {en: T}, channels: [web], eligibility: customer.orders > 0}"},
    {"Action",
     "{group: g, value: 1 EUR, title: {en: T}, channels: [web], eligibility: [{why: {en: W}}]}"},
    {"Action",
     "{group: g, value: 1 EUR, title: {en: T}, channels: [web], decline_reasons: [{name: other, "
     "label: {en: O}}]}"},
    {"Policy", "{}"},
    {"Policy",
     "{covers: {actions: [act], groups: grp, classes: [default, mandatory], channels: [email]}, "
     "limits: [{per: any, at_most: 0, period: 30d}], suppressions: [{outcome: declined, count: 3, "
     "within: 30d, pause: 60d, of: group, channels: all}], quiet_hours: {from: \"21:00\", to: "
     "\"09:00\", default_zone: Europe/Madrid}, held_by_cases: [case], levers: {a: 1}}"},
    {"Policy", "{covers: {action: act}}"},
    {"Policy", "{covers: {classes: [special]}}"},
    {"Policy", "{covers: {actions: [act, act]}}"},
    {"Policy", "{limits: [{per: week, at_most: 1, period: 7d}]}"},
    {"Policy", "{limits: [{per: any, period: 7d}]}"},
    {"Policy", "{limits: [{per: any, at_most: 1}]}"},
    {"Policy", "{limits: {per: any, at_most: 1, period: 1d}}"},
    {"Policy", "{suppressions: [{outcome: refused, within: 1d, pause: 1d}]}"},
    {"Policy", "{suppressions: [{outcome: declined, within: 1d}]}"},
    {"Policy", "{suppressions: [{outcome: declined, within: 1d, pause: 1d, count: 0}]}"},
    {"Policy", "{quiet_hours: {from: \"24:00\", to: \"09:00\", default_zone: UTC}}"},
    {"Policy", "{quiet_hours: {from: \"21:00\", to: \"09:00\"}}"},
    {"Segment", "{title: {en: T}, condition: customer.orders > 0}"},
    {"Segment", "{title: {en: T}}"},
    {"Segment", "{condition: customer.orders > 0}"},
    {"Product",
     "{title: {en: T}, price: 89.90 EUR, url: \"https://shop.example/7\", available: false, "
     "keywords: [Ärmel, b], id: SHOES/7}"},
    {"Product", "{title: {en: T}, price: 89.90 EUR, url: \"http://shop.example/7\"}"},
    {"Product", "{title: {en: T}, price: 89.90 EUR, url: \"https://shop.example/ 7\"}"},
    {"Product", "{title: {en: T}}"},
    {"Product", "{price: 1 EUR}"},
    {"Product", "{title: {en: T}, price: 1 EUR, available: sometimes}"},
    {"Journey",
     "{when: {type: t}, key: id, wait: 4h, restart: true, exits: [{when: {type: u}, reason: "
     "bought, key: id}], expires_after: 2d, reenter_after: 1d, channel: email, actions: [act], "
     "groups: grp, max_attempts: 20, retry: 1m}"},
    {"Journey",
     "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: sms, groups: [grp]}"},
    {"Journey", "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: email}"},
    {"Journey", "{when: {type: t}, expires_after: 2d, channel: email, actions: [act]}"},
    {"Journey", "{when: {type: t}, reenter_after: 1d, channel: email, actions: [act]}"},
    {"Journey", "{expires_after: 2d, reenter_after: 1d, channel: email, actions: [act]}"},
    {"Journey",
     "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: desk, actions: [act]}"},
    {"Journey",
     "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: email, actions: [act], "
     "max_attempts: 21}"},
    {"Journey",
     "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: email, actions: [act], "
     "wait: 0s}"},
    {"Journey",
     "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: email, actions: [act], "
     "exits: [{when: {type: u}}]}"},
    {"Journey",
     "{when: {type: t}, expires_after: 2d, reenter_after: 1d, channel: email, actions: [act], "
     "exits: [{when: {type: u}, reason: Has bought}]}"},
    {"Template",
     "{channel: email, first_name_fallback: {en: there}, product_from: sku, texts: {en: {subject: "
     "S, text: \"{{first_name}}\", html: <p>H</p>}, es: {subject: S, text: T}}}"},
    {"Template", "{channel: sms, texts: {en: {text: T}}}"},
    {"Template", "{channel: sms, texts: {en: {text: T, subject: S}}}"},
    {"Template", "{channel: sms, texts: {en: {text: T, html: <p>H</p>}}}"},
    {"Template", "{channel: email, texts: {en: {text: T}}}"},
    {"Template", "{channel: email, texts: {en: {subject: \"a\\nb\", text: T}}}"},
    {"Template", "{channel: email, texts: {es: {subject: S, text: T}}}"},
    {"Template", "{channel: web, texts: {en: {text: T}}}"},
    {"Template", "{channel: email}"},
    {"Parameter", "{kind: integer, value: -5}"},
    {"Parameter", "{kind: percent, value: 100}"},
    {"Parameter", "{kind: duration, value: 30d}"},
    {"Parameter", "{kind: percent, value: 101}"},
    {"Parameter", "{kind: duration, value: 30}"},
    {"Parameter", "{kind: integer, value: many}"},
    {"Parameter", "{kind: text, value: a}"},
    {"Parameter", "{value: 1}"},
};

int Main() {
  for (const File& file : Catalogue::BuiltInFiles()) {
    int number = 0;
    for (const YAML::Node& document : YAML::LoadAll(file.content)) {
      if (!document.IsNull()) Print(file.path + " " + std::to_string(++number), true, document);
    }
  }
  for (const Document& document : kDocuments) {
    const std::string content = "apiVersion: hilo/v1\nkind: " + std::string(document.kind) +
                                "\nmetadata: {name: one}\nspec: " + document.spec + "\n";
    const std::vector<File> files = {{"around.yaml", kAround}, {"one.yaml", content}};
    Print(std::string(document.kind) + " " + document.spec,
          Catalogue::Parse(files, 1).catalogue != nullptr, YAML::Load(content));
  }
  const std::pair<const char*, const char*> outer[] = {
      {"version", "apiVersion: hilo/v2\nkind: Policy\nmetadata: {name: one}\nspec: {}\n"},
      {"kind", "apiVersion: hilo/v1\nkind: Polices\nmetadata: {name: one}\nspec: {}\n"},
      {"name", "apiVersion: hilo/v1\nkind: Policy\nmetadata: {name: One}\nspec: {}\n"},
      {"word",
       "apiVersion: hilo/v1\nkind: Parameter\nmetadata: {name: so-many}\nspec: {kind: integer, "
       "value: 1}\n"},
      {"no spec", "apiVersion: hilo/v1\nkind: Policy\nmetadata: {name: one}\n"},
      {"no metadata", "apiVersion: hilo/v1\nkind: Policy\nspec: {}\n"},
      {"more", "apiVersion: hilo/v1\nkind: Policy\nmetadata: {name: one}\nspec: {}\nstatus: {}\n"}};
  for (const auto& [name, content] : outer) {
    const std::vector<File> files = {{"one.yaml", content}};
    Print(name, Catalogue::Parse(files, 1).catalogue != nullptr, YAML::Load(content));
  }
  return 0;
}

}  // namespace
}  // namespace hilo::catalogue

int main() { return hilo::catalogue::Main(); }
