#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/product.h"

namespace hilo::catalogue {

// Finds products by the beginnings of words in their titles, ids and keywords, whatever their case
// and accents: "zapat mont" finds "Zapatillas de montaña".
//
// Every word asked for must begin a word of the product. Best first: whole words before beginnings,
// titles before keywords, what can be had before what cannot, then by title and id: the order is
// total.
// **Limits**: kMaxQueryWords words count.
// **Threads**: thread-safe, as it never changes. **Lifetime**: the products outlive it.
// **Cost**: below a millisecond for 10,000 products.
class ProductIndex {
 public:
  static constexpr size_t kMaxQueryWords = 8;

  ProductIndex() = default;
  explicit ProductIndex(const std::map<std::string, Product, std::less<>>& products);

  // `language` chooses the titles that order equals. An empty query finds all, by title.
  std::vector<const Product*> Search(std::string_view query, std::string_view language) const;

 private:
  // A word of a product.
  struct Posting {
    std::string word;  // folded
    uint32_t product;  // position in products_
    bool title;        // else id or keyword
  };
  // Where each product stands among all by its title in that language.
  const std::vector<uint32_t>* RanksFor(std::string_view language) const;
  void AddRanks(const std::string& language);

  std::vector<const Product*> products_;  // by id
  std::vector<Posting> postings_;         // by word, product, titles first
  std::map<std::string, std::vector<uint32_t>, std::less<>> ranks_;  // by language of titles
};

// Words for comparison: lower case, without accents, cut where something else than a letter or
// digit stands.
std::vector<std::string> FoldedWords(std::string_view text);

}  // namespace hilo::catalogue
