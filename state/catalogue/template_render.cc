#include "state/catalogue/template_render.h"

#include <utility>

namespace hilo::catalogue {

StatusOr<Rendered> Render(const Template& from, std::string_view language,
                          const Variables& variables) {
  Variables all = variables;
  if (std::string& first_name = all["first_name"]; first_name.empty()) {
    const auto trait = variables.find("traits.first_name");
    first_name = trait != variables.end() && !trait->second.empty()
                     ? trait->second
                     : std::string(from.first_name_fallback.In(language));
  }
  const Template::Texts& texts = from.In(language);
  Rendered rendered;
  rendered.language = from.LanguageOf(language);
  const std::pair<const ParsedText*, std::string*> parts[] = {
      {texts.subject.get(), &rendered.subject},
      {texts.text.get(), &rendered.text},
      {texts.html.get(), &rendered.html}};
  for (const auto& [part, into] : parts) {
    if (part == nullptr) continue;
    auto filled = part->Fill(all, kMaxRenderedBytes);
    if (!filled.ok()) return filled.status();
    *into = *std::move(filled);
  }
  return rendered;
}

}  // namespace hilo::catalogue
