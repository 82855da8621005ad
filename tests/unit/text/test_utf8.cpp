// UTF-8 as the Unicode standard defines it.
#include <gtest/gtest.h>

#include "text/utf8.hpp"

namespace rankine::text {
namespace {

TEST(Utf8, EveryCodePointIsWrittenAndRead) {
  for (char32_t value = 0; value < 0x110000; ++value) {
    std::string text;
    append_utf8(text, value);
    const CodePoint read = first_code_point(text);
    if (value >= 0xd800 && value < 0xe000) {
      ASSERT_FALSE(read.value) << std::uint32_t{value};
    } else {
      ASSERT_EQ(read.value, value);
      ASSERT_EQ(read.bytes, text.size());
    }
  }
}

TEST(Utf8, TheFirstBrokenByteIsFound) {
  EXPECT_EQ(find_invalid_utf8("a\u00e9\u6f22\U0001f600"), std::nullopt);
  EXPECT_EQ(find_invalid_utf8(""), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("\u00e9\x80"), 2u);
  EXPECT_EQ(find_invalid_utf8("a\xf4\x90\x80\x80"), 1u);
  EXPECT_EQ(find_invalid_utf8("a\xf5"), 1u);
  EXPECT_EQ(find_invalid_utf8("\xe6\xbc"), 0u);
}

TEST(Utf8, BrokenCodePointsAreReplaced) {
  // The example of the Unicode standard, table 3-8, and those before it.
  EXPECT_EQ(replace_invalid_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"),
            "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA");
  EXPECT_EQ(replace_invalid_utf8("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"),
            "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA");
  EXPECT_EQ(replace_invalid_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),
            "\ufffd\ufffd\ufffd\ufffdA");
}

TEST(Utf8, WhiteSpaceHasTwentyFiveCharacters) {
  int n = 0;
  for (char32_t value = 0; value < 0x110000; ++value) n += is_white_space(value) ? 1 : 0;
  EXPECT_EQ(n, 25);
  EXPECT_TRUE(is_white_space(0x85));
  EXPECT_FALSE(is_white_space(0x180e));
  EXPECT_FALSE(is_white_space(0x200b));
}

}  // namespace
}  // namespace rankine::text
