#include "streams/customer/catalogue_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "state/store/tables.h"
#include "tests/unit/streams/customer/customer_driver.h"

namespace hilo::customer {
namespace {

using store::v1::CatalogueRevision;
using Kind = fold::Notice::Kind;

int CountOf(const std::vector<fold::Notice>& notices, Kind kind) {
  return static_cast<int>(std::count_if(notices.begin(), notices.end(),
                                        [&](const auto& notice) { return notice.kind == kind; }));
}

TEST(CatalogueRows, KeepTheHighestRevision) {
  CustomerDriver hub;
  store::v1::Record record;
  record.mutable_catalogue()->set_revision(2);
  record.mutable_catalogue()->add_files()->set_content("two");
  hub.Give(record);
  record.mutable_catalogue()->set_revision(1);
  hub.Give(record);
  const auto kept = ReadCatalogue(hub.driver().store(CustomerDriver::kPartition));
  ASSERT_TRUE(kept.ok() && kept->has_value());
  EXPECT_EQ((*kept)->revision(), 2u);
  EXPECT_EQ(CountOf(hub.notices, Kind::kCatalogue), 1);
}

TEST(CatalogueRows, KeepTheNewestHundredRevisions) {
  CustomerDriver hub;
  const auto apply = [&hub](uint64_t revision) {
    store::v1::Record record;
    record.mutable_catalogue()->set_revision(revision);
    record.mutable_catalogue()->add_files()->set_content(std::to_string(revision));
    hub.Give(record);
  };
  const auto kept = [&hub](uint64_t revision) {
    return ReadCatalogueRevision(hub.driver().store(CustomerDriver::kPartition), revision)
        .value()
        .has_value();
  };
  for (uint64_t revision = 1; revision <= 103; ++revision) apply(revision);
  EXPECT_FALSE(kept(3));
  EXPECT_TRUE(kept(4));
  EXPECT_TRUE(kept(103));
  // Numbers may be left out; then more than one falls out at once.
  apply(150);
  EXPECT_FALSE(kept(50));
  EXPECT_TRUE(kept(51));

  const auto& store = hub.driver().store(CustomerDriver::kPartition);
  const auto newest = ReadCatalogueRevisions(store, 0, 2).value();
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].revision(), 150u);
  EXPECT_EQ(newest[1].revision(), 103u);
  EXPECT_EQ(newest[1].files_size(), 0);
  const auto rest = ReadCatalogueRevisions(store, 103, 1'000).value();
  EXPECT_EQ(rest.size(), 52u);
  EXPECT_EQ(rest.back().revision(), 51u);
  apply(1'000'000);
  EXPECT_FALSE(kept(150));
  EXPECT_EQ(ReadCatalogueRevisions(store, 0, 1'000).value().size(), 1u);
}

// Of bytes that do not pack.
CatalogueRevision Revision(uint64_t number, size_t files, size_t bytes_each) {
  std::mt19937_64 random(number);
  CatalogueRevision revision;
  revision.set_revision(number);
  revision.set_principal("ana");
  revision.set_apply_micros(7);
  for (size_t i = 0; i < files; ++i) {
    auto* file = revision.add_files();
    file->set_path("actions/" + std::to_string(i) + ".yaml");
    for (size_t n = 0; n < bytes_each; ++n)
      file->mutable_content()->push_back(static_cast<char>('!' + random() % 94));
  }
  return revision;
}

class CataloguePartsTest : public ::testing::Test {
 protected:
  std::vector<CatalogueRevision> Cut(const CatalogueRevision& revision,
                                     const std::string& publication) {
    auto parts = CutCatalogue(revision, Id(publication));
    EXPECT_TRUE(parts.ok()) << parts.status();
    return parts.ok() ? *std::move(parts) : std::vector<CatalogueRevision>();
  }
  void Give(const CatalogueRevision& part) {
    store::v1::Record record;
    *record.mutable_catalogue() = part;
    hub_.Give(record);
  }
  const store::Store& store() { return hub_.driver().store(CustomerDriver::kPartition); }
  uint64_t InForce() {
    const auto head = ReadCatalogueHead(store());
    EXPECT_TRUE(head.ok()) << head.status();
    return head.ok() && head->has_value() ? (*head)->revision() : 0;
  }
  int PartsInStore() {
    int parts = 0;
    const auto rows = store().NewIterator(
        store::PrefixRange(std::string(1, static_cast<char>(store::Table::kCataloguePart))));
    for (; rows->Valid(); rows->Next()) ++parts;
    return parts;
  }

  CustomerDriver hub_;
};

TEST_F(CataloguePartsTest, AreInForceWithTheLastAndReadAsTheyWere) {
  const CatalogueRevision revision = Revision(1, 8, 200'000);
  const auto parts = Cut(revision, "p");
  ASSERT_GE(parts.size(), 3u);
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_LE(parts[i].ByteSizeLong(), log::Log::kMaxRecordBytes / 2 + 1'000);
    EXPECT_EQ(InForce(), 0u) << i;
    Give(parts[i]);
  }
  EXPECT_EQ(InForce(), 1u);
  EXPECT_EQ(CountOf(hub_.notices, Kind::kCatalogue), 1);
  const auto read = ReadCatalogue(store());
  ASSERT_TRUE(read.ok() && read->has_value()) << read.status();
  EXPECT_EQ((*read)->SerializeAsString(), revision.SerializeAsString());
  EXPECT_EQ(ReadCatalogueRevision(store(), 1).value()->SerializeAsString(),
            revision.SerializeAsString());
  EXPECT_EQ(ReadCatalogueHead(store()).value()->files_size(), 0);
  EXPECT_FALSE(ReadCatalogueRevisions(store(), 0, 1).value()[0].has_part());
}

TEST_F(CataloguePartsTest, RepeatedChangeNothing) {
  const CatalogueRevision revision = Revision(1, 8, 200'000);
  const auto parts = Cut(revision, "p");
  for (const auto& part : parts) {
    Give(part);
    Give(part);
    Give(parts[0]);
  }
  EXPECT_EQ(InForce(), 1u);
  EXPECT_EQ(CountOf(hub_.notices, Kind::kCatalogue), 1);
  EXPECT_EQ(ReadCatalogue(store()).value()->SerializeAsString(), revision.SerializeAsString());
}

TEST_F(CataloguePartsTest, ThatEndHalfwayLeaveTheOldOneAndGiveTheirRowsToTheNext) {
  for (const auto& part : Cut(Revision(1, 1, 100), "first")) Give(part);
  const auto torn = Cut(Revision(2, 8, 200'000), "torn");
  ASSERT_GE(torn.size(), 3u);
  Give(torn[0]);
  Give(torn[1]);
  EXPECT_EQ(InForce(), 1u);
  EXPECT_EQ(PartsInStore(), 3);
  for (const auto& part : Cut(Revision(2, 1, 100), "second")) Give(part);
  EXPECT_EQ(InForce(), 2u);
  EXPECT_EQ(PartsInStore(), 2) << "what the torn one left is gone";
  // The rest of it comes too late.
  for (size_t i = 2; i < torn.size(); ++i) Give(torn[i]);
  EXPECT_EQ(ReadCatalogue(store()).value()->files(0).content(),
            Revision(2, 1, 100).files(0).content());
}

TEST_F(CataloguePartsTest, OfTwoPublicationsAtOnceNeverMix) {
  const auto one = Cut(Revision(1, 8, 200'000), "one");
  const CatalogueRevision other = Revision(2, 9, 200'000);
  const auto two = Cut(other, "two");
  Give(one[0]);
  Give(two[0]);
  for (size_t i = 1; i < two.size(); ++i) {
    if (i < one.size()) Give(one[i]);
    Give(two[i]);
  }
  EXPECT_EQ(InForce(), 2u);
  EXPECT_EQ(ReadCatalogue(store()).value()->SerializeAsString(), other.SerializeAsString());
  EXPECT_EQ(PartsInStore(), static_cast<int>(two.size()));
}

TEST_F(CataloguePartsTest, AfterAHoleAreNotTaken) {
  const auto parts = Cut(Revision(1, 8, 200'000), "p");
  ASSERT_GE(parts.size(), 3u);
  Give(parts[0]);
  for (size_t i = 2; i < parts.size(); ++i) Give(parts[i]);
  EXPECT_EQ(InForce(), 0u);
  for (size_t i = 1; i < parts.size(); ++i) Give(parts[i]);
  EXPECT_EQ(InForce(), 1u);
}

TEST_F(CataloguePartsTest, ThatCannotBeAreRefused) {
  const auto good = Cut(Revision(1, 1, 100), "p")[0];
  const auto refused = [&](const std::function<void(store::v1::CataloguePart&)>& spoil) {
    CatalogueRevision part = good;
    spoil(*part.mutable_part());
    const size_t before = hub_.driver().DeadLetters().size();
    Give(part);
    const auto letters = hub_.driver().DeadLetters();
    return letters.size() == before + 1 && letters.back().reason() == "record_malformed";
  };
  EXPECT_TRUE(refused([](auto& part) { part.set_publication("short"); }));
  EXPECT_TRUE(refused([](auto& part) { part.set_count(0); }));
  EXPECT_TRUE(refused([](auto& part) { part.set_number(1); }));
  EXPECT_TRUE(refused([](auto& part) { part.set_count(kMaxCatalogueParts + 1); }));
  EXPECT_TRUE(refused([](auto& part) { part.clear_packed(); }));
  EXPECT_TRUE(
      refused([](auto& part) { part.set_packed(std::string(kMaxCataloguePartBytes + 1, 'x')); }));
  EXPECT_EQ(InForce(), 0u);
}

TEST_F(CataloguePartsTest, OfBytesThatAreNoArchiveAreSaidToBeUnreadable) {
  const auto reason = [&](uint64_t number, const std::function<void(std::string&)>& spoil) {
    auto parts = Cut(Revision(number, 2, 1'000), "p" + std::to_string(number));
    spoil(*parts[0].mutable_part()->mutable_packed());
    Give(parts[0]);
    return Reason(ReadCatalogue(store()).status());
  };
  EXPECT_EQ(reason(1, [](std::string&) {}), "");
  EXPECT_EQ(reason(2, [](std::string& packed) { packed.resize(packed.size() - 1); }),
            "catalogue_unreadable");
  EXPECT_EQ(reason(3, [](std::string& packed) { packed[packed.size() / 2] ^= 1; }),
            "catalogue_unreadable");
  EXPECT_EQ(reason(4, [](std::string& packed) { packed = "not gzip at all"; }),
            "catalogue_unreadable");
}

TEST_F(CataloguePartsTest, ThatUnpackToMuchMoreAreNotUnpacked) {
  CatalogueRevision bomb;
  bomb.set_revision(1);
  for (int i = 0; i < 60; ++i)
    bomb.add_files()->set_content(std::string(size_t{1} << 20, 'a'));  // 60 MiB pack to 60 KB
  for (const auto& part : Cut(bomb, "p")) Give(part);
  EXPECT_EQ(InForce(), 1u);
  EXPECT_EQ(Reason(ReadCatalogue(store()).status()), "catalogue_unreadable");
}

TEST_F(CataloguePartsTest, AreAtMostSoMany) {
  // 94 characters pack to about 0.83 of a byte each.
  EXPECT_EQ(Reason(CutCatalogue(Revision(1, 16, 1'000'000), Id("p")).status()),
            "catalogue_too_large");
  EXPECT_TRUE(CutCatalogue(Revision(1, 14, 1'000'000), Id("p")).ok());
}

TEST_F(CataloguePartsTest, FallOutWithTheirRevision) {
  for (uint64_t number = 1; number <= kMaxCatalogueRevisions + 3; ++number) {
    for (const auto& part : Cut(Revision(number, 1, 10), "p" + std::to_string(number))) Give(part);
  }
  EXPECT_EQ(PartsInStore(), static_cast<int>(kMaxCatalogueRevisions));
}

}  // namespace
}  // namespace hilo::customer
