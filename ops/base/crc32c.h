#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hilo {

// Goes on with a CRC-32C (Castagnoli, RFC 3720 B.4) over more bytes; begins at 0. By the
// processor's own instruction where it has one, about 2.5 bytes a cycle, else by a table of bytes.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);

}  // namespace hilo
