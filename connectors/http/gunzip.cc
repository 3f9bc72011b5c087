#include "connectors/http/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace hilo::http {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr size_t kStepBytes = 64 << 10;

GunzipResult InflateAll(z_stream& stream, size_t max_bytes, std::string& output) {
  while (true) {
    // One byte more than allowed tells "too large" from "exactly full".
    const size_t before = output.size();
    output.resize(std::min(before + kStepBytes, max_bytes + 1));
    stream.next_out = reinterpret_cast<Bytef*>(output.data() + before);
    stream.avail_out = static_cast<uInt>(output.size() - before);
    const int result = inflate(&stream, Z_NO_FLUSH);
    output.resize(output.size() - stream.avail_out);
    if (output.size() > max_bytes) return GunzipResult::kTooLarge;
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return GunzipResult::kOk;
      if (inflateReset(&stream) != Z_OK) return GunzipResult::kBad;
    } else if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      return GunzipResult::kBad;
    }
  }
}

}  // namespace

GunzipResult Gunzip(std::string_view input, size_t max_bytes, std::string& output) {
  output.clear();
  if (input.size() > std::numeric_limits<uInt>::max()) return GunzipResult::kTooLarge;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return GunzipResult::kBad;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  const GunzipResult result = InflateAll(stream, max_bytes, output);
  inflateEnd(&stream);
  if (result != GunzipResult::kOk) output.clear();
  return result;
}

}  // namespace hilo::http
