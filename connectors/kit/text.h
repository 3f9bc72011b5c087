#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hilo::kit {

// Without blanks at both ends, the no-break space and the ideographic one included.
std::string_view Trim(std::string_view text);
std::string AsciiLower(std::string_view text);
bool IsUtf8(std::string_view text);
// C0, DEL, or C1.
bool HasControl(std::string_view text);
// At most `max_bytes` of it, cut between characters.
std::string_view Clip(std::string_view text, size_t max_bytes);

// RFC 4648 with "+/" or "-_", padded or not; nullopt for anything else.
std::optional<std::string> DecodeBase64(std::string_view text);
// With the quotes of a JSON string.
std::string JsonString(std::string_view text);

}  // namespace hilo::kit
