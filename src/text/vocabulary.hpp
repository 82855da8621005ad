// Tokens by their texts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rankine::text {

/// Lets std::unordered_map look up std::string keys by std::string_view. Not noexcept, by which
/// libstdc++ keeps hashes with the keys.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

using Vocabulary = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

/// The tokens "<0x00>" to "<0xFF>" of a vocabulary, for characters that are no tokens.
class ByteTokens {
 public:
  /// None.
  ByteTokens() = default;
  explicit ByteTokens(const Vocabulary& vocabulary);

  /// Appends the ids of all bytes of `text`, or nothing if one of them is missing.
  bool append(std::string_view text, std::vector<std::int32_t>& ids) const;

 private:
  std::array<std::optional<std::int32_t>, 256> ids_;
};

}  // namespace rankine::text
