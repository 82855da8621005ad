// UTF-8: code points of a text, and what to do where bytes are not UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rankine::text {

/// Valid: the code point and its length in bytes. Not valid: no code point, and how many bytes
/// belong to the broken one (at least 1; the "maximal subpart" of the Unicode standard, 3.9).
struct CodePoint {
  std::optional<char32_t> value;
  std::size_t bytes;
};

/// At the beginning of `text`, which is not empty.
CodePoint first_code_point(std::string_view text);

/// The character that `text`, which is not empty, ends with; where that is no UTF-8, its last byte.
CodePoint last_code_point(std::string_view text);

void append_utf8(std::string& text, char32_t code_point);

/// Index of the first byte that is not valid UTF-8.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// With U+FFFD for every broken code point.
std::string replace_invalid_utf8(std::string_view text);

/// The Unicode property White_Space.
bool is_white_space(char32_t code_point);

/// Length of the white space that `text` begins with.
std::size_t leading_white_space(std::string_view text);

/// Length of `text` without the white space that it ends with.
std::size_t without_trailing_white_space(std::string_view text);

}  // namespace rankine::text
