// Declaring: sections opened twice, look-up, and the contracts of a declaration.
#include <gtest/gtest.h>

#include <stdexcept>

#include "deck/schema.hpp"

namespace rankine::deck {
namespace {

TEST(Schema, SectionOpenedAgainKeepsItsSentenceAndGrows) {
  int first = 1;
  double second = 2.5;
  Schema schema;
  schema.section("state", "The first sentence.").keyword("first", first);
  schema.section("other", "Another section.");
  schema.section("state", "Not used.").keyword("second", second);
  ASSERT_EQ(schema.sections().size(), 3u);
  const Section* state = schema.find_section("state");
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(state->sentence, "The first sentence.");
  EXPECT_EQ(state->keywords.size(), 2u);
  EXPECT_EQ(schema.at("state.second").default_text(), "2.5");
  EXPECT_EQ(schema.at("state.second").key(), "state.second");
}

TEST(Schema, LookUpOfAnUndeclaredKeyIsALogicError) {
  const Schema schema;
  EXPECT_THROW(schema.at("state.steps"), std::logic_error);
  EXPECT_EQ(schema.find_section("state"), nullptr);
}

TEST(Schema, RangesSpeak) {
  EXPECT_EQ(Range{}.text(), "");
  EXPECT_EQ((Range{.lower = 0, .lower_end = Range::End::excluded}.text()), "above 0");
  EXPECT_EQ((Range{.lower = 0, .upper = 1, .lower_end = Range::End::excluded}.text()),
            "above 0 and at most 1");
  EXPECT_EQ((Range{.lower = 1, .upper = 65536}.text()), "from 1 to 65536");
}

#ifdef RANKINE_CONTRACTS
TEST(Schema, RefusesContradictoryDeclarations) {
  int number = 1;
  std::string text;
  Schema schema;
  auto section = schema.section("state", "A section.");
  auto of_number = section.keyword("number", number);
  auto of_text = section.keyword("text", text);
  EXPECT_THROW(section.keyword("number", number), std::logic_error);
  EXPECT_THROW(of_number.choices({"a"}), std::logic_error);
  EXPECT_THROW(of_text.above(0), std::logic_error);
}
#endif

}  // namespace
}  // namespace rankine::deck
