// Declaring: sections opened twice, look-up, and the contracts of a declaration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/errors.hpp"
#include "deck/read.hpp"
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

enum class Colour { red, green, blue };
constexpr Named<Colour> colours[] = {
    {Colour::green, "green"}, {Colour::red, "red"}, {Colour::blue, "deep-blue"}};

/// Values of enumerations, declared.
struct Paint {
  Colour wall = Colour::red;
  std::vector<Colour> doors = {Colour::blue, Colour::green};
  Schema schema;

  Paint() {
    auto section = schema.section("paint", "Colours.");
    section.keyword("wall", wall, colours).describe("Of the wall.");
    section.keyword("doors", doors, colours).describe("Of the doors.");
  }
};

TEST(Schema, EnumerationsAreDeclaredByTheNamesOfTheirValues) {
  Paint paint;
  const Keyword& wall = paint.schema.at("paint.wall");
  EXPECT_EQ(wall.default_text(), "\"red\"");
  EXPECT_EQ(wall.type_name(), "string");
  EXPECT_EQ(wall.allowed(), R"(one of "green", "red", "deep-blue")");
  EXPECT_EQ(paint.schema.at("paint.doors").default_text(), R"(["deep-blue", "green"])");
  EXPECT_EQ(paint.schema.at("paint.doors").type_name(), "string or list of strings");
}

TEST(Schema, ValuesOfEnumerationsAreReadByTheirNames) {
  Paint paint;
  read_text(paint.schema, "[paint]\nwall = \"deep-blue\"\ndoors = [\"red\", \"red\"]", "a.toml");
  EXPECT_EQ(paint.wall, Colour::blue);
  EXPECT_THAT(paint.doors, testing::ElementsAre(Colour::red, Colour::red));
  EXPECT_EQ(paint.schema.at("paint.wall").value_text(), "\"deep-blue\"");
  read_text(paint.schema, "", "b.toml", {"paint.doors=deep-blue"});
  EXPECT_THAT(paint.doors, testing::ElementsAre(Colour::blue));
}

TEST(Schema, ValuesOfEnumerationsGoBackToTheirDefaults) {
  Paint paint;
  read_text(paint.schema, "[paint]\nwall = \"green\"\ndoors = \"red\"", "a.toml");
  EXPECT_THAT(paint.doors, testing::ElementsAre(Colour::red));
  read_text(paint.schema, "", "b.toml");
  EXPECT_EQ(paint.wall, Colour::red);
  EXPECT_THAT(paint.doors, testing::ElementsAre(Colour::blue, Colour::green));
}

TEST(Schema, RefusesNamesThatNoValueOfAnEnumerationHas) {
  Paint paint;
  try {
    read_text(paint.schema, "[paint]\nwall = \"gren\"\ndoors = [\"red\", \"blue\"]", "a.toml");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("Did you mean \"green\"?"));
    EXPECT_THAT(error.what(), testing::HasSubstr("element 2 of paint.doors = \"blue\""));
  }
  EXPECT_EQ(paint.wall, Colour::red);
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
