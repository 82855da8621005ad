// Lines and words of lists, however editors write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/text_lines.hpp"

namespace rankine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WordsOf, EndAtACommentAndAtBlanks) {
  EXPECT_THAT(words_of("  rx 3\t0.5 \r"), ElementsAre("rx", "3", "0.5"));
  EXPECT_THAT(words_of("h 0# and 1"), ElementsAre("h", "0"));
  EXPECT_THAT(words_of("# nothing"), IsEmpty());
  EXPECT_THAT(words_of(""), IsEmpty());
}

TEST(ForEachLine, CountsFromOneAndSkipsAByteOrderMark) {
  std::string seen;
  const auto note = [&](int number, std::string_view line) {
    seen += std::to_string(number) + "<" + std::string(line) + ">";
  };
  for_each_line("\xEF\xBB\xBFone\n\nthree", note);
  EXPECT_EQ(seen, "1<one>2<>3<three>");
  seen.clear();
  for_each_line("\xEF\xBB\xBF", note);
  for_each_line("last\n", note);
  EXPECT_EQ(seen, "1<last>");
}

}  // namespace
}  // namespace rankine
