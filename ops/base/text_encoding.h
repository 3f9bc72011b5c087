#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hilo {

// Lower-case hexadecimal, two digits a byte.
std::string Hex(std::string_view bytes);

// Base64 without padding. Source: RFC 4648, sections 4 and 5.
std::string Base64(std::string_view bytes);
// With the alphabet that may stand in an address ("-" and "_").
std::string UrlSafeBase64(std::string_view bytes);
// nullopt for a character of another alphabet. Bits that fill no byte are dropped.
std::optional<std::string> ParseUrlSafeBase64(std::string_view text);

}  // namespace hilo
