// Values written as TOML: numbers through fmt, strings quoted and escaped.
#include "deck/toml_text.hpp"

#include <fmt/format.h>

namespace rankine::deck {
namespace {

std::string escaped(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  const bool is_control = code < 0x20 || code == 0x7f;
  return is_control ? fmt::format("\\u{:04x}", code) : std::string(1, c);
}

}  // namespace

std::string to_toml(bool value) { return value ? "true" : "false"; }

std::string to_toml(int value) { return fmt::to_string(value); }

std::string to_toml(std::int64_t value) { return fmt::to_string(value); }

std::string to_toml(double value) {
  std::string text = fmt::format("{}", value);
  // "nan" and "inf" contain an n; they are TOML as they are.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string to_toml(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) text += escaped(c);
  return text + "\"";
}

std::string to_toml(const std::string& value) { return to_toml(std::string_view(value)); }

}  // namespace rankine::deck
