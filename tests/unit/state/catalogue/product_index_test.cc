#include "state/catalogue/product_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

namespace hilo::catalogue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Products = std::map<std::string, Product, std::less<>>;

void Add(Products& products, std::string id, std::string en, std::string es,
         std::vector<std::string> keywords = {}, bool available = true) {
  Product product{.id = id, .available = available, .keywords = std::move(keywords)};
  product.title.Set("en", std::move(en));
  product.title.Set("es", std::move(es));
  products[id] = std::move(product);
}

Products Shop() {
  Products products;
  Add(products, "shoes-7", "Trail shoes", "Zapatillas de montaña", {"running"});
  Add(products, "shoes-8", "Road shoes", "Zapatillas de asfalto", {"trail"});
  Add(products, "boots-3", "Hiking boots", "Botas de montaña");
  Add(products, "map-1", "Trails of the Alps, a map", "Mapa de rutas");
  return products;
}

std::vector<std::string> Ids(const std::vector<const Product*>& products) {
  std::vector<std::string> ids;
  for (const Product* product : products) ids.push_back(product->id);
  return ids;
}

TEST(FoldedWords, HaveNeitherCaseNorAccents) {
  EXPECT_THAT(FoldedWords("  Ñandú, ¿CAMIÓN? Straße 20-l  ﬁn"),
              ElementsAre("nandu", "camion", "strasse", "20", "l", "fin"));
  EXPECT_THAT(FoldedWords("Çedilla àéîõü"), ElementsAre("cedilla", "aeiou"));
  EXPECT_THAT(FoldedWords("—"), IsEmpty());
  EXPECT_THAT(FoldedWords("\xFF\xFE broken"), ElementsAre("broken"));
}

TEST(ProductIndex, FindsByBeginningsOfWordsInAnyLanguage) {
  const Products products = Shop();
  const ProductIndex index(products);
  EXPECT_THAT(Ids(index.Search("zapat MONTANA", "es")), ElementsAre("shoes-7"));
  EXPECT_THAT(Ids(index.Search("montaña", "es")), ElementsAre("boots-3", "shoes-7"));
  EXPECT_THAT(Ids(index.Search("hoes", "en")), IsEmpty());
  EXPECT_THAT(Ids(index.Search("shoes-8", "en")), ElementsAre("shoes-8"));
  EXPECT_THAT(Ids(index.Search("trail zzz", "en")), IsEmpty());
}

TEST(ProductIndex, PutsWholeWordsOfTitlesFirst) {
  const Products products = Shop();
  const ProductIndex index(products);
  // A word of the title, the beginning of one, a keyword.
  EXPECT_THAT(Ids(index.Search("trail", "en")), ElementsAre("shoes-7", "map-1", "shoes-8"));
}

TEST(ProductIndex, PutsWhatCannotBeHadLast) {
  Products products = Shop();
  products["shoes-7"].available = false;
  const ProductIndex index(products);
  EXPECT_THAT(Ids(index.Search("shoes", "en")), ElementsAre("shoes-8", "shoes-7"));
}

TEST(ProductIndex, WithoutWordsGivesAllByTitleOfTheLanguage) {
  const Products products = Shop();
  const ProductIndex index(products);
  EXPECT_THAT(Ids(index.Search("", "en")), ElementsAre("boots-3", "shoes-8", "shoes-7", "map-1"));
  EXPECT_THAT(Ids(index.Search(" ", "es")), ElementsAre("boots-3", "map-1", "shoes-8", "shoes-7"));
  EXPECT_THAT(ProductIndex(Products()).Search("", "en"), IsEmpty());
  EXPECT_THAT(ProductIndex().Search("a", "en"), IsEmpty());
}

// Processor time. Generous: what is meant is below a millisecond, what is promised to agents 50.
TEST(ProductIndex, SearchesTenThousandQuickly) {
  Products products;
  for (int i = 0; i < 10'000; ++i) {
    Add(products, "p-" + std::to_string(i), "Shoes number " + std::to_string(i) + " for walking",
        "Zapatillas número " + std::to_string(i) + " para caminar", {"running", "trail"});
  }
  const ProductIndex index(products);
  const std::clock_t begin = std::clock();
  EXPECT_THAT(index.Search("zap num", "es"), SizeIs(10'000));
  EXPECT_THAT(index.Search("s n 777", "en"), SizeIs(11));
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 0.050);
}

}  // namespace
}  // namespace hilo::catalogue
