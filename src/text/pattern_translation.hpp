// Regular expressions of Oniguruma (Ruby syntax, Unicode 16) rewritten for PCRE2 (Unicode 14 or
// later) so that both match the same texts.
//
// Only constructs known to mean the same are let through. Classes whose members depend on the
// version of Unicode get the characters that PCRE2 may lack.
#pragma once

#include <string>
#include <string_view>

namespace rankine::text {

/// Throws InputError, naming `source`, for any construct outside the supported ones:
/// literals, groups (?:...), (?i:...) of ASCII, (?=...), (?!...), (...), alternatives, ? * + with
/// their lazy and possessive forms, {n}, {n,} and {n,m}, sets with ranges, \s \S \d \r \n \t \f,
/// and \p{...}, \P{...} for L Lu Ll Lt Lm Lo M N Nd P S Z.
std::string pcre2_from_oniguruma(std::string_view expression, std::string_view source);

std::string pcre2_from_literal(std::string_view text);

/// A set of all numeric characters: Nd, Nl and No of Unicode 17.
std::string pcre2_digit_class();

/// A set of the characters of words: \w of the Rust crate `regex`.
std::string pcre2_word_class();

}  // namespace rankine::text
