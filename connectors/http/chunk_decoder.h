#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hilo::http {

// Bounds on what surrounds the data of a chunked body.
inline constexpr size_t kMaxChunkLineBytes = 256;        // a size with its extensions
inline constexpr size_t kMaxChunkExtensionBytes = 4096;  // of all chunks of a body together
inline constexpr size_t kMaxTrailerBytes = 4096;         // of the trailer section, which is dropped

// Takes the chunks out of a chunked body as its bytes arrive. Every line ends with CR LF, sizes are
// bare hexadecimal digits; extensions and trailers are checked for form and dropped.
// **Threads**: thread-compatible. **Source**: RFC 9112, 7.1.
class ChunkDecoder {
 public:
  enum class Result { kMore, kDone, kBad, kTooLarge };

  explicit ChunkDecoder(size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  // Takes from the front of `input` what it can and appends the data to `body`. After kMore all of
  // `input` has been taken; after kDone what lies behind the body is left.
  Result Decode(std::string_view& input, std::string& body);

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer, kDone };

  // Moves one line without its CR LF into line_; kDone when it is whole.
  Result TakeLine(std::string_view& input, size_t max_bytes);
  Result ReadSize(size_t body_bytes);

  const size_t max_body_bytes_;
  State state_ = State::kSize;
  std::string line_;
  uint64_t chunk_left_ = 0;
  size_t extension_bytes_ = 0;
  size_t trailer_bytes_ = 0;
};

}  // namespace hilo::http
