// Values written as TOML, so that what is printed can be read again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::deck {

std::string to_toml(bool value);
std::string to_toml(int value);
std::string to_toml(std::int64_t value);
/// Shortest text that reads back as the same double; always with a point or an exponent.
std::string to_toml(double value);
/// A basic string in double quotes, with control characters escaped.
std::string to_toml(std::string_view value);
std::string to_toml(const std::string& value);

template <typename T>
std::string to_toml(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) text += (text.size() > 1 ? ", " : "") + to_toml(value);
  return text + "]";
}

}  // namespace rankine::deck
