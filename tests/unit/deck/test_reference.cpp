// Terminal help, default deck and Markdown reference.
#include "deck/reference.hpp"
#include "sample_deck.hpp"

namespace rankine::deck {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Reference : public SampleDeck {
 protected:
  std::string help_error(const std::string& topic) {
    try {
      help_deck(schema, topic);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
};

TEST_F(Reference, HelpOnOneKeyword) {
  EXPECT_EQ(help_deck(schema, "circuit.steps"),
            "[circuit]\nThe gates of a step.\n\n"
            "  steps = 5\n      Number of steps.\n      integer; from 1 to 1000\n");
  EXPECT_THAT(help_deck(schema, "circuit.theta_j"), HasSubstr("      number; unit radians\n"));
  EXPECT_THAT(help_deck(schema, "lattice.name"), HasSubstr("  name  (required)\n"));
  EXPECT_THAT(help_deck(schema, "lattice.file"), HasSubstr("  file  (not set)\n"));
  EXPECT_THAT(help_deck(schema, "title"), HasSubstr("  title = \"\"\n"));
}

TEST_F(Reference, HelpOnASectionAndOnAll) {
  const std::string state = help_deck(schema, "state");
  EXPECT_THAT(state, HasSubstr("  bond_dimension = [16]\n"));
  EXPECT_THAT(state, HasSubstr("integer or list of integers; from 1 to 65536\n"));
  EXPECT_THAT(state, Not(HasSubstr("steps")));
  const std::string all = help_deck(schema);
  for (const Section& section : schema.sections()) {
    EXPECT_THAT(all, HasSubstr(help_deck(schema, section.name.empty() ? "title" : section.name)));
  }
}

TEST_F(Reference, HelpShowsDefaultsAfterReading) {
  read_sample("circuit.steps = 9");
  EXPECT_THAT(help_deck(schema, "circuit.steps"), HasSubstr("  steps = 5\n"));
}

TEST_F(Reference, HelpSuggestsTopics) {
  EXPECT_EQ(help_error("stat"),
            "no help on stat, command line (it is neither a section nor a section.key of this "
            "program). Did you mean state?");
  EXPECT_THAT(help_error("circuit.step"), HasSubstr("Did you mean circuit.steps?"));
  EXPECT_THAT(help_error("steps"), HasSubstr("Did you mean circuit.steps?"));
  EXPECT_THAT(help_error("zzzzzz"), HasSubstr("See --help-deck."));
}

TEST_F(Reference, DefaultDeckReadsAsDefaults) {
  const std::string text = default_deck(schema);
  EXPECT_THAT(text, HasSubstr("\n# The gates of a step.\n[circuit]\n"
                              "# Number of steps. (integer; from 1 to 1000)\nsteps = 5\n"));
  EXPECT_THAT(text, HasSubstr("# name =  # required\n"));
  EXPECT_THAT(text, HasSubstr("# file =  # not set\n"));
  read_text(schema, text, "defaults.toml", {"lattice.name=eagle"});
  EXPECT_EQ(options.steps, 5);
  EXPECT_EQ(options.discarded_weight_max, 1e-15);
  EXPECT_TRUE(schema.at("circuit.steps").is_given());
}

TEST_F(Reference, MarkdownHasEveryKeyword) {
  const std::string text = reference_markdown(schema, "rankine-sample");
  EXPECT_THAT(text, HasSubstr("# Input reference of `rankine-sample`\n"));
  for (const Section& section : schema.sections()) {
    if (!section.name.empty()) EXPECT_THAT(text, HasSubstr("\n## `[" + section.name + "]`\n"));
    for (const Keyword& keyword : section.keywords) {
      EXPECT_THAT(text, HasSubstr("\n| `" + keyword.name + "` | " + keyword.type_name() + " |"));
    }
  }
  EXPECT_THAT(text,
              HasSubstr("| `steps` | integer | 1 | `5` | from 1 to 1000 | Number of steps. |"));
  EXPECT_THAT(text, HasSubstr("| `theta_j` | number | radians | `-0.5` |  | Angle of a \\| b. |"));
  EXPECT_THAT(text, HasSubstr("| `rows` | integer | 1 | not set | at least 1 | Rows. |"));
}

}  // namespace
}  // namespace rankine::deck
