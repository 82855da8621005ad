// A 64-bit hash by which inputs of one computation are told from those of another.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "deck/difference.hpp"

namespace rankine::run {

/// A hash of texts and numbers in their order (FNV-1a).
class Fingerprint {
 public:
  Fingerprint& add(std::string_view text);
  Fingerprint& add(std::span<const std::int64_t> values);
  Fingerprint& add(std::uint64_t value);
  Fingerprint& add(double value);
  /// Every value of these sections.
  Fingerprint& add(const deck::DeckValues& values,
                   std::initializer_list<std::string_view> sections);
  std::uint64_t value() const { return value_; }

 private:
  void add_bytes(std::span<const std::byte> bytes);
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace rankine::run
