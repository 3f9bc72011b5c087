#pragma once

#include <string>
#include <string_view>

namespace hilo {

// Appends `text` with the quotes of a JSON string.
//
// **Guarantees**: the result is valid JSON, valid UTF-8 and one line whatever `text` holds:
// controls (C0, DEL, C1), line and paragraph separators and the characters that turn the direction
// of writing come out as \uXXXX, bytes that are no UTF-8 as U+FFFD. A terminal or a reader of logs
// cannot be tricked by it.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace hilo
