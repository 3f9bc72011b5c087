#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/translated.h"

namespace hilo::catalogue {

class ParsedText;  // state/catalogue/template_text.h

// A message with places to fill in, as mustache. Names that may stand in it:
//   traits.NAME          a trait of the customer, such as traits.first_name
//   facts.KIND           the newest fact of that kind
//   event.PATH           an open detail of the event that began the journey, such as event.order_id
//   product.title, product.price, product.url, product.id
//                        the product that the event's open detail `product_from` names
//   first_name           the trait, or the template's fallback for who has none
//   today                the day of sending, written out
//   unsubscribe_url      where this kind of message is stopped
// What may be unknown (traits, facts, event, product) stands inside a section of its own name, or
// of `product`: {{#traits.city}} … {{traits.city}} … {{/traits.city}}. So no message fails for a
// value that a customer lacks.
struct Template {
  // Of one language.
  struct Texts {
    std::shared_ptr<const ParsedText> subject;  // null for "sms"
    std::shared_ptr<const ParsedText> text;     // never null
    std::shared_ptr<const ParsedText> html;     // null: text alone
  };
  std::string name;
  std::string channel;                                  // kOutboundChannels
  std::map<std::string, Texts, std::less<>> languages;  // at least "en"
  Translated first_name_fallback;                       // for `first_name`; may be empty
  std::string product_from = "product_id";              // open detail that names the product

  // What it shows in any language, ascending, no two equal.
  std::vector<std::string> traits;       // names, without "traits."
  std::vector<std::string> facts;        // kinds
  std::vector<std::string> event_paths;  // without "event."; product_from too where a product shows
  bool shows_product = false;
  bool shows_unsubscribe = false;

  // Of a BCP 47 tag: its language, else "en".
  const Texts& In(std::string_view language) const {
    return languages.find(LanguageOf(language))->second;
  }
  // The language of those.
  std::string LanguageOf(std::string_view language) const;
};

}  // namespace hilo::catalogue
