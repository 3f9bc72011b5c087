#include "connectors/serving/catalogue_uploads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/catalogue/catalogue.h"

namespace hilo::serving {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

class CatalogueUploadsTest : public ::testing::Test {
 protected:
  ManualClock clock_{WallTime(std::chrono::seconds(1'700'000'000))};
  CatalogueUploads uploads_{clock_};
};

TEST_F(CatalogueUploadsTest, GathersFilesByTheirPathsAndTakesTheLastOfOne) {
  ASSERT_TRUE(uploads_.Add("ana", "u1", {{"b.yaml", "2"}, {"a.yaml", "1"}}).ok());
  const auto total = uploads_.Add("ana", "u1", {{"b.yaml", "three"}});
  ASSERT_TRUE(total.ok());
  EXPECT_EQ(total->files, 2u);
  EXPECT_EQ(total->bytes, 6u);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto files = uploads_.Find("ana", "u1");
    ASSERT_TRUE(files.ok());
    EXPECT_THAT(*files, ElementsAre(Field(&catalogue::File::content, "1"),
                                    Field(&catalogue::File::content, "three")));
  }
}

TEST_F(CatalogueUploadsTest, KeepsOneForEachCaller) {
  ASSERT_TRUE(uploads_.Add("ana", "u1", {{"a.yaml", "1"}}).ok());
  ASSERT_TRUE(uploads_.Add("bob", "u2", {{"b.yaml", "1"}}).ok());
  EXPECT_EQ(Reason(uploads_.Find("ana", "u2").status()), "upload_unknown");
  ASSERT_TRUE(uploads_.Add("ana", "u3", {{"c.yaml", "1"}}).ok());
  EXPECT_EQ(Reason(uploads_.Find("ana", "u1").status()), "upload_unknown");
  EXPECT_THAT(*uploads_.Find("ana", "u3"), ElementsAre(Field(&catalogue::File::path, "c.yaml")));
  EXPECT_TRUE(uploads_.Find("bob", "u2").ok());
}

TEST_F(CatalogueUploadsTest, ForgetsWhatNobodyGoesOnWith) {
  for (size_t i = 0; i < CatalogueUploads::kMaxUploads; ++i)
    ASSERT_TRUE(uploads_.Add("caller " + std::to_string(i), "u", {{"a.yaml", "1"}}).ok());
  EXPECT_EQ(Reason(uploads_.Add("one more", "u", {{"a.yaml", "1"}}).status()), "too_many_uploads");
  EXPECT_TRUE(uploads_.Add("caller 0", "u", {{"b.yaml", "1"}}).ok());
  clock_.Advance(CatalogueUploads::kPatience);
  EXPECT_TRUE(uploads_.Find("caller 0", "u").ok());
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Reason(uploads_.Find("caller 1", "u").status()), "upload_unknown");
  EXPECT_TRUE(uploads_.Find("caller 0", "u").ok()) << "it was asked for meanwhile";
  EXPECT_TRUE(uploads_.Add("one more", "u", {{"a.yaml", "1"}}).ok());
}

TEST_F(CatalogueUploadsTest, HoldsAsMuchAsACatalogueMayBe) {
  const std::string large(catalogue::Catalogue::kMaxBytes / 2, 'x');
  ASSERT_TRUE(uploads_.Add("ana", "u", {{"a", large}, {"b", large}}).ok());
  ASSERT_TRUE(uploads_.Add("ana", "u", {{"b", large}}).ok()) << "in its own place";
  EXPECT_EQ(Reason(uploads_.Add("ana", "u", {{"c", "x"}}).status()), "catalogue_too_large");
  std::vector<catalogue::File> many;
  for (size_t i = 0; i < catalogue::Catalogue::kMaxFiles; ++i)
    many.push_back({std::to_string(i), ""});
  ASSERT_TRUE(uploads_.Add("bob", "u", many).ok());
  EXPECT_EQ(Reason(uploads_.Add("bob", "u", {{"one more", ""}}).status()), "catalogue_too_large");
}

}  // namespace
}  // namespace hilo::serving
