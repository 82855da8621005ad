// SHA-256 (FIPS 180-4), so that anyone can check a text of a result file with common tools.
#pragma once

#include <string>
#include <string_view>

namespace rankine {

/// 64 hexadecimal digits.
std::string sha256(std::string_view text);

}  // namespace rankine
