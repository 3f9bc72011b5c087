#include "streams/fold/staging.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "state/store/map_store.h"
#include "streams/fold/digest.h"

namespace hilo::fold {
namespace {

using Rows = std::map<std::string, std::string>;

uint64_t DigestOf(const Rows& rows) {
  uint64_t digest = 0;
  for (const auto& [key, value] : rows) digest += RowHash(key, value);
  return digest;
}

Rows ScanAll(Staging& staging, const store::KeyRange& range) {
  Rows rows;
  EXPECT_TRUE(staging
                  .Scan(range,
                        [&](std::string_view key, std::string_view value) {
                          EXPECT_TRUE(rows.emplace(key, value).second) << "a key is visited once";
                          return true;
                        })
                  .ok());
  return rows;
}

// Random records over few keys, against a plain map; some records are taken back, some batches
// forget the cache.
TEST(Staging, AnswersAsAMapWouldWhateverIsRolledBack) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    store::MapStore store;
    Staging staging(store, seed % 3 == 0 ? 0 : 1 << 20);
    Rows truth;
    uint64_t digest = 0;
    const auto key = [&] {
      // Of a table whose rows are kept between batches, and of one whose rows are not.
      return std::string(random() % 2 ? "\x20key" : "\x21key") +
             static_cast<char>('a' + random() % 6);
    };
    for (int batch = 0; batch < 10; ++batch) {
      std::vector<std::pair<size_t, uint64_t>> marks;
      for (int record = 0; record < 12; ++record) {
        const Rows before = truth;
        staging.Begin();
        for (uint64_t change = random() % 5; change > 0; --change) {
          const std::string at = key();
          switch (random() % 4) {
            case 0:
              staging.Delete(at);
              truth.erase(at);
              break;
            case 1: {
              const auto value = staging.Get(at);
              ASSERT_TRUE(value.ok());
              ASSERT_EQ(value->has_value(), truth.contains(at));
              if (*value) {
                ASSERT_EQ(**value, truth[at]);
              }
              break;
            }
            default:
              truth[at] = std::to_string(random());
              staging.Put(at, truth[at]);
          }
        }
        if (random() % 3 == 0) {
          ASSERT_EQ(ScanAll(staging, {.begin = "\x20", .end = "\x22"}), truth);
        }
        if (random() % 4 == 0) {
          staging.Rollback();
          truth = before;
        } else {
          staging.Commit();
        }
        if (random() % 4 == 0) marks.emplace_back(staging.Mark(), DigestOf(truth));
        const store::KeyRange some{.begin = "\x20keyc", .end = "\x20keyg"};
        if (random() % 5 == 0) {
          ASSERT_EQ(ScanAll(staging, some),
                    Rows(truth.lower_bound(some.begin), truth.lower_bound(some.end)));
        }
      }
      marks.emplace_back(staging.Mark(), DigestOf(truth));
      ASSERT_TRUE(staging.Resolve().ok());
      for (const auto& [mark, expected] : marks)
        ASSERT_EQ(digest + staging.DigestChange(mark), expected);
      digest = marks.back().second;
      auto changes = store.NewBatch();
      staging.WriteTo(*changes);
      ASSERT_TRUE(store.Write(std::move(changes)).ok());
      staging.Written();
      ASSERT_EQ(Rows(store.AllRows()->begin(), store.AllRows()->end()), truth);
    }
  }
}

TEST(Staging, KeepsRowsThatDoNotCountOutOfTheDigest) {
  store::MapStore store;
  Staging staging(store, 0);
  staging.Begin();
  staging.Put("\x07local", "value");
  staging.Commit();

  const size_t mark = staging.Mark();
  ASSERT_TRUE(staging.Resolve().ok());

  EXPECT_EQ(staging.DigestChange(mark), 0u);
}

TEST(Staging, ForgetsItsCacheAtTheLimit) {
  store::MapStore store;
  Staging staging(store, 10'000);
  for (int i = 0; i < 100; ++i) {
    staging.Begin();
    staging.Put("\x20row " + std::to_string(i), std::string(200, 'v'));
    staging.Commit();
    staging.Mark();
    ASSERT_TRUE(staging.Resolve().ok());
    auto changes = store.NewBatch();
    staging.WriteTo(*changes);
    ASSERT_TRUE(store.Write(std::move(changes)).ok());
    staging.Written();
    ASSERT_LE(staging.cached_bytes(), 10'000u);
  }
}

TEST(Staging, KeepsNothingOfTablesThatAreSeldomReadAgain) {
  store::MapStore store;
  Staging staging(store, 1 << 20);
  staging.Begin();
  staging.Put("\x21timeline", std::string(200, 'v'));
  staging.Commit();
  staging.Mark();
  ASSERT_TRUE(staging.Resolve().ok());
  auto changes = store.NewBatch();
  staging.WriteTo(*changes);
  ASSERT_TRUE(store.Write(std::move(changes)).ok());

  staging.Written();

  EXPECT_EQ(staging.cached_bytes(), 0u);
  EXPECT_EQ(**staging.Get("\x21timeline"), std::string(200, 'v'));
}

TEST(RowHash, DependsOnKeyValueAndTheirBorder) {
  std::set<uint64_t> hashes;
  const std::string text(100, 'a');
  for (size_t border = 0; border <= text.size(); ++border) {
    hashes.insert(RowHash(text.substr(0, border), text.substr(border)));
  }
  for (size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = 'b';
    hashes.insert(RowHash("key", other));
  }
  EXPECT_EQ(hashes.size(), 201u);
}

}  // namespace
}  // namespace hilo::fold
