// Decks: types, defaults, rules, and the errors with their lines.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sample_deck.hpp"

namespace rankine::deck {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Read : public SampleDeck {};

TEST_F(Read, EveryTypeReachesItsMember) {
  read_text(schema, R"(
title = "a \"title\""
[lattice]
name = "heavy-hex"
rows = 3
file = "edges.txt"
[circuit]
steps = 7
theta_h = [0.1, 0.2]
theta_j = -1.5707963267948966
final_layer = true
[state]
bond_dimension = [8, 16]
discarded_weight_max = 1e-12
[measure]
observables = ["Z62", "X13 X29"]
)",
            "sample.toml");
  EXPECT_EQ(options.title, "a \"title\"");
  EXPECT_EQ(options.name, "heavy-hex");
  EXPECT_EQ(options.rows, 3);
  EXPECT_EQ(options.file, "edges.txt");
  EXPECT_EQ(options.steps, 7);
  EXPECT_THAT(options.theta_h, ElementsAre(0.1, 0.2));
  EXPECT_EQ(options.theta_j, -1.5707963267948966);
  EXPECT_TRUE(options.final_layer);
  EXPECT_THAT(options.bond_dimension, ElementsAre(8, 16));
  EXPECT_EQ(options.discarded_weight_max, 1e-12);
  EXPECT_THAT(options.observables, ElementsAre("Z62", "X13 X29"));
}

TEST_F(Read, LeavesDefaultsWhereTheDeckIsSilent) {
  read_sample("");
  EXPECT_EQ(options.steps, 5);
  EXPECT_THAT(options.theta_h, ElementsAre(0.1));
  EXPECT_THAT(options.observables, ElementsAre("magnetization"));
  EXPECT_FALSE(schema.at("circuit.steps").is_given());
  EXPECT_FALSE(schema.at("lattice.file").has_value());
}

TEST_F(Read, ForgetsThePreviousDeck) {
  read_sample("circuit.steps = 9");
  read_sample("");
  EXPECT_EQ(options.steps, 5);
  EXPECT_FALSE(schema.at("circuit.steps").is_given());
}

TEST_F(Read, ListKeywordTakesASingleValue) {
  read_sample("state.bond_dimension = 32\ncircuit.theta_h = 1\nmeasure.observables = \"Z0\"");
  EXPECT_THAT(options.bond_dimension, ElementsAre(32));
  EXPECT_THAT(options.theta_h, ElementsAre(1.0));
  EXPECT_THAT(options.observables, ElementsAre("Z0"));
}

TEST_F(Read, NumberTakesAnIntegerButNotTheReverse) {
  read_sample("circuit.theta_j = 2\ncircuit.theta_h = [1, 0.5]");
  EXPECT_EQ(options.theta_j, 2.0);
  EXPECT_THAT(options.theta_h, ElementsAre(1.0, 0.5));
  EXPECT_EQ(error_with_lattice("circuit.steps = 5.0"),
            "circuit.steps has the wrong type, sample.toml:1 (expected integer, found number 5.0). "
            "See --help-deck circuit.steps.");
}

TEST_F(Read, RefusesOtherTypes) {
  EXPECT_THAT(error_with_lattice("circuit.steps = \"five\""),
              HasSubstr("(expected integer, found string \"five\")"));
  EXPECT_THAT(error_with_lattice("circuit.final_layer = 1"),
              HasSubstr("(expected true or false, found integer 1)"));
  EXPECT_THAT(error_with_lattice("title = true"),
              HasSubstr("(expected string, found boolean true)"));
  EXPECT_THAT(error_with_lattice("circuit.theta_j = [0.1]"),
              HasSubstr("(expected number, found list)"));
  EXPECT_THAT(error_with_lattice("title = 1979-05-27"), HasSubstr("found date or time)"));
  EXPECT_THAT(error_with_lattice("[circuit.theta_h]\na = 1"),
              HasSubstr("(expected number or list of numbers, found table)"));
  EXPECT_THAT(error_with_lattice("measure.observables = [[\"Z1\"]]"),
              HasSubstr("(expected string, found list)"));
}

TEST_F(Read, NamesTheElementAndItsOwnLine) {
  EXPECT_EQ(error_with_lattice("[circuit]\ntheta_h = [\n  0.1,\n  \"0.2\",\n]"),
            "element 2 of circuit.theta_h has the wrong type, sample.toml:4 (expected number, "
            "found string \"0.2\"). See --help-deck circuit.theta_h.");
}

TEST_F(Read, ChecksRanges) {
  EXPECT_EQ(error_with_lattice("[circuit]\nsteps = 0"),
            "circuit.steps = 0, sample.toml:2 (it must be from 1 to 1000). "
            "Choose a value in this range.");
  EXPECT_EQ(error_with_lattice("circuit.steps = 1000"), "no error");
  EXPECT_THAT(error_with_lattice("state.discarded_weight_max = 0"),
              HasSubstr("(it must be above 0 and below 1)"));
  EXPECT_THAT(error_with_lattice("state.discarded_weight_max = 1"),
              HasSubstr("(it must be above 0 and below 1)"));
  EXPECT_THAT(
      error_with_lattice("measure.weights = [0.5, 1.5]"),
      HasSubstr("element 2 of measure.weights = 1.5, sample.toml:1 (it must be at most 1)"));
}

TEST_F(Read, RefusesWhatIsNotFinite) {
  EXPECT_THAT(error_with_lattice("circuit.theta_j = nan"), HasSubstr("(it must be finite)"));
  EXPECT_THAT(error_with_lattice("circuit.theta_h = [0.1, -inf]"),
              HasSubstr("element 2 of circuit.theta_h = -inf, sample.toml:1 (it must be finite)"));
}

TEST_F(Read, RefusesIntegersThatOverflow) {
  EXPECT_THAT(error_of("[lattice]\nname = \"eagle\"\nrows = 3000000000"),
              HasSubstr("lattice.rows = 3000000000, sample.toml:3 (it does not fit 32 bits)"));
  EXPECT_THAT(error_with_lattice("circuit.steps = 9223372036854775808"),
              HasSubstr("cannot parse the deck, sample.toml:1 ("));
}

TEST_F(Read, ChecksChoices) {
  EXPECT_EQ(error_of("lattice.name = \"eagel\""),
            "lattice.name = \"eagel\", sample.toml:1 (it must be one of \"eagle\", \"osprey\", "
            "\"heavy-hex\"). Did you mean \"eagle\"?");
  EXPECT_THAT(error_of("lattice.name = \"kagome\""), HasSubstr("). Choose one of them."));
}

TEST_F(Read, RefusesTextsThatAZeroByteWouldEnd) {
  EXPECT_THAT(error_of("lattice.file = \"a\\u0000b\""),
              HasSubstr("lattice.file = \"a\\u0000b\", sample.toml:1 (a text holds no zero byte)"));
}

TEST_F(Read, RefusesEmptyListsUnlessAllowed) {
  EXPECT_EQ(error_with_lattice("measure.observables = []"),
            "measure.observables = [], sample.toml:1 (an empty list). Give at least one value.");
  read_sample("measure.weights = []");
  EXPECT_THAT(options.weights, IsEmpty());
}

TEST_F(Read, ReportsWhatIsMissing) {
  EXPECT_EQ(error_of(""),
            "lattice.name is missing, sample.toml (it has no default). "
            "Set it; see --help-deck lattice.name.");
}

TEST_F(Read, AnswersKeywordsOfEarlierVersionsWithTheirNewNames) {
  schema.renamed("truncation.rank", "state.bond_dimension");
  schema.renamed("circuit.length", "circuit.steps");
  EXPECT_EQ(error_with_lattice("[truncation]\nrank = 3"),
            "truncation.rank is no keyword any more, sample.toml:2 (it has another name). "
            "Write state.bond_dimension.");
  EXPECT_EQ(error_with_lattice("[circuit]\nlength = 3"),
            "circuit.length is no keyword any more, sample.toml:2 (it has another name). "
            "Write circuit.steps.");
  EXPECT_THAT(error_with_lattice("[truncation]\nrank = 3\nother = 1"),
              HasSubstr("unknown section [truncation]"));
  EXPECT_THAT(error_with_lattice("[truncation]"), HasSubstr("unknown section [truncation]"));
}

TEST_F(Read, SuggestsForUnknownNames) {
  EXPECT_EQ(error_with_lattice("[state]\n\nbond_dimensoin = 3"),
            "unknown keyword state.bond_dimensoin, sample.toml:3 (there is none in [state]). "
            "Did you mean state.bond_dimension?");
  EXPECT_EQ(error_with_lattice("[stat]\nbond_dimension = 3"),
            "unknown section [stat], sample.toml:1 (this program does not read it). "
            "Did you mean [state]?");
  EXPECT_THAT(error_with_lattice("[state]\nsteps = 3"), HasSubstr("Did you mean circuit.steps?"));
  EXPECT_THAT(error_with_lattice("[state]\ntitle = \"a\""),
              HasSubstr("Did you mean title (above all sections)?"));
  EXPECT_THAT(error_with_lattice("steps = 3"),
              HasSubstr("(there is none at the top level). Did you mean circuit.steps?"));
  EXPECT_THAT(error_with_lattice("[state]\nzzzzzz = 3"), HasSubstr("See --help-deck state."));
  EXPECT_THAT(error_with_lattice("[zzzzzz]"), HasSubstr("See --help-deck."));
}

TEST_F(Read, RefusesASectionGivenAsAValue) {
  EXPECT_EQ(error_with_lattice("state = 3"),
            "state is given a value, sample.toml:1 (it is a section). "
            "Write [state] and its keywords below.");
  EXPECT_THAT(error_with_lattice("[[state]]\nbond_dimension = 3"),
              HasSubstr("state is given a value, sample.toml:1 (it is a section)"));
}

TEST_F(Read, ReportsAllProblemsInTheOrderOfTheDeck) {
  EXPECT_EQ(error_of("[state]\nbond_dimension = [0, 4]\n[circuit]\nsteps = \"x\"\ntheta = 1\n[out]",
                     {"measure.observables=[]"}),
            "6 problems in the input:\n"
            "  element 1 of state.bond_dimension = 0, sample.toml:2 (it must be from 1 to 65536). "
            "Choose a value in this range.\n"
            "  circuit.steps has the wrong type, sample.toml:4 (expected integer, found string "
            "\"x\"). See --help-deck circuit.steps.\n"
            "  unknown keyword circuit.theta, sample.toml:5 (there is none in [circuit]). "
            "Did you mean circuit.theta_h?\n"
            "  unknown section [out], sample.toml:6 (this program does not read it). "
            "See --help-deck.\n"
            "  measure.observables = [], command line (an empty list). Give at least one value.\n"
            "  lattice.name is missing, sample.toml (it has no default). "
            "Set it; see --help-deck lattice.name.");
}

TEST_F(Read, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(error_of("[circuit]\nsteps = 5\ntheta_h = [0.1,, 0.2]\n"),
              HasSubstr("cannot parse the deck, sample.toml:3 ("));
  EXPECT_THAT(error_of("[circuit]\nsteps = 5\nsteps = 6\n"),
              HasSubstr("cannot parse the deck, sample.toml:3 ("));
}

TEST_F(Read, RunsChecksOnlyOnCorrectKeywords) {
  int runs = 0;
  schema.check([&](Findings& findings) {
    ++runs;
    if (options.steps > 8 && !findings.is_given("lattice.file")) {
      findings.add("circuit.steps", {"too many steps", "no file is given", "Set lattice.file."});
    }
    findings.add("lattice.file", {"lattice.file is not set", "the test says so", "Set it."});
  });
  EXPECT_THAT(error_of("circuit.steps = 9"), HasSubstr("lattice.name is missing"));
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(error_with_lattice("title = \"\"\ncircuit.steps = 9"),
            "2 problems in the input:\n"
            "  too many steps, sample.toml:2 (no file is given). Set lattice.file.\n"
            "  lattice.file is not set, sample.toml (the test says so). Set it.");
  EXPECT_EQ(runs, 1);
}

TEST_F(Read, LaterFindingsNameTheSameLines) {
  read_sample("title = \"\"\nmeasure.observables = \"Z400\"", {"circuit.steps=3"});
  Findings findings(schema);
  EXPECT_NO_THROW(findings.throw_if_any());
  findings.add("measure.observables", {"Z400 names no site", "there are 127", "Choose a site."});
  try {
    findings.throw_if_any();
    FAIL() << "nothing thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "Z400 names no site, sample.toml:2 (there are 127). Choose a site.");
  }
}

class ReadFile : public SampleDeck {
 protected:
  ~ReadFile() override { std::remove(path_.c_str()); }

  std::string path_ = ::testing::TempDir() + "rankine_deck_test.toml";
};

TEST_F(ReadFile, ReadsADeckFromDisk) {
  std::ofstream(path_) << "title = \"from disk\"\r\n[lattice]\r\nname = \"osprey\"\r\n";
  read(schema, path_, {"circuit.steps=2"});
  EXPECT_EQ(options.title, "from disk");
  EXPECT_EQ(options.name, "osprey");
  EXPECT_EQ(options.steps, 2);
  EXPECT_EQ(schema.at("lattice.name").source.where(), path_ + ":3");
  EXPECT_EQ(schema.at("lattice.name").source.text(), "rankine_deck_test.toml:3");
}

TEST_F(Read, LeavesSweepsToTheirCommand) {
  const std::string refusal =
      " (it is many runs, and this program does one). Start it with jobscripts/rankine-sweep run "
      "DECK FOLDER.";
  EXPECT_EQ(error_of("[sweep.product]\n\"lattice.name\" = [\"eagle\", \"osprey\"]\n[unknown]"),
            "a deck with [sweep], sample.toml:1" + refusal);
  EXPECT_EQ(error_of("\n[[sweep.zip]]\ncircuit.steps = [1, 2]"),
            "a deck with [sweep], sample.toml:2" + refusal);
  EXPECT_THAT(error_with_lattice("sweep = 3"), HasSubstr("unknown keyword sweep, sample.toml:1"));
}

TEST_F(Read, RefusesKeysThatExhaustTheParser) {
  std::string points;
  for (int k = 0; k < 50000; ++k) points += ".b";
  const std::string message = "a key has too many points, sample.toml:2 (decks have sections and";
  EXPECT_THAT(error_of("\na" + points + " = 1"), HasSubstr(message));
  EXPECT_THAT(error_of("\n[a" + points + "]"), HasSubstr(message));
  EXPECT_THAT(error_of("# 3...................... points\na = {b" + points + " = 1}"),
              HasSubstr(message));
  EXPECT_THAT(error_of("title = \"\"\"\n\"\"\"\na" + points + " = 1"),
              HasSubstr("a key has too many points, sample.toml:3"));
  // Strings may hold as many as they like.
  for (const std::string quote : {"\"", "'", "\"\"\"", "'''"})
    EXPECT_THAT(error_of("title = " + quote + points + quote + "\nb.c = 1.5"),
                HasSubstr("unknown section [b], sample.toml:2"));
}

TEST_F(Read, NamesTheFirstOfVeryManyProblems) {
  std::string text;
  for (int k = 0; k < 50000; ++k) text += fmt::format("a.k{0} = 1\nb{0} = 2\n", k);
  const std::string error = error_of(text);
  EXPECT_LT(error.size(), 20000U);
  EXPECT_THAT(error, HasSubstr("\n  and 49952 more"));
}

TEST_F(ReadFile, RefusesAMissingFileAndAFolder) {
  const auto error_of_path = [this](const std::string& path) -> std::string {
    try {
      read(schema, path);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of_path("missing.toml"),
            "cannot read the deck, missing.toml (there is no such file; relative paths begin where "
            "the program was started, in '" +
                std::filesystem::current_path().string() +
                "'). Give the path of a deck as first argument.");
  EXPECT_THAT(error_of_path("/missing.toml"), HasSubstr("(there is no such file). "));
  // This file opens, but its first byte cannot be read.
  EXPECT_THAT(error_of_path("/proc/self/mem"), HasSubstr("(Input/output error)"));
  EXPECT_THAT(error_of_path(::testing::TempDir()), HasSubstr("(it is a folder)"));
}

}  // namespace
}  // namespace rankine::deck
