#include "state/catalogue/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilo::catalogue {
namespace {

std::string Resource(std::string_view name, std::string_view spec) {
  return "apiVersion: hilo/v1\nkind: Segment\nmetadata: {name: " + std::string(name) +
         "}\nspec: " + std::string(spec) + "\n---\n";
}

std::string Told(const std::vector<File>& before, const std::vector<File>& after) {
  std::string told;
  for (const Change& change : Difference(before, after)) {
    told += change.type == Change::Type::kAdded     ? "+"
            : change.type == Change::Type::kRemoved ? "-"
                                                    : "~";
    told += change.kind + " " + change.name + " in " + change.path + "; ";
  }
  return told;
}

TEST(Difference, TellsWhatIsNewGoneAndChanged) {
  EXPECT_EQ(Told({{"a.yaml", Resource("same", "{x: 1}") + Resource("gone", "{x: 1}")},
                  {"b.yaml", Resource("changed", "{x: [1, 2]}")}},
                 {{"a.yaml", Resource("same", "{x: 1}") + Resource("changed", "{x: [2, 1]}")},
                  {"c.yaml", Resource("new", "{}")}}),
            "~Segment changed in a.yaml; -Segment gone in a.yaml; +Segment new in c.yaml; ");
}

TEST(Difference, DoesNotCountTheWayOfWriting) {
  EXPECT_EQ(
      Told({{"a.yaml", Resource("a", "{x: 1, y: \"two\", z: {p: q}}")}},
           {{"b.yaml", "# moved\n" + Resource("a", "\n  z:\n    p: 'q'\n  y: two\n  x: 1 # one")}}),
      "");
}

TEST(Difference, TextsThatReadAlikeDiffer) {
  EXPECT_NE(
      Told({{"a", Resource("a", "{x: a, y: b}")}}, {{"a", Resource("a", "{x: \"a1:y1:b\"}")}}), "");
  EXPECT_NE(Told({{"a", Resource("a", "{x: [a, b]}")}}, {{"a", Resource("a", "{x: [ab]}")}}), "");
}

TEST(Difference, BesideWhatIsNoYamlEverythingIsNew) {
  EXPECT_EQ(Told({{"a", "[1, 2"}}, {{"a", Resource("a", "{}")}}), "+Segment a in a; ");
}

}  // namespace
}  // namespace hilo::catalogue
