#include "run/fingerprint.hpp"

#include <algorithm>

namespace rankine::run {

void Fingerprint::add_bytes(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    value_ ^= static_cast<std::uint64_t>(byte);
    value_ *= 0x100000001b3u;
  }
}

Fingerprint& Fingerprint::add(std::string_view text) {
  add(static_cast<std::uint64_t>(text.size()));
  add_bytes(std::as_bytes(std::span(text)));
  return *this;
}

Fingerprint& Fingerprint::add(std::span<const std::int64_t> values) {
  add(static_cast<std::uint64_t>(values.size()));
  add_bytes(std::as_bytes(values));
  return *this;
}

Fingerprint& Fingerprint::add(std::uint64_t value) {
  add_bytes(std::as_bytes(std::span(&value, 1)));
  return *this;
}

Fingerprint& Fingerprint::add(double value) {
  add_bytes(std::as_bytes(std::span(&value, 1)));
  return *this;
}

Fingerprint& Fingerprint::add(const deck::DeckValues& values,
                              std::initializer_list<std::string_view> sections) {
  for (const auto& [keyword, value] : values)
    if (std::ranges::find(sections, std::string_view(keyword).substr(0, keyword.find('.'))) !=
        sections.end())
      add(keyword).add(value);
  return *this;
}

}  // namespace rankine::run
