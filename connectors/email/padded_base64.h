#pragma once

#include <string>
#include <string_view>

#include "ops/base/text_encoding.h"

namespace hilo::email {

// With the "=" at its end that mail wants.
inline std::string PaddedBase64(std::string_view bytes) {
  std::string text = Base64(bytes);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace hilo::email
