#include "text/byte_symbols.hpp"

#include <array>

#include "text/utf8.hpp"

namespace rankine::text {

namespace {

bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

constexpr std::size_t n_symbol_code_points = 0x100 + 68;

struct Symbols {
  std::array<std::string, 256> of_byte;
  std::array<int, n_symbol_code_points> byte_of;  ///< by code point; -1: no symbol

  Symbols() {
    byte_of.fill(-1);
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const char32_t code_point = stands_for_itself(byte) ? char32_t{byte} : next++;
      append_utf8(of_byte[byte], code_point);
      byte_of[code_point] = static_cast<int>(byte);
    }
  }
};

const Symbols& symbols() {
  static const Symbols all;
  return all;
}

}  // namespace

const std::string& symbol_of(unsigned char byte) { return symbols().of_byte[byte]; }

std::optional<std::string> bytes_of_symbols(std::string_view token) {
  std::string bytes;
  while (!token.empty()) {
    const CodePoint code_point = first_code_point(token);
    if (!code_point.value || *code_point.value >= n_symbol_code_points) return std::nullopt;
    const int byte = symbols().byte_of[*code_point.value];
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
    token.remove_prefix(code_point.bytes);
  }
  return bytes;
}

}  // namespace rankine::text
