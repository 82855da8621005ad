#include "text/utf8.hpp"

namespace rankine::text {

namespace {

/// How a code point begins: its length and the range of its second byte, which excludes overlong
/// forms, surrogates and numbers beyond U+10FFFF (Unicode standard, table 3-7).
struct Lead {
  std::size_t bytes;
  unsigned char second_from = 0x80;
  unsigned char second_to = 0xbf;
};

std::optional<Lead> lead_of(unsigned char byte) {
  if (byte < 0x80) return Lead{1};
  if (byte < 0xc2) return std::nullopt;
  if (byte < 0xe0) return Lead{2};
  if (byte == 0xe0) return Lead{3, 0xa0, 0xbf};
  if (byte == 0xed) return Lead{3, 0x80, 0x9f};
  if (byte < 0xf0) return Lead{3};
  if (byte == 0xf0) return Lead{4, 0x90, 0xbf};
  if (byte < 0xf4) return Lead{4};
  if (byte == 0xf4) return Lead{4, 0x80, 0x8f};
  return std::nullopt;
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = lead_of(byte_at(0));
  if (!lead) return {std::nullopt, 1};
  if (lead->bytes == 1) return {char32_t{byte_at(0)}, 1};
  char32_t value = byte_at(0) & (0xffu >> (lead->bytes + 1));
  for (std::size_t i = 1; i < lead->bytes; ++i) {
    const unsigned char from = i == 1 ? lead->second_from : 0x80;
    const unsigned char to = i == 1 ? lead->second_to : 0xbf;
    if (i >= text.size() || byte_at(i) < from || byte_at(i) > to) return {std::nullopt, i};
    value = value << 6 | (byte_at(i) & 0x3fu);
  }
  return {value, lead->bytes};
}

CodePoint last_code_point(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xc0u) == 0x80u) --begin;
  const CodePoint last = first_code_point(text.substr(begin));
  return begin + last.bytes == text.size() ? last : CodePoint{std::nullopt, 1};
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto append = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto append_tail = [&](int shift) { append(0x80u | (code_point >> shift & 0x3fu)); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xc0u | code_point >> 6);
    append_tail(0);
  } else if (code_point < 0x10000) {
    append(0xe0u | code_point >> 12);
    append_tail(6);
    append_tail(0);
  } else {
    append(0xf0u | code_point >> 18);
    append_tail(12);
    append_tail(6);
    append_tail(0);
  }
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint code_point = first_code_point(text.substr(i));
    if (!code_point.value) return i;
    i += code_point.bytes;
  }
  return std::nullopt;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const CodePoint code_point = first_code_point(text);
    if (code_point.value) {
      valid.append(text.substr(0, code_point.bytes));
    } else {
      append_utf8(valid, U'\ufffd');
    }
    text.remove_prefix(code_point.bytes);
  }
  return valid;
}

bool is_white_space(char32_t code_point) {
  return (code_point >= 0x9 && code_point <= 0xd) || code_point == 0x20 || code_point == 0x85 ||
         code_point == 0xa0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200a) || code_point == 0x2028 ||
         code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
         code_point == 0x3000;
}

std::size_t leading_white_space(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size()) {
    const CodePoint first = first_code_point(text.substr(length));
    if (!is_white_space(first.value.value_or(U'x'))) break;
    length += first.bytes;
  }
  return length;
}

std::size_t without_trailing_white_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const CodePoint last = last_code_point(text.substr(0, end));
    if (!is_white_space(last.value.value_or(U'x'))) break;
    end -= last.bytes;
  }
  return end;
}

}  // namespace rankine::text
