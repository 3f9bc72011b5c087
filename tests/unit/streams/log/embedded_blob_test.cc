#include "streams/log/embedded_blob.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace hilo::log::embedded {
namespace {

const WallTime kTime{std::chrono::microseconds(1'700'000'000'123'456)};

std::string Sealed(const std::string& key, const std::vector<Record>& records) {
  std::string value = EncodeBody(records);
  Seal(value, key, static_cast<uint32_t>(records.size()), kTime);
  return value;
}

Status ReadWhole(const std::string& key, const std::string& value, bool verify) {
  HILO_ASSIGN_OR_RETURN(RowReader reader,
                        RowReader::Open(key, std::make_shared<std::string>(value), verify));
  while (reader.next() < reader.end()) HILO_RETURN_IF_ERROR(reader.Take().status());
  return OkStatus();
}

TEST(EmbeddedBlob, KeysLieInOffsetOrderWithinAPartition) {
  EXPECT_LT(RowKey(1, 2, 255), RowKey(1, 2, 256));
  EXPECT_LT(RowKey(1, 2, int64_t{1} << 40), RowKey(1, 3, 0));
  EXPECT_LT(RowKey(1, 0xffff, 9), RowKey(2, 0, 0));
  const std::string key = RowKey(7, 70'000, 123'456'789'012);
  EXPECT_EQ(TopicOf(key), 7);
  EXPECT_EQ(PartitionOf(key), 70'000u);
  EXPECT_EQ(FirstOffsetOf(key), 123'456'789'012);
}

TEST(EmbeddedBlob, GivesBackItsRecordsFromAnyOffset) {
  const std::string key = RowKey(1, 2, 100);
  const std::vector<Record> records = {{.key = "k", .header = "", .payload = std::string(200, 'p')},
                                       {},
                                       {.key = "", .header = "h", .payload = "q"}};
  auto reader =
      RowReader::Open(key, std::make_shared<std::string>(Sealed(key, records)), /*verify=*/true);
  ASSERT_TRUE(reader.ok()) << Describe(reader.status());
  EXPECT_EQ(reader->end(), 103);
  auto first = reader->Take();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->offset, 100);
  EXPECT_EQ(first->append_time, kTime);
  EXPECT_EQ(first->record.payload, records[0].payload);
  ASSERT_TRUE(reader->SkipTo(102).ok());
  auto last = reader->Take();
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->offset, 102);
  EXPECT_EQ(last->record.header, "h");
  EXPECT_EQ(last->record.payload, "q");
}

TEST(EmbeddedBlob, FindsEveryFlippedBitAndEveryCut) {
  const std::string key = RowKey(1, 2, 3);
  const std::string value =
      Sealed(key, {{.key = "key", .header = "head", .payload = "payload"}, {.payload = "x"}});
  ASSERT_TRUE(ReadWhole(key, value, /*verify=*/true).ok());
  for (size_t at = 0; at < value.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = value;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_EQ(Reason(ReadWhole(key, damaged, /*verify=*/true)), "log_corrupt")
          << at << "." << bit;
    }
    EXPECT_EQ(Reason(ReadWhole(key, value.substr(0, at), /*verify=*/true)), "log_corrupt") << at;
  }
}

TEST(EmbeddedBlob, FindsARowUnderAnothersKey) {
  const std::string value = Sealed(RowKey(1, 2, 3), {{.payload = "x"}});
  EXPECT_EQ(Reason(ReadWhole(RowKey(1, 2, 4), value, /*verify=*/true)), "log_corrupt");
  EXPECT_EQ(Reason(ReadWhole(RowKey(1, 3, 3), value, /*verify=*/true)), "log_corrupt");
}

TEST(EmbeddedBlob, NeverReadsBeyondItsBytesEvenUnverified) {
  const std::string key = RowKey(1, 2, 3);
  const std::string value =
      Sealed(key, {{.key = "key", .header = "head", .payload = "payload"}, {.payload = "x"}});
  for (size_t at = 0; at < value.size(); ++at) {
    EXPECT_EQ(Reason(ReadWhole(key, value.substr(0, at), /*verify=*/false)), "log_corrupt") << at;
  }
}

}  // namespace
}  // namespace hilo::log::embedded
