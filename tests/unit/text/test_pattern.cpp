// Regular expressions of tokenizers match what Oniguruma matches, or are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "text/pattern.hpp"

namespace rankine::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Pattern expression_of(const char* expression) {
  return Pattern::regular_expression(expression, "a test");
}

std::vector<std::string> matches(const Pattern& pattern, std::string_view text) {
  std::vector<std::string> found;
  for (const PatternPart& part : pattern.cut(text)) {
    if (part.is_match) found.emplace_back(part.text);
  }
  return found;
}

std::vector<std::string> matches(const char* expression, std::string_view text) {
  return matches(expression_of(expression), text);
}

std::string refusal(const char* expression) {
  try {
    expression_of(expression);
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("' of a test ("));
    return error.what();
  }
  return "nothing was refused";
}

TEST(Pattern, CutsIntoMatchesAndWhatLiesBetween) {
  const auto parts = expression_of("b+").cut("abbcb");
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].text, "a");
  EXPECT_FALSE(parts[0].is_match);
  EXPECT_EQ(parts[1].text, "bb");
  EXPECT_TRUE(parts[1].is_match);
  EXPECT_EQ(parts[2].text, "c");
  EXPECT_EQ(parts[3].text, "b");
  EXPECT_TRUE(expression_of("b").cut("").empty());
}

TEST(Pattern, EmptyMatchesOnlyCut) {
  const auto parts = expression_of("(?=b)").cut("aéb漢b");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].text, "aé");
  EXPECT_EQ(parts[1].text, "b漢");
  EXPECT_EQ(parts[2].text, "b");
}

TEST(Pattern, ALiteralHasNoSpecialCharacters) {
  EXPECT_THAT(matches(Pattern::literal("a.(*)[^$]{1}\\|?+"), "ab a.(*)[^$]{1}\\|?+"),
              ElementsAre("a.(*)[^$]{1}\\|?+"));
}

TEST(Pattern, WhiteSpaceIsThatOfUnicode) {
  // U+180E has been no white space since Unicode 6.3; U+0085 and U+3000 are.
  const std::string text = "a\u0085\u180e\u3000\u200b";
  EXPECT_THAT(matches(R"(\s)", text), ElementsAre("\u0085", "\u3000"));
  EXPECT_THAT(matches(R"([\s])", text), ElementsAre("\u0085", "\u3000"));
  EXPECT_THAT(matches(R"(\S)", text), ElementsAre("a", "\u180e", "\u200b"));
  EXPECT_THAT(matches(R"([^\s])", text), ElementsAre("a", "\u180e", "\u200b"));
  EXPECT_THAT(matches(R"([\S])", text), ElementsAre("a", "\u180e", "\u200b"));
}

TEST(Pattern, LettersAndNumbersOfUnicode16AreKnown) {
  // U+1C89 and U+10D40 came with Unicode 16, U+1E4F0 and U+2EBF0 with 15 and 15.1.
  const std::string text = "\u1c89 \U0002ebf0 \U00010d40 \U0001e4f0";
  EXPECT_THAT(matches(R"(\p{L})", text), ElementsAre("\u1c89", "\U0002ebf0"));
  EXPECT_THAT(matches(R"(\p{Lu})", text), ElementsAre("\u1c89"));
  EXPECT_THAT(matches(R"([\p{N}])", text), ElementsAre("\U00010d40", "\U0001e4f0"));
  EXPECT_THAT(matches(R"(\d)", text), ElementsAre("\U00010d40", "\U0001e4f0"));
  EXPECT_THAT(matches(R"([^\s\p{L}]+)", text), ElementsAre("\U00010d40", "\U0001e4f0"));
  EXPECT_THAT(matches(R"(\P{L}+)", text), ElementsAre(" ", " \U00010d40 \U0001e4f0"));
}

TEST(Pattern, DigitsAreAllNumericCharacters) {
  const std::string text = "a1\u00bd\u2163\u0661\U00011de0\u4e09";  // U+11DE0: Unicode 17
  EXPECT_THAT(matches(Pattern::digit(), text),
              ElementsAre("1", "\u00bd", "\u2163", "\u0661", "\U00011de0"));
  EXPECT_THAT(matches(Pattern::digits(), text), ElementsAre("1\u00bd\u2163\u0661\U00011de0"));
}

TEST(Pattern, CaselessGroupsFoldAsUnicodeDoes) {
  EXPECT_THAT(matches(R"((?i:'s|'ll))", "'S'lL'\u017f's"),
              ElementsAre("'S", "'lL", "'\u017f", "'s"));
}

TEST(Pattern, RepetitionsAreKept) {
  EXPECT_THAT(matches(R"(\p{N}{1,3})", "12345"), ElementsAre("123", "45"));
  EXPECT_THAT(matches(R"(\s+(?!\S)|\s+)", "  a "), ElementsAre(" ", " ", " "));
  EXPECT_THAT(matches(R"([^\r\n\p{L}]?+a)", "\na-a"), ElementsAre("a", "-a"));
}

TEST(Pattern, WithoutEndOnATextIsALimit) {
  const auto pattern = Pattern::regular_expression("(a+)+[bc]", "the test");
  EXPECT_THROW(pattern.cut(std::string(50, 'a') + "!"), ResourceError);
}

TEST(Pattern, WhatMightMeanSomethingElseIsRefused) {
  for (const char* expression :
       {"a.",          "^a",          "a$",     "\\w",      "\\h",     "\\b",
        "\\A",         "\\x41",       "\\1",    "(?<a>b)",  "(?<!b)a", "(?m:a)",
        "(?>a)",       "[[:alpha:]]", "[a&&b]", "[",        "[]a]",    "a{,3}",
        "a{2}+",       "a{2}?",       "a{",     "\\p{Han}", "\\pL",    "\\p{^L}",
        "(?i:\\p{L})", "(?i:\u00e4)", "(?i:a",  "[\\P{L}]", "\\"}) {
    EXPECT_THAT(refusal(expression), HasSubstr("is not supported")) << expression;
  }
  EXPECT_THAT(refusal("(a"), HasSubstr("at character 2"));
}

}  // namespace
}  // namespace rankine::text
