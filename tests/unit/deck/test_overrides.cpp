// section.key=value on the command line.
#include "sample_deck.hpp"

namespace rankine::deck {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Overrides : public SampleDeck {};

TEST_F(Overrides, ReplaceValuesOfEveryType) {
  read_sample("circuit.steps = 3",
              {"circuit.steps=4", "circuit.theta_h=[0.3, 0.4]", "circuit.theta_j=-1e-3",
               "circuit.final_layer=true", "state.bond_dimension=64", "title=\"quoted\"",
               "measure.observables=[\"Z1\", 'Z2']", "lattice.rows = 2"});
  EXPECT_EQ(options.steps, 4);
  EXPECT_THAT(options.theta_h, ElementsAre(0.3, 0.4));
  EXPECT_EQ(options.theta_j, -1e-3);
  EXPECT_TRUE(options.final_layer);
  EXPECT_THAT(options.bond_dimension, ElementsAre(64));
  EXPECT_EQ(options.title, "quoted");
  EXPECT_THAT(options.observables, ElementsAre("Z1", "Z2"));
  EXPECT_EQ(options.rows, 2);
  EXPECT_EQ(schema.at("circuit.steps").source.text(), "command line");
}

TEST_F(Overrides, StringsMayStandWithoutQuotes) {
  read_sample("", {"title=five = 5 # steps", "lattice.file=2024", "measure.observables=X13 X29"});
  EXPECT_EQ(options.title, "five = 5 # steps");
  EXPECT_EQ(options.file, "2024");
  EXPECT_THAT(options.observables, ElementsAre("X13 X29"));
  read_sample("", {"title="});
  EXPECT_EQ(options.title, "");
}

TEST_F(Overrides, TheLastOneWins) {
  read_sample("", {"circuit.steps=4", "circuit.steps=6"});
  EXPECT_EQ(options.steps, 6);
}

TEST_F(Overrides, SupplyWhatTheDeckLacks) {
  read_text(schema, "", "sample.toml", {"lattice.name=osprey"});
  EXPECT_EQ(options.name, "osprey");
}

TEST_F(Overrides, GoThroughTheSameChecks) {
  EXPECT_EQ(error_with_lattice("", {"circuit.steps=0"}),
            "circuit.steps = 0, command line (it must be from 1 to 1000). "
            "Choose a value in this range.");
  EXPECT_THAT(error_with_lattice("", {"circuit.steps=many"}),
              HasSubstr("command line (expected integer, found string \"many\")"));
  EXPECT_THAT(error_with_lattice("", {"circuit.steps="}), HasSubstr("found string \"\")"));
  EXPECT_THAT(error_with_lattice("", {"circuit.theta_j=nan"}), HasSubstr("(it must be finite)"));
  EXPECT_THAT(error_with_lattice("", {"lattice.name=eagel"}), HasSubstr("Did you mean \"eagle\"?"));
}

TEST_F(Overrides, RefuseUnknownNames) {
  EXPECT_EQ(error_with_lattice("", {"circuit.step=3"}),
            "unknown keyword circuit.step, command line (there is none in [circuit]). "
            "Did you mean circuit.steps?");
  EXPECT_THAT(error_with_lattice("", {"stat.bond_dimension=3"}),
              HasSubstr("unknown section [stat], command line"));
  EXPECT_THAT(error_with_lattice("", {"steps=3"}), HasSubstr("Did you mean circuit.steps?"));
}

TEST_F(Overrides, RefuseBrokenArguments) {
  EXPECT_THAT(error_with_lattice("", {"circuit.steps"}),
              HasSubstr("cannot use the argument \"circuit.steps\", command line"));
  EXPECT_THAT(error_with_lattice("", {"=3"}), HasSubstr("cannot use the argument \"=3\""));
  EXPECT_THAT(error_with_lattice("", {"circuit.=3"}), HasSubstr("cannot use the argument"));
  EXPECT_THAT(error_with_lattice("", {"measure.observables=[Z1, Z2]"}),
              HasSubstr("cannot parse the value of measure.observables, command line ("));
  EXPECT_THAT(error_with_lattice("", {"title=\xff\xfe"}),
              HasSubstr("cannot parse the value of title, command line ("));
  EXPECT_THAT(error_with_lattice("", {"circuit.steps=1\nother=2"}),
              HasSubstr("found string \"1\\nother=2\")"));
}

}  // namespace
}  // namespace rankine::deck
