#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hilo::http {

enum class GunzipResult { kOk, kBad, kTooLarge };

// Inflates one or more gzip members that make up all of `input` into `output`, at most `max_bytes`
// of it. kBad: cut off, damaged, no gzip, or followed by something else.
// **Threads**: thread-safe. **Cost**: memory for the result and 48 KiB; it stops at the bound,
// however far the input would inflate. **Source**: RFC 1952.
GunzipResult Gunzip(std::string_view input, size_t max_bytes, std::string& output);

}  // namespace hilo::http
