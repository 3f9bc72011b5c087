#include "tests/checker/dump_file.h"

#include <chrono>

namespace hilo::checker {
namespace {

constexpr size_t kRecordsPerRead = 1'000;

// Names of partitions are our own constants: nothing in them needs escaping.
std::string Place(const log::TopicPartition& of) {
  return "\"" + of.topic + "/" + std::to_string(of.partition) + "\"";
}

}  // namespace

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t left = bytes.size() - at;
    const auto byte = [&](size_t i) -> uint32_t {
      return i < left ? static_cast<uint8_t>(bytes[at + i]) : 0;
    };
    const uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    text += kDigits[group >> 18];
    text += kDigits[group >> 12 & 63];
    text += left > 1 ? kDigits[group >> 6 & 63] : '=';
    text += left > 2 ? kDigits[group & 63] : '=';
  }
  return text;
}

StatusOr<std::unique_ptr<DumpFile>> DumpFile::Create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr)
    return Error(StatusCode::kFailedPrecondition, "file_unwritable",
                 "'" + path + "' cannot be written");
  return std::unique_ptr<DumpFile>(new DumpFile(file));
}

void DumpFile::Line(const std::string& line) {
  failed_ = failed_ || std::fputs(line.c_str(), file_.get()) < 0;
  failed_ = failed_ || std::fputc('\n', file_.get()) == EOF;
}

Status DumpFile::WriteLog(log::Log& log, const log::TopicPartition& of, std::string_view stopped) {
  HILO_ASSIGN_OR_RETURN(const log::Offset start, log.StartOffset(of));
  HILO_ASSIGN_OR_RETURN(const log::Offset end, log.EndOffset(of));
  Line("{\"partition\":" + Place(of) + ",\"start\":" + std::to_string(start) +
       ",\"end\":" + std::to_string(end) + ",\"stopped\":\"" + std::string(stopped) + "\"}");
  HILO_ASSIGN_OR_RETURN(const auto cursor, log.OpenCursor(of, start));
  for (log::Offset at = start; at < end;) {
    HILO_ASSIGN_OR_RETURN(const auto records,
                          cursor->Read(kRecordsPerRead, std::chrono::milliseconds(0)));
    if (records.empty()) break;
    for (const log::StoredRecord& record : records) {
      Line("{\"record\":" + Place(of) + ",\"offset\":" + std::to_string(record.offset) +
           ",\"append_micros\":" + std::to_string(record.append_time.time_since_epoch().count()) +
           ",\"key\":\"" + Base64(record.record.key) + "\",\"header\":\"" +
           Base64(record.record.header) + "\",\"payload\":\"" + Base64(record.record.payload) +
           "\"}");
      at = record.offset + 1;
    }
  }
  return OkStatus();
}

Status DumpFile::WriteRows(const store::Reader& rows, const log::TopicPartition& of) {
  const auto all = rows.NewIterator({});
  for (; all->Valid(); all->Next()) {
    Line("{\"row\":" + Place(of) + ",\"key\":\"" + Hex(all->Key()) + "\",\"value\":\"" +
         Base64(all->Value()) + "\"}");
  }
  return all->status();
}

Status DumpFile::Close() {
  failed_ = failed_ || std::fflush(file_.get()) != 0;
  file_.reset();
  if (failed_)
    return Error(StatusCode::kDataLoss, "file_unwritable", "the dump could not be written");
  return OkStatus();
}

}  // namespace hilo::checker
