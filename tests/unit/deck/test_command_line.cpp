// The command line: every action, and the errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "deck/command_line.hpp"

namespace rankine::deck {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Task> tasks = {{.option = "--convert",
                                  .n_arguments = 2,
                                  .arguments = "FROM TO",
                                  .description = "Converts something."}};

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "build/bin/rankine-sample");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(),
                            "Samples something.", tasks);
}

std::string error_of(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CommandLine, RunsADeckWithOverrides) {
  const CommandLine line =
      parse({"deck.toml", "circuit.theta_h=[0.1, 0.2]", "title=a b", "circuit.theta_j=-1"});
  EXPECT_EQ(line.action, Action::run);
  EXPECT_EQ(line.deck, "deck.toml");
  EXPECT_THAT(line.overrides,
              ElementsAre("circuit.theta_h=[0.1, 0.2]", "title=a b", "circuit.theta_j=-1"));
  EXPECT_EQ(line.ranks, 1);
  EXPECT_THAT(parse({"deck.toml"}).overrides, IsEmpty());
}

TEST(CommandLine, KnowsEveryAction) {
  EXPECT_EQ(parse({"--version"}).action, Action::version);
  EXPECT_EQ(parse({"--print-defaults"}).action, Action::print_defaults);
  EXPECT_EQ(parse({"--reference"}).action, Action::reference);
  EXPECT_EQ(parse({"--check", "deck.toml"}).action, Action::check);
  EXPECT_EQ(parse({"deck.toml", "--dry-run"}).action, Action::dry_run);
  EXPECT_EQ(parse({"--help-deck"}).action, Action::help_deck);
  EXPECT_EQ(parse({"--help-deck"}).topic, "");
  EXPECT_EQ(parse({"--help-deck", "state.precision"}).topic, "state.precision");
  EXPECT_EQ(parse({"--help-deck=state"}).topic, "state");
}

TEST(CommandLine, HelpShowsUsageAndWinsOverErrors) {
  const CommandLine line = parse({"--help"});
  EXPECT_EQ(line.action, Action::help);
  EXPECT_THAT(line.help, HasSubstr("Samples something."));
  EXPECT_THAT(line.help,
              HasSubstr("\nUsage: rankine-sample DECK [section.key=value ...] [OPTIONS]\n"));
  for (const char* option : {"--help-deck", "--version", "--print-defaults", "--reference",
                             "--check", "--dry-run", "--ranks N"}) {
    EXPECT_THAT(line.help, HasSubstr(option));
  }
  EXPECT_EQ(parse({"--nonsense", "--check", "-h", "--version"}).action, Action::help);
}

TEST(CommandLine, TasksHaveArgumentsAndNoDeck) {
  const CommandLine line = parse({"--convert", "a", "b"});
  EXPECT_EQ(line.action, Action::task);
  EXPECT_EQ(line.task, "--convert");
  EXPECT_THAT(line.arguments, ElementsAre("a", "b"));
  EXPECT_EQ(line.deck, "");
  EXPECT_THAT(parse({"--help"}).help, HasSubstr("--convert FROM TO "));
  EXPECT_EQ(error_of({"deck.toml", "--convert", "a", "b"}),
            "'deck.toml' beside --convert, command line (this takes no deck). Remove it; see "
            "--help.");
  EXPECT_THAT(error_of({"--convert", "a", "b", "c"}), HasSubstr("cannot parse the arguments"));
  EXPECT_THAT(error_of({"--convert", "a"}), HasSubstr("cannot parse the arguments"));
  EXPECT_THAT(error_of({"--convert", "a", "b", "--version"}),
              HasSubstr("--convert together with --version"));
  EXPECT_THAT(error_of({"--convert", "a", "b", "--ranks", "2"}),
              HasSubstr("--ranks without --check"));
}

TEST(CommandLine, RanksBelongToCheckAndDryRun) {
  EXPECT_EQ(parse({"deck.toml", "--check", "--ranks", "64"}).ranks, 64);
  EXPECT_EQ(parse({"--dry-run", "--ranks=8", "deck.toml", "circuit.steps=3"}).ranks, 8);
  EXPECT_EQ(error_of({"deck.toml", "--ranks", "4"}),
            "--ranks without --check or --dry-run, command line (a run gets its ranks from mpirun "
            "or srun). Remove it, or add --check; see --help.");
  EXPECT_THAT(error_of({"--reference", "--ranks", "4"}), HasSubstr("--ranks without --check"));
  EXPECT_THAT(error_of({"deck.toml", "--check", "--ranks", "0"}), HasSubstr("at least one rank"));
  EXPECT_THAT(error_of({"deck.toml", "--check", "--ranks", "-2"}), HasSubstr("at least one rank"));
  EXPECT_THAT(error_of({"deck.toml", "--check", "--ranks", "many"}),
              HasSubstr("cannot parse the arguments, command line ("));
  EXPECT_THAT(error_of({"deck.toml", "--check", "--ranks", "4000000000"}),
              HasSubstr("cannot parse the arguments, command line ("));
  EXPECT_THAT(error_of({"deck.toml", "--check", "--ranks"}), HasSubstr("See --help."));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(error_of({"deck.toml", "--chekc"}),
            "unknown option --chekc, command line (this program has none of that name). "
            "Did you mean --check?");
  EXPECT_THAT(error_of({"deck.toml", "--rank=4"}), HasSubstr("Did you mean --ranks?"));
  EXPECT_THAT(error_of({"deck.toml", "-q"}), HasSubstr("unknown option -q, command line"));
  EXPECT_THAT(error_of({"--zzzzzz"}), HasSubstr("See --help."));
}

TEST(CommandLine, RefusesSeveralActions) {
  EXPECT_THAT(error_of({"deck.toml", "--check", "--dry-run"}),
              HasSubstr("--dry-run together with --check, command line"));
}

TEST(CommandLine, NeedsADeckToRun) {
  EXPECT_THAT(error_of({}), HasSubstr("no deck, command line"));
  EXPECT_THAT(error_of({"--check"}), HasSubstr("no deck, command line"));
}

}  // namespace
}  // namespace rankine::deck
