// The effective deck: complete, with sources, and readable as a deck again.
#include <limits>

#include "deck/echo.hpp"
#include "deck/toml_text.hpp"
#include "sample_deck.hpp"

namespace rankine::deck {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;

class Echo : public SampleDeck {};

TEST_F(Echo, ShowsEveryKeywordWithItsSource) {
  read_text(schema, "[lattice]\nname = \"eagle\"\n[circuit]\ntheta_h = [0.1, 1]", "decks/run.toml",
            {"circuit.steps=3"});
  EXPECT_EQ(effective_deck(schema), R"(title = ""  # default

[lattice]
name = "eagle"  # run.toml:2
# rows is not set
# file is not set

[circuit]
steps = 3  # command line
theta_h = [0.1, 1.0]  # run.toml:4
theta_j = -0.5  # default
final_layer = false  # default

[state]
bond_dimension = [16]  # default
discarded_weight_max = 1e-15  # default

[measure]
observables = ["magnetization"]  # default
weights = []  # default
)");
}

TEST_F(Echo, ReadsBackToTheSameValues) {
  read_text(schema, "title = \"tab\\t quote\\\" back\\\\ bell\\u0007 é\"", "sample.toml",
            {"lattice.name=eagle", "lattice.rows=4", "circuit.theta_h=[0.1, 1e300, 3, 1e22]",
             "circuit.theta_j=-1.5707963267948966", "state.bond_dimension=[1, 65536]",
             "measure.observables=[\"a b\", \"c\"]", "measure.weights=[-0.0, 5e-324]"});
  const SampleOptions first = options;
  const std::string echo = effective_deck(schema);
  read_text(schema, echo, "echo.toml");
  EXPECT_EQ(options.title, first.title);
  EXPECT_EQ(options.name, first.name);
  EXPECT_EQ(options.rows, first.rows);
  EXPECT_EQ(options.file, first.file);
  EXPECT_EQ(options.theta_h, first.theta_h);
  EXPECT_EQ(options.theta_j, first.theta_j);
  EXPECT_EQ(options.bond_dimension, first.bond_dimension);
  EXPECT_EQ(options.observables, first.observables);
  EXPECT_EQ(options.weights, first.weights);
  EXPECT_TRUE(std::signbit(options.weights[0]));
}

TEST_F(Echo, ListsKeyValueAndSource) {
  read_sample("circuit.steps = 9");
  const std::vector<EffectiveValue> values = effective_values(schema);
  ASSERT_EQ(values.size(), 12u);
  EXPECT_THAT(values[0],
              AllOf(Field(&EffectiveValue::key, "title"), Field(&EffectiveValue::value, "\"\""),
                    Field(&EffectiveValue::source, "default")));
  EXPECT_THAT(values[3],
              AllOf(Field(&EffectiveValue::key, "lattice.file"), Field(&EffectiveValue::value, ""),
                    Field(&EffectiveValue::source, "not set")));
  EXPECT_THAT(values[4], AllOf(Field(&EffectiveValue::key, "circuit.steps"),
                               Field(&EffectiveValue::value, "9"),
                               Field(&EffectiveValue::source, "sample.toml:1")));
}

TEST(TomlText, DoublesAreShortestAndStayNumbers) {
  EXPECT_EQ(to_toml(0.1), "0.1");
  EXPECT_EQ(to_toml(5.0), "5.0");
  EXPECT_EQ(to_toml(-0.0), "-0.0");
  EXPECT_EQ(to_toml(1e22), "1e+22");
  EXPECT_EQ(to_toml(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(to_toml(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(to_toml(std::string("\x01\x7f\r")), "\"\\u0001\\u007f\\u000d\"");
}

}  // namespace
}  // namespace rankine::deck
