#include "state/catalogue/template_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/catalogue/template_render.h"

namespace hilo::catalogue {
namespace {

using testing::HasSubstr;
using Part = ParsedText::Part;

std::string Filled(std::string source, const Variables& variables, Part part = Part::kText) {
  const auto parsed = ParsedText::Parse(std::move(source), part);
  if (parsed.text == nullptr) return "finding: " + parsed.findings[0].message;
  const auto filled = parsed.text->Fill(variables, 1'000);
  return filled.ok() ? *filled : Reason(filled.status());
}

// The cases of github.com/mustache/spec that our part of the language names, with our names.
struct Case {
  const char* name;
  const char* source;
  const char* filled;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class TextIsFilled : public testing::TestWithParam<Case> {};

TEST_P(TextIsFilled, AsMustacheSays) {
  const Variables variables = {{"a", "A"}, {"b.c", "B"}, {"empty", ""}};
  EXPECT_EQ(Filled(GetParam().source, variables), GetParam().filled);
}

INSTANTIATE_TEST_SUITE_P(
    Mustache, TextIsFilled,
    testing::Values(Case{"NoTags", "Hello from {Mustache}!\n", "Hello from {Mustache}!\n"},
                    Case{"Value", "Hello, {{a}}!", "Hello, A!"}, Case{"Dotted", "-{{b.c}}-", "-B-"},
                    Case{"Padding", "|{{ a }}|", "|A|"}, Case{"SpacesKept", "| {{a}} |", "| A |"},
                    Case{"ValueOnItsOwnLine", "  {{a}}\n", "  A\n"},
                    Case{"Known", "{{#a}}x{{/a}}", "x"}, Case{"Unknown", "[{{#no}}x{{/no}}]", "[]"},
                    Case{"EmptyIsUnknown", "[{{#empty}}x{{/empty}}]", "[]"},
                    Case{"InvertedUnknown", "[{{^no}}x{{/no}}]", "[x]"},
                    Case{"InvertedKnown", "[{{^a}}x{{/a}}]", "[]"},
                    Case{"Nested", "{{#a}}1{{#b.c}}2{{/b.c}}3{{#no}}4{{/no}}{{/a}}5", "1235"},
                    Case{"StandaloneLines", "| This Is\n{{#a}}\n|\n{{/a}}\n| A Line\n",
                         "| This Is\n|\n| A Line\n"},
                    Case{"IndentedStandaloneLines", "| This Is\n  {{#a}}\n|\n  {{/a}}\n| A Line\n",
                         "| This Is\n|\n| A Line\n"},
                    Case{"StandaloneWithWindowsLineEnds", "|\r\n{{#a}}\r\n{{/a}}\r\n|", "|\r\n|"},
                    Case{"StandaloneWithoutPreviousLine", "  {{#a}}\n#{{/a}}\n/", "#\n/"},
                    Case{"StandaloneWithoutNewline", "#{{#a}}\n/\n  {{/a}}", "#\n/\n"},
                    Case{"TwoTagsOnALineStay", "| {{#a}} {{/a}} |\n", "|   |\n"},
                    Case{"Comment", "12345{{! Comment Block! }}67890", "1234567890"},
                    Case{"StandaloneComment", "Begin.\n  {{! Indented }}\nEnd.\n",
                         "Begin.\nEnd.\n"},
                    Case{"CommentOfSeveralLines",
                         "Begin.\n{{!\nSomething's going on here...\n}}\nEnd.\n", "Begin.\nEnd.\n"},
                    Case{"SectionWithPadding", "|{{# a }}={{/ a }}|", "|=|"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParsedText, EscapesInHtmlAlone) {
  const Variables variables = {{"a", "<b>\"T&T's\"</b>"}};
  EXPECT_EQ(Filled("<p>{{a}}</p>", variables, Part::kHtml),
            "<p>&lt;b&gt;&quot;T&amp;T&#39;s&quot;&lt;/b&gt;</p>");
  EXPECT_EQ(Filled("<p>{{a}}</p>", variables), "<p><b>\"T&T's\"</b></p>");
}

TEST(ParsedText, LetsNoControlCharacterThrough) {
  const Variables variables = {{"a", std::string("A\r\nBcc: x@example.com\0\x1b", 22)}};
  EXPECT_EQ(Filled("{{a}}", variables), "A\nBcc: x@example.com");
  EXPECT_EQ(Filled("<p>{{a}}</p>", variables, Part::kHtml), "<p>A\nBcc: x@example.com</p>");
  EXPECT_EQ(Filled("Hello {{a}}", variables, Part::kSubject), "header_injection");
  EXPECT_EQ(Filled("Hello {{a}}", {{"a", std::string("x\0y", 3)}}, Part::kSubject),
            "header_injection");
}

TEST(ParsedText, SendsNothingWithAHole) {
  EXPECT_EQ(Filled("Hello {{a}}", {}), "variable_missing");
  EXPECT_EQ(Filled("Hello {{a}}", {{"a", ""}}), "variable_missing");
}

TEST(ParsedText, IsBounded) {
  EXPECT_EQ(Filled("{{a}}{{a}}", {{"a", std::string(500, 'x')}}), std::string(1'000, 'x'));
  EXPECT_EQ(Filled("{{a}}{{a}}.", {{"a", std::string(500, 'x')}}), "message_too_large");
  // What a value looks like is never read as a template.
  EXPECT_EQ(Filled("{{a}}", {{"a", "{{#a}}{{a}}{{/a}}"}}), "{{#a}}{{a}}{{/a}}");
}

struct Mistake {
  const char* name;
  std::string source;
  Part part;
  size_t offset;
  const char* message;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }
class TextIsRefused : public testing::TestWithParam<Mistake> {};

TEST_P(TextIsRefused, AndSaysWhereAndWhatInstead) {
  const auto parsed = ParsedText::Parse(GetParam().source, GetParam().part);
  EXPECT_EQ(parsed.text, nullptr);
  ASSERT_FALSE(parsed.findings.empty());
  EXPECT_THAT(parsed.findings[0].message, HasSubstr(GetParam().message));
  EXPECT_EQ(parsed.findings[0].offset, GetParam().offset);
}

std::string Deep(size_t depth) {
  std::string source;
  for (size_t i = 0; i < depth; ++i) source += "{{#a}}";
  for (size_t i = 0; i < depth; ++i) source += "{{/a}}";
  return source;
}

std::string Many(size_t count) {
  std::string source;
  for (size_t i = 0; i < count; ++i) source += "{{a}}";
  return source;
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TextIsRefused,
    testing::Values(
        Mistake{"NotClosed", "Hello {{a", Part::kText, 6, "not closed"},
        Mistake{"SectionNotClosed", "x{{#a}}y", Part::kText, 1, "{{/a}}"},
        Mistake{"WrongEnd", "{{#a}}{{/b}}{{/a}}", Part::kText, 6, "{{/a}}"},
        Mistake{"EndWithoutSection", "x{{/a}}", Part::kText, 1, "no section is open"},
        Mistake{"Partial", "{{>a}}", Part::kText, 0, "cannot include"},
        Mistake{"Delimiters", "{{=<% %>=}}", Part::kText, 0, "cannot be changed"},
        Mistake{"Triple", "<p>{{{a}}}</p>", Part::kHtml, 3, "always escaped"},
        Mistake{"Ampersand", "{{&a}}", Part::kText, 0, "always escaped"},
        Mistake{"NeverKnown", "{{^a}}{{a}}{{/a}}", Part::kText, 6, "not known inside"},
        Mistake{"SubjectOfTwoLines", "a\nb", Part::kSubject, 0, "one line"},
        Mistake{"TooLong", std::string(ParsedText::kMaxBytes + 1, 'x'), Part::kText, 0, "too long"},
        Mistake{"TooDeep", Deep(ParsedText::kMaxDepth + 1), Part::kText, 6 * ParsedText::kMaxDepth,
                "deep"},
        Mistake{"Bomb", Deep(5'000), Part::kText, 6 * ParsedText::kMaxDepth, "deep"},
        Mistake{"TooManyTags", Many(ParsedText::kMaxTags + 1), Part::kText,
                5 * ParsedText::kMaxTags, "too many"},
        Mistake{"InAnAttribute", "<p title=\"{{a}}\">", Part::kHtml, 10, "inside a tag"},
        Mistake{"UrlWithoutQuotes", "<a href={{product.url}}>", Part::kHtml, 8, "inside a tag"},
        Mistake{"UrlBehindScheme", "<a href=\"javascript:{{product.url}}\">", Part::kHtml, 20,
                "inside a tag"},
        Mistake{"UrlBeforeMore", "<a href=\"{{product.url}}x\">", Part::kHtml, 9, "inside a tag"},
        Mistake{"InAStyle", "<style>p{color:{{a}}}</style>", Part::kHtml, 15, "style"},
        Mistake{"InAComment", "<!-- don't {{a}} -->", Part::kHtml, 11, "comment"},
        Mistake{"Script", "<SCRIPT src=\"x\"></SCRIPT>", Part::kHtml, 0, "script"},
        Mistake{"TagNotClosed", "<p", Part::kHtml, 2, "close it"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParsedText, TakesUrlsAsWholeAttributes) {
  const Variables variables = {{"product.url", "https://shop.example/?a=1&b=2"}};
  EXPECT_EQ(Filled("<a class='x' href=\"{{product.url}}\">a</a>", variables, Part::kHtml),
            "<a class='x' href=\"https://shop.example/?a=1&amp;b=2\">a</a>");
  EXPECT_EQ(
      Filled("<style>p > a {}</style><!-- it's --><p>{{product.url}}", variables, Part::kHtml),
      "<style>p > a {}</style><!-- it's --><p>https://shop.example/?a=1&amp;b=2");
}

TEST(ParsedText, TellsWhatItUses) {
  const auto parsed = ParsedText::Parse(
      "{{a}} {{#b}}{{b}}{{/b}} {{#product}}{{product.url}}{{/product}}", Part::kText);
  ASSERT_NE(parsed.text, nullptr);
  std::string uses;
  for (const ParsedText::Use& use : parsed.text->uses()) {
    uses += use.name + "@" + std::to_string(use.offset) + (use.shown ? " shown" : " asked") +
            (use.guarded ? " guarded; " : "; ");
  }
  EXPECT_EQ(uses,
            "a@0 shown; b@6 asked; b@12 shown guarded; product@24 asked; "
            "product.url@36 shown guarded; ");
}

Template Mail() {
  Template mail{.name = "m", .channel = "email"};
  const auto parsed = [](const char* source, Part part) {
    return ParsedText::Parse(source, part).text;
  };
  mail.languages["en"] = {parsed("For {{first_name}}", Part::kSubject),
                          parsed("Hello {{first_name}}", Part::kText),
                          parsed("<p>Hello {{first_name}}</p>", Part::kHtml)};
  mail.languages["es"] = {parsed("Para {{first_name}}", Part::kSubject),
                          parsed("Hola, {{first_name}}", Part::kText), nullptr};
  mail.first_name_fallback.Set("en", "there");
  mail.first_name_fallback.Set("es", "de nuevo");
  return mail;
}

TEST(Render, ChoosesTheLanguageAndFallsBackToEnglish) {
  const Template mail = Mail();
  const Rendered spanish = Render(mail, "es-MX", {{"traits.first_name", "Ana"}}).value();
  EXPECT_EQ(spanish.language, "es");
  EXPECT_EQ(spanish.subject, "Para Ana");
  EXPECT_EQ(spanish.text, "Hola, Ana");
  EXPECT_EQ(spanish.html, "");
  const Rendered english = Render(mail, "de", {{"traits.first_name", "<Ana>"}}).value();
  EXPECT_EQ(english.language, "en");
  EXPECT_EQ(english.subject, "For <Ana>");
  EXPECT_EQ(english.html, "<p>Hello &lt;Ana&gt;</p>");
  EXPECT_EQ(Render(mail, "", {}).value().text, "Hello there");
}

TEST(Render, RefusesANameThatWouldBecomeAHeader) {
  const auto rendered =
      Render(Mail(), "en", {{"traits.first_name", "A\r\nBcc: victim@example.com"}});
  EXPECT_EQ(Reason(rendered.status()), "header_injection");
}

}  // namespace
}  // namespace hilo::catalogue
