#include "connectors/http/chunk_decoder.h"

#include <algorithm>

#include "connectors/http/request_head.h"

namespace hilo::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::Result ChunkDecoder::TakeLine(std::string_view& input, size_t max_bytes) {
  const size_t end = input.find('\n');
  const std::string_view part = input.substr(0, end);
  if (line_.size() + part.size() > max_bytes + 1) return Result::kBad;
  line_ += part;
  if (end == std::string_view::npos) {
    input = {};
    return Result::kMore;
  }
  input.remove_prefix(end + 1);
  if (line_.empty() || line_.back() != '\r') return Result::kBad;
  line_.pop_back();
  return Result::kDone;
}

ChunkDecoder::Result ChunkDecoder::ReadSize(size_t body_bytes) {
  size_t digits = 0;
  chunk_left_ = 0;
  while (digits < line_.size() && HexDigit(line_[digits]) >= 0) {
    if (digits == 16) return Result::kBad;
    chunk_left_ = chunk_left_ << 4 | static_cast<uint64_t>(HexDigit(line_[digits++]));
  }
  if (digits == 0) return Result::kBad;
  const std::string_view extensions = std::string_view(line_).substr(digits);
  if (!extensions.empty() && extensions.front() != ';') return Result::kBad;
  for (const char c : extensions) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return Result::kBad;
  }
  extension_bytes_ += extensions.size();
  if (extension_bytes_ > kMaxChunkExtensionBytes) return Result::kBad;
  if (chunk_left_ > max_body_bytes_ - body_bytes) return Result::kTooLarge;
  return Result::kDone;
}

ChunkDecoder::Result ChunkDecoder::Decode(std::string_view& input, std::string& body) {
  while (state_ != State::kDone) {
    if (state_ == State::kData) {
      const size_t size = std::min<uint64_t>(chunk_left_, input.size());
      body += input.substr(0, size);
      input.remove_prefix(size);
      chunk_left_ -= size;
      if (chunk_left_ > 0) return Result::kMore;
      state_ = State::kDataEnd;
    }
    const size_t max_line = state_ == State::kSize      ? kMaxChunkLineBytes
                            : state_ == State::kDataEnd ? 0
                                                        : kMaxTrailerBytes;
    if (const Result line = TakeLine(input, max_line); line != Result::kDone) return line;
    if (state_ == State::kSize) {
      if (const Result size = ReadSize(body.size()); size != Result::kDone) return size;
      state_ = chunk_left_ == 0 ? State::kTrailer : State::kData;
    } else if (state_ == State::kDataEnd) {
      state_ = State::kSize;
    } else if (line_.empty()) {
      state_ = State::kDone;
    } else {
      std::string_view name, value;
      trailer_bytes_ += line_.size();
      if (trailer_bytes_ > kMaxTrailerBytes || !ParseField(line_, name, value)) return Result::kBad;
    }
    line_.clear();
  }
  return Result::kDone;
}

}  // namespace hilo::http
