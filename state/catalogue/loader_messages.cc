#include <algorithm>
#include <utility>

#include "state/catalogue/loader.h"

namespace hilo::catalogue {
namespace {

constexpr uint32_t kMostAttempts = 20;
constexpr size_t kMaxSubjectBytes = 200;
constexpr size_t kMaxUrlBytes = 500;
constexpr size_t kMaxProductIdBytes = 128;
constexpr std::string_view kSms = "sms";
constexpr std::string_view kProductParts[] = {"product.title", "product.price", "product.url",
                                              "product.id"};
// Always known, once the template has a fallback for the first.
constexpr std::string_view kFirstName = "first_name";
constexpr std::string_view kUnsubscribe = "unsubscribe_url";
constexpr std::string_view kToday = "today";
const char kKnownNames[] =
    "first_name, today, unsubscribe_url, traits.NAME, facts.KIND, event.PATH, product.title, "
    "product.price, product.url, product.id";

bool IsHttps(std::string_view url) {
  return url.starts_with("https://") && url.size() > 8 && url.size() <= kMaxUrlBytes &&
         std::all_of(url.begin(), url.end(), [](char c) {
           return c > 0x20 && c != 0x7F && c != '"' && c != '<' && c != '>' && c != '\\';
         });
}

// What stands behind the prefix; "" when `name` has another one.
std::string_view Behind(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
}

void Insert(std::vector<std::string>& names, std::string_view name) {
  const auto place = std::lower_bound(names.begin(), names.end(), name);
  if (place == names.end() || *place != name) names.insert(place, std::string(name));
}

}  // namespace

void Loader::LoadJourney(const std::string& name, const std::string& what, const YAML::Node& spec) {
  const auto map =
      yaml_.ReadMap(spec, what,
                    {"when", "key", "wait", "restart", "exits", "expires_after", "reenter_after",
                     "channel", "actions", "groups", "max_attempts", "retry"});
  if (!map) return;
  Journey& journey = catalogue_->journeys_[name];
  journey.name = name;
  journey.begins = ReadTrigger(*map, "when", true);
  journey.key_from = yaml_.Path(*map, "key", false);
  journey.wait = yaml_.Duration(*map, "wait");
  journey.restarts = yaml_.Flag(*map, "restart", false);
  for (const YAML::Node& item :
       yaml_.Items(*map, "exits", "{when: {type: …, event: …}, reason: bought}")) {
    const auto exit = yaml_.ReadMap(item, what + "'s \"exits\"", {"when", "reason", "key"});
    if (!exit) continue;
    Journey::Exit read{ReadTrigger(*exit, "when", true), yaml_.Text(*exit, "reason", true),
                       yaml_.Path(*exit, "key", false)};
    if (!read.reason.empty() && !IsWord(read.reason)) {
      yaml_.AddProblem(*exit->Find("reason"), Quoted(read.reason) +
                                                  " is no reason; write one word of lower-case "
                                                  "letters, digits and \"_\", as \"bought\"");
    }
    if (!read.key_from.empty() && journey.key_from.empty()) {
      yaml_.AddProblem(*exit->Find("key"), what +
                                               " has no \"key\" to compare this one with; add "
                                               "\"key\" to the journey, or leave this one out");
    }
    journey.exits.push_back(std::move(read));
  }
  if (map->Find("expires_after") == nullptr) {
    yaml_.AddProblem(map->place, what +
                                     " lacks \"expires_after\", when it is no longer worth "
                                     "sending; add \"expires_after: 2d\"");
  }
  journey.expires_after = yaml_.Duration(*map, "expires_after");
  if (map->Find("reenter_after") == nullptr) {
    yaml_.AddProblem(map->place, what +
                                     " lacks \"reenter_after\", so that it could run again and "
                                     "again without a pause; add \"reenter_after: 1d\"");
  }
  journey.reenter_after = yaml_.Duration(*map, "reenter_after");
  journey.channel = yaml_.Word(*map, "channel", true, kOutboundChannels);
  journey.actions = yaml_.Names(*map, "actions");
  Refer(*map, "actions", "Action", journey.actions);
  journey.groups = yaml_.Names(*map, "groups");
  Refer(*map, "groups", "group", journey.groups);
  if (journey.actions.empty() && journey.groups.empty()) {
    yaml_.AddProblem(map->place, what +
                                     " has nothing to choose from; add \"actions: [...]\" or "
                                     "\"groups: [...]\"");
  }
  journey.max_attempts = yaml_.Number(*map, "max_attempts", 1, kMostAttempts, 3);
  if (map->Find("retry") != nullptr) journey.retry = yaml_.Duration(*map, "retry");
}

void Loader::LoadTemplate(const std::string& name, const std::string& what,
                          const YAML::Node& spec) {
  const auto map =
      yaml_.ReadMap(spec, what, {"channel", "texts", "first_name_fallback", "product_from"});
  if (!map) return;
  Template& from = catalogue_->templates_[name];
  from.name = name;
  from.channel = yaml_.Word(*map, "channel", true, kOutboundChannels);
  from.first_name_fallback =
      yaml_.ReadTranslated(*map, "first_name_fallback", {.required = false, .max_characters = 40});
  if (map->Find("product_from") != nullptr)
    from.product_from = yaml_.Path(*map, "product_from", true);
  const bool email = from.channel != kSms;
  for (const auto& [language, node] : yaml_.ByLanguage(*map, "texts")) {
    const auto texts = yaml_.ReadMap(node, what, {"subject", "text", "html"});
    if (!texts) continue;
    Template::Texts& into = from.languages[language];
    ReadTemplateText(*texts, "subject", email, from, into.subject);
    ReadTemplateText(*texts, "text", true, from, into.text);
    ReadTemplateText(*texts, "html", false, from, into.html);
    for (std::string_view key : {std::string_view("subject"), std::string_view("html")}) {
      if (!email && texts->Find(key) != nullptr) {
        yaml_.AddProblem(*texts->Find(key), what +
                                                " is of channel \"sms\", which has text alone; "
                                                "leave " +
                                                Quoted(key) + " out");
      }
    }
  }
  if (!from.languages.empty() && !from.languages.contains("en")) {
    yaml_.AddProblem(yaml_.PlaceOf(*map, "texts"),
                     what +
                         " has no English texts, which are sent where there are no others; add "
                         "\"en: …\"");
  }
}

void Loader::ReadTemplateText(const Map& texts, std::string_view key, bool required, Template& from,
                              std::shared_ptr<const ParsedText>& into) {
  const bool subject = key == "subject";
  const std::string text =
      yaml_.Text(texts, key, required, subject ? kMaxSubjectBytes : ParsedText::kMaxBytes);
  if (text.empty()) return;
  const Place place = yaml_.PlaceOf(texts, key);
  const ParsedText::Parsed parsed =
      ParsedText::Parse(text, subject         ? ParsedText::Part::kSubject
                              : key == "html" ? ParsedText::Part::kHtml
                                              : ParsedText::Part::kText);
  const std::string what = texts.what + "'s " + Quoted(key);
  for (const ParsedText::Finding& finding : parsed.findings)
    yaml_.AddProblem(PlaceWithin(place, text, finding.offset), what + ": " + finding.message);
  if (parsed.text == nullptr) return;
  into = parsed.text;
  bool unsubscribe = false;
  for (const ParsedText::Use& use : parsed.text->uses()) {
    CheckUse(use, PlaceWithin(place, text, use.offset), what, from);
    unsubscribe = unsubscribe || (use.shown && use.name == kUnsubscribe);
  }
  if (unsubscribe) from.shows_unsubscribe = true;
  if (!unsubscribe && !subject) without_unsubscribe_[from.name].push_back({place, what, {}});
}

void Loader::CheckUse(const ParsedText::Use& use, Place place, const std::string& what,
                      Template& from) {
  const std::string& name = use.name;
  const std::string_view trait = Behind(name, "traits.");
  const std::string_view fact = Behind(name, "facts.");
  const std::string_view event = Behind(name, "event.");
  const bool product =
      name == "product" || std::find(std::begin(kProductParts), std::end(kProductParts), name) !=
                               std::end(kProductParts);
  if (name == kFirstName) {
    Insert(from.traits, kFirstName);
    if (from.first_name_fallback.empty()) {
      yaml_.AddProblem(place, what +
                                  " shows {{first_name}}, but the template does not say what to "
                                  "write for who has none; add \"first_name_fallback: {en: …}\"");
    }
  } else if (!trait.empty()) {
    Insert(from.traits, trait);
  } else if (!fact.empty()) {
    Insert(from.facts, fact);
    references_.push_back({place, what, "FactKind", std::string(fact)});
  } else if (!event.empty()) {
    Insert(from.event_paths, event);
    event_paths_[from.name].push_back({place, what, std::string(event)});
  } else if (product) {
    from.shows_product = true;
    Insert(from.event_paths, from.product_from);
    event_paths_[from.name].push_back({place, what, from.product_from});
  } else if (name != kUnsubscribe && name != kToday) {
    yaml_.AddProblem(place, what + " names " + Quoted(name) +
                                ", which is not known; write one of: " + kKnownNames);
    return;
  }
  const bool may_lack = !trait.empty() || !fact.empty() || !event.empty() || product;
  if (use.shown && name == "product") {
    yaml_.AddProblem(place, what + " cannot show a product as such; write {{product.title}}");
  } else if (use.shown && may_lack && !use.guarded) {
    const std::string section = product ? "product" : name;
    yaml_.AddProblem(place, what + " shows {{" + name +
                                "}}, which not every customer has; write \"{{#" + section +
                                "}}… {{" + name + "}} …{{/" + section + "}}\"");
  }
}

void Loader::LoadProduct(const std::string& name, const std::string& what, const YAML::Node& spec) {
  const auto map =
      yaml_.ReadMap(spec, what, {"id", "title", "price", "url", "available", "keywords"});
  if (!map) return;
  Product product;
  product.id = yaml_.Text(*map, "id", false, kMaxProductIdBytes);
  if (product.id.empty()) product.id = name;
  product.title = yaml_.ReadTranslated(*map, "title", {.max_characters = 120});
  product.price = yaml_.Amount(*map, "price", true).value_or(Money{});
  product.url = yaml_.Text(*map, "url", false, kMaxUrlBytes);
  if (!product.url.empty() && !IsHttps(product.url)) {
    yaml_.AddProblem(*map->Find("url"),
                     what + "'s \"url\" must be a whole address that begins with https://");
  }
  product.available = yaml_.Flag(*map, "available", true);
  product.keywords = yaml_.Names(*map, "keywords");
  if (const auto [other, fresh] = catalogue_->products_.emplace(product.id, product); !fresh) {
    yaml_.AddProblem(yaml_.PlaceOf(*map, "id"), "there is a product with the id " +
                                                    Quoted(product.id) + " already; change one");
  }
}

}  // namespace hilo::catalogue
