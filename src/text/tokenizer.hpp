// Text to token ids and back, as the tokenizer.json of a model's folder says.
//
// Ids equal those of the Python package `tokenizers`; what a file asks for beyond the supported
// features (docs/file_formats.md) is an error, never other ids.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::text {

/// Whether the beginning and end that the tokenizer's template puts around a text are added.
enum class AddSpecialTokens { no, yes };

/// Whether tokens that stand for no text ("<|endoftext|>") are part of a decoded text.
enum class SpecialTokens { kept, left_out };

/// Cheap to copy; safe to use from several threads.
class Tokenizer {
 public:
  /// Throws InputError, naming file and feature, if the file is wrong or asks for a feature that is
  /// not supported.
  static Tokenizer read(const std::filesystem::path& tokenizer_json);

  /// Throws InputError if `utf8_text` is not valid UTF-8. What the vocabulary lacks vanishes unless
  /// the tokenizer has tokens for it.
  std::vector<std::int32_t> encode(std::string_view utf8_text, AddSpecialTokens special) const;

  /// Text of the tokens. Unknown ids vanish; bytes that are no UTF-8 become U+FFFD.
  std::string decode(std::span<const std::int32_t> ids,
                     SpecialTokens special = SpecialTokens::kept) const;

  /// Every id is below this number.
  std::int64_t vocabulary_size() const;
  std::optional<std::int32_t> id_of(std::string_view token) const;
  /// Whether AddSpecialTokens::yes puts a token before the text.
  bool adds_beginning() const;
  /// "truncation" and "padding", if the file holds them: texts are taken as they are.
  const std::vector<std::string>& ignored_sections() const;

 private:
  struct Parts;
  explicit Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const Parts> parts_;
};

}  // namespace rankine::text
