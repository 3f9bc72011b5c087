#include "streams/log/embedded_blob.h"

#include <utility>

#include "ops/base/crc32c.h"

namespace hilo::log::embedded {
namespace {

constexpr char kRowTag = 2;
constexpr char kFormat = 1;
constexpr size_t kTopicAt = 1, kPartitionAt = 3, kOffsetAt = 7;  // in a row's key
constexpr size_t kTimeAt = 1, kCountAt = 9, kBodySumAt = 13, kHeaderSumAt = 17,
                 kBodyAt = 21;  // in a value

uint32_t Crc32c(std::initializer_list<std::string_view> parts) {
  uint32_t crc = 0;
  for (const std::string_view part : parts) crc = ExtendCrc32c(crc, part);
  return crc;
}

void PutLittleEndian(std::string& out, size_t at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out[at + i] = static_cast<char>(value >> (8 * i));
}

uint64_t GetLittleEndian(std::string_view in, size_t at, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(in[at + i]);
  return value;
}

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

bool TakeVarint(std::string_view in, size_t& at, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && at < in.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in[at++]);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

Status Corrupt(Offset offset, std::string_view what) {
  return Error(StatusCode::kDataLoss, "log_corrupt",
               "the row at offset " + std::to_string(offset) + " " + std::string(what) +
                   "; restore the log from a backup or a replica");
}

}  // namespace

void AppendBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string RowKey(uint16_t topic, uint32_t partition, Offset first) {
  std::string key(1, kRowTag);
  AppendBigEndian(key, topic, 2);
  AppendBigEndian(key, partition, 4);
  AppendBigEndian(key, static_cast<uint64_t>(first), 8);
  return key;
}

Offset FirstOffsetOf(std::string_view row_key) {
  return static_cast<Offset>(ReadBigEndian(row_key.substr(kOffsetAt)));
}

uint16_t TopicOf(std::string_view row_key) {
  return static_cast<uint16_t>(ReadBigEndian(row_key.substr(kTopicAt, 2)));
}

uint32_t PartitionOf(std::string_view row_key) {
  return static_cast<uint32_t>(ReadBigEndian(row_key.substr(kPartitionAt, 4)));
}

std::string EncodeBody(const std::vector<Record>& records) {
  constexpr size_t kMaxLengthBytes =
      3 * 3;  // a record is at most 1 MiB: three varints of three bytes
  size_t bytes = kBodyAt;
  for (const Record& record : records) bytes += RecordBytes(record) + kMaxLengthBytes;
  std::string value;
  value.reserve(bytes);
  value.resize(kBodyAt);
  for (const Record& record : records) {
    AppendVarint(value, record.key.size());
    AppendVarint(value, record.header.size());
    AppendVarint(value, record.payload.size());
    value.append(record.key).append(record.header).append(record.payload);
  }
  PutLittleEndian(value, kBodySumAt, Crc32c({std::string_view(value).substr(kBodyAt)}), 4);
  return value;
}

void Seal(std::string& value, std::string_view row_key, uint32_t records, WallTime append_time) {
  value[0] = kFormat;
  PutLittleEndian(value, kTimeAt, static_cast<uint64_t>(append_time.time_since_epoch().count()), 8);
  PutLittleEndian(value, kCountAt, records, 4);
  PutLittleEndian(value, kHeaderSumAt,
                  Crc32c({row_key, std::string_view(value).substr(0, kHeaderSumAt)}), 4);
}

uint32_t RecordCount(std::string_view value) {
  return value.size() < kBodyAt ? 0 : static_cast<uint32_t>(GetLittleEndian(value, kCountAt, 4));
}

StatusOr<RowReader> RowReader::Open(std::string_view row_key,
                                    std::shared_ptr<const std::string> value, bool verify) {
  RowReader reader(std::move(value), FirstOffsetOf(row_key));
  const std::string_view bytes = *reader.value_;
  if (bytes.size() < kBodyAt) return Corrupt(reader.next_, "is cut short");
  if (verify) {
    if (GetLittleEndian(bytes, kHeaderSumAt, 4) !=
            Crc32c({row_key, bytes.substr(0, kHeaderSumAt)}) ||
        GetLittleEndian(bytes, kBodySumAt, 4) != Crc32c({bytes.substr(kBodyAt)})) {
      return Corrupt(reader.next_, "does not have its checksum");
    }
    if (bytes[0] != kFormat)
      return Corrupt(reader.next_, "has a format this program does not know");
  }
  reader.append_time_ =
      WallTime(std::chrono::microseconds(static_cast<int64_t>(GetLittleEndian(bytes, kTimeAt, 8))));
  reader.end_ = reader.next_ + RecordCount(bytes);
  reader.at_ = kBodyAt;
  return reader;
}

Status RowReader::TakeLengths(uint64_t (&lengths)[3]) {
  const std::string_view bytes = *value_;
  for (uint64_t& length : lengths) {
    if (!TakeVarint(bytes, at_, length) || length > Log::kMaxRecordBytes)
      return Corrupt(next_, "has bad lengths");
  }
  if (lengths[0] + lengths[1] + lengths[2] > bytes.size() - at_)
    return Corrupt(next_, "is cut short");
  return OkStatus();
}

Status RowReader::SkipTo(Offset offset) {
  for (; next_ < offset && next_ < end_; ++next_) {
    uint64_t lengths[3];
    HILO_RETURN_IF_ERROR(TakeLengths(lengths));
    at_ += lengths[0] + lengths[1] + lengths[2];
  }
  return OkStatus();
}

StatusOr<StoredRecord> RowReader::Take() {
  uint64_t lengths[3];
  HILO_RETURN_IF_ERROR(TakeLengths(lengths));
  const auto take = [this](uint64_t length) {
    return value_->substr(std::exchange(at_, at_ + length), length);
  };
  StoredRecord stored{.offset = next_++, .append_time = append_time_};
  stored.record.key = take(lengths[0]);
  stored.record.header = take(lengths[1]);
  stored.record.payload = take(lengths[2]);
  return stored;
}

}  // namespace hilo::log::embedded
