#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/log/log.h"

// What the embedded log writes: one row per append.
//
//   key    tag 2, topic u16, partition u32, first offset u64, all big-endian: rows of a partition
//          lie in offset order
//   value  format u8 | append time i64, us | records u32 | crc32c of the body u32 | crc32c of key
//   and
//          the fields before u32 | body: for each record three varint lengths, then key, header,
//          payload. Integers little-endian.
//
// The body, the expensive part, is made and summed on the appending thread; place and time are
// filled in at the commit.
namespace hilo::log::embedded {

// The key of the row whose first record has offset `first`; also a bound for seeking.
std::string RowKey(uint16_t topic, uint32_t partition, Offset first);
Offset FirstOffsetOf(std::string_view row_key);
uint16_t TopicOf(std::string_view row_key);
uint32_t PartitionOf(std::string_view row_key);

// A row's value with an empty header.
std::string EncodeBody(const std::vector<Record>& records);
// Fills in the header.
void Seal(std::string& value, std::string_view row_key, uint32_t records, WallTime append_time);

// The records of one row, one after the other.
// **Threads**: thread-compatible. **Lifetime**: shares the value with the tail cache and other
// readers.
class RowReader {
 public:
  // **Errors**: `log_corrupt` when the checksums do not fit; not looked at when `verify` is false,
  // for a value from memory.
  static StatusOr<RowReader> Open(std::string_view row_key,
                                  std::shared_ptr<const std::string> value, bool verify);

  Offset next() const { return next_; }
  Offset end() const { return end_; }
  // Steps over records below `offset`. **Errors**: `log_corrupt`.
  Status SkipTo(Offset offset);
  // The record at next(), which is below end().
  StatusOr<StoredRecord> Take();

 private:
  RowReader(std::shared_ptr<const std::string> value, Offset first)
      : value_(std::move(value)), next_(first) {}
  // Reads the three lengths and leaves at_ before the bytes.
  Status TakeLengths(uint64_t (&lengths)[3]);

  std::shared_ptr<const std::string> value_;
  WallTime append_time_;
  Offset next_;
  Offset end_ = 0;
  size_t at_ = 0;  // in *value_
};

// How many records a row's value says it holds. 0 when it is too short to say.
uint32_t RecordCount(std::string_view value);

// Integers as the log stores them.
void AppendBigEndian(std::string& out, uint64_t value, int bytes);
uint64_t ReadBigEndian(std::string_view bytes);

}  // namespace hilo::log::embedded
