// The printable characters that stand for bytes in byte-level vocabularies (as in GPT-2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rankine::text {

/// Printable ASCII and Latin-1 characters stand for themselves, the other 68 bytes for U+0100 on.
/// UTF-8.
const std::string& symbol_of(unsigned char byte);

/// The bytes that the symbols of `token` stand for; nothing if a character is no such symbol.
std::optional<std::string> bytes_of_symbols(std::string_view token);

}  // namespace rankine::text
