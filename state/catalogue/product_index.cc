#include "state/catalogue/product_index.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

namespace hilo::catalogue {
namespace {

// How badly a word fits, added up over the words asked for.
constexpr uint32_t kPrefix = 1;
constexpr uint32_t kNotInTitle = 2;
constexpr uint32_t kNotFound = 100;

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

std::vector<std::string> FoldedWords(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  const icu::Normalizer2* decompose = icu::Normalizer2::getNFDInstance(error);
  icu::UnicodeString folded = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  if (U_SUCCESS(error)) folded = decompose->normalize(fold->normalize(folded, error), error);
  std::vector<std::string> words;
  icu::UnicodeString word;
  const auto end_word = [&words, &word] {
    if (word.isEmpty()) return;
    std::string utf8;
    word.toUTF8String(utf8);
    words.push_back(std::move(utf8));
    word.remove();
  };
  for (int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
    const UChar32 c = folded.char32At(i);
    if (u_isalnum(c)) {
      word.append(c);
    } else if (u_charType(c) != U_NON_SPACING_MARK) {
      end_word();
    }
  }
  end_word();
  return words;
}

ProductIndex::ProductIndex(const std::map<std::string, Product, std::less<>>& products) {
  std::set<std::string> languages;
  for (const auto& [id, product] : products) {
    const uint32_t position = static_cast<uint32_t>(products_.size());
    products_.push_back(&product);
    for (const auto& [language, title] : product.title.all()) {
      languages.insert(language);
      for (std::string& word : FoldedWords(title))
        postings_.push_back({std::move(word), position, true});
    }
    for (std::string& word : FoldedWords(id))
      postings_.push_back({std::move(word), position, false});
    for (const std::string& keyword : product.keywords) {
      for (std::string& word : FoldedWords(keyword))
        postings_.push_back({std::move(word), position, false});
    }
  }
  std::sort(postings_.begin(), postings_.end(), [](const Posting& a, const Posting& b) {
    return std::tuple(std::string_view(a.word), a.product, !a.title) <
           std::tuple(std::string_view(b.word), b.product, !b.title);
  });
  for (const std::string& language : languages) AddRanks(language);
}

void ProductIndex::AddRanks(const std::string& language) {
  std::vector<std::string> titles;
  for (const Product* product : products_)
    titles.push_back(Joined(FoldedWords(product->title.In(language))));
  std::vector<uint32_t> order(products_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&titles](uint32_t a, uint32_t b) { return titles[a] < titles[b]; });
  std::vector<uint32_t>& ranks = ranks_[language];
  ranks.resize(order.size());
  for (uint32_t rank = 0; rank < order.size(); ++rank) ranks[order[rank]] = rank;
}

const std::vector<uint32_t>* ProductIndex::RanksFor(std::string_view language) const {
  const std::string_view primary = language.substr(0, language.find_first_of("-_"));
  for (std::string_view wanted : {language, primary, std::string_view("en")}) {
    if (const auto found = ranks_.find(wanted); found != ranks_.end()) return &found->second;
  }
  return ranks_.empty() ? nullptr : &ranks_.begin()->second;
}

std::vector<const Product*> ProductIndex::Search(std::string_view query,
                                                 std::string_view language) const {
  const std::vector<uint32_t>* ranks = RanksFor(language);
  if (ranks == nullptr) return {};
  std::vector<std::string> words = FoldedWords(query);
  if (words.size() > kMaxQueryWords) words.resize(kMaxQueryWords);

  std::vector<uint32_t> misfit(products_.size(), 0);
  std::vector<uint32_t> of_word(products_.size());
  for (const std::string& word : words) {
    std::fill(of_word.begin(), of_word.end(), kNotFound);
    for (auto posting =
             std::lower_bound(postings_.begin(), postings_.end(), word,
                              [](const Posting& a, const std::string& b) { return a.word < b; });
         posting != postings_.end() && posting->word.compare(0, word.size(), word) == 0;
         ++posting) {
      const uint32_t fit =
          (posting->word.size() == word.size() ? 0 : kPrefix) + (posting->title ? 0 : kNotInTitle);
      of_word[posting->product] = std::min(of_word[posting->product], fit);
    }
    for (size_t i = 0; i < misfit.size(); ++i) misfit[i] += of_word[i];
  }

  // One number a product, so that sorting compares numbers: misfit, availability, rank; ranks are
  // below 2^32 and all different.
  std::vector<std::pair<uint64_t, uint32_t>> found;
  for (uint32_t i = 0; i < misfit.size(); ++i) {
    if (misfit[i] >= kNotFound) continue;
    const uint64_t group = misfit[i] * 2 + (products_[i]->available || words.empty() ? 0 : 1);
    found.emplace_back(group << 32 | (*ranks)[i], i);
  }
  std::sort(found.begin(), found.end());
  std::vector<const Product*> out;
  out.reserve(found.size());
  for (const auto& [key, position] : found) out.push_back(products_[position]);
  return out;
}

}  // namespace hilo::catalogue
