// Regular expressions of tokenizers, matched with PCRE2 as Oniguruma matches them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::text {

/// A part of a text, and whether the pattern matches it or it lies between matches.
struct PatternPart {
  std::string_view text;
  bool is_match;
};

class Pattern {
 public:
  /// A regular expression in the dialect of the package `tokenizers` (Oniguruma's Ruby syntax).
  /// Throws InputError, naming `source`, for constructs that PCRE2 might read otherwise.
  static Pattern regular_expression(std::string_view expression, std::string_view source);
  /// Matches just `text`.
  static Pattern literal(std::string_view text);
  /// Matches one character that Rust's char::is_numeric accepts (Unicode 17: Nd, Nl, No).
  static Pattern digit();
  /// Matches one or more of those.
  static Pattern digits();

  /// Matches one letter, mark, digit or connector: \w of the Rust crate `regex`.
  static Pattern word_character();

  /// Cuts `text` (valid UTF-8) into matches, from left to right, and what lies between. Parts are
  /// not empty. Throws ResourceError if PCRE2 gives up.
  std::vector<PatternPart> cut(std::string_view text) const;

 private:
  Pattern(const std::string& pcre2_expression, std::string_view source);

  std::shared_ptr<const void> code_;
};

}  // namespace rankine::text
