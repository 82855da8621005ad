// What a program was asked to do: PROGRAM DECK [section.key=value ...] and the options every
// program has.
#pragma once

#include <string>
#include <vector>

namespace rankine::deck {

enum class Action {
  run,
  help,
  version,
  help_deck,
  print_defaults,
  reference,
  check,
  dry_run,
  task,
};

/// Work that a program does without a deck: "--materialize FOLDER OUTPUT".
struct Task {
  std::string option;
  int n_arguments = 1;
  std::string arguments;    ///< as the help shows them
  std::string description;  ///< for the help
};

struct CommandLine {
  Action action = Action::run;
  std::string deck;                    ///< for run, check and dry_run
  std::vector<std::string> overrides;  ///< "section.key=value", unchecked
  int ranks = 1;                       ///< for check and dry_run: the ranks the job will have
  std::string machine;                 ///< for check and dry_run: the file of the machine; or empty
  std::string topic;                   ///< for help_deck: "", "section" or "section.key"
  std::string help;                    ///< for help: the text to print
  std::string task;                    ///< for task: its option
  std::vector<std::string> arguments;  ///< for task
};

/// Prints nothing and ends nothing. `description` is the program's sentence in its help, `tasks`
/// what only this program has.
/// @throws InputError for unknown options, several actions at once, a missing deck, or --ranks
/// or --machine without use
CommandLine parse_command_line(int argc, const char* const* argv, const std::string& description,
                               const std::vector<Task>& tasks = {});

}  // namespace rankine::deck
