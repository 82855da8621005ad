// The command line through CLI11; its errors in the project's grammar.
#include "deck/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "core/errors.hpp"
#include "deck/findings.hpp"
#include "deck/suggestion.hpp"

namespace rankine::deck {
namespace {

[[noreturn]] void refuse(const Problem& problem) {
  throw InputError(problem.message("command line"));
}

struct ActionOption {
  Action action;
  CLI::Option* option;
};

struct Options {
  std::vector<ActionOption> actions;
  CLI::Option* ranks = nullptr;
  CLI::Option* machine = nullptr;
};

class Page : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App*, std::string name) const override {
    return fmt::format("\nUsage: {} DECK [section.key=value ...] [OPTIONS]\n", name);
  }
};

Options declare_options(CLI::App& app, CommandLine& line, const std::vector<Task>& tasks) {
  app.set_help_flag();
  app.allow_extras();  // to suggest the option that was meant
  app.formatter(std::make_shared<Page>());
  app.add_option("DECK", line.deck, "Input deck (TOML)")->type_name("");
  app.add_option("section.key=value", line.overrides, "Values that replace those of the deck")
      ->type_name("");
  Options options;
  const auto action = [&](Action name, CLI::Option* option, const char* text) {
    options.actions.push_back({name, option->description(text)});
  };
  action(Action::help, app.add_flag("-h,--help"), "Show this help");
  action(Action::version, app.add_flag("--version"), "Show the version");
  action(Action::help_deck,
         app.add_option("--help-deck", line.topic)->type_name("[TOPIC]")->expected(0, 1),
         "Explain the deck, a section or a section.key");
  action(Action::print_defaults, app.add_flag("--print-defaults"), "Show a deck of all defaults");
  action(Action::reference, app.add_flag("--reference"),
         "Show this program's input reference as Markdown");
  action(Action::check, app.add_flag("--check"), "Check deck, files and memory per rank, and stop");
  action(Action::dry_run, app.add_flag("--dry-run"), "Set everything up, show the plan, and stop");
  for (const Task& task : tasks)
    action(Action::task,
           app.add_option(task.option, line.arguments)
               ->type_name(task.arguments)
               ->type_size(task.n_arguments)
               ->expected(1),
           task.description.c_str());
  options.ranks = app.add_option("--ranks", line.ranks, "Ranks that --check or --dry-run assumes")
                      ->type_name("N");
  options.machine = app.add_option("--machine", line.machine,
                                   "Machine file on which --check or --dry-run predicts the time")
                        ->type_name("FILE");
  return options;
}

void refuse_unknown_options(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string given = extras.front().substr(0, extras.front().find('='));
  const auto close = nearest(given, known);
  refuse({.what = fmt::format("unknown option {}", given),
          .why = "this program has none of that name",
          .advice = close ? fmt::format("Did you mean {}?", *close) : "See --help."});
}

Action chosen_action(const Options& options) {
  std::vector<ActionOption> given;
  for (const ActionOption& candidate : options.actions) {
    if (candidate.option->count() == 0) continue;
    // Who asks for help gets it, whatever else stands on the line.
    if (candidate.action == Action::help) return Action::help;
    given.push_back(candidate);
  }
  if (given.size() > 1) {
    refuse({.what = fmt::format("{} together with {}", given[1].option->get_name(),
                                given[0].option->get_name()),
            .why = "a program does one of them at a time",
            .advice = "Choose one; see --help."});
  }
  return given.empty() ? Action::run : given.front().action;
}

void refuse_without_check(const CommandLine& line, const CLI::Option* option, const char* why) {
  if (option->count() == 0 || line.action == Action::check || line.action == Action::dry_run)
    return;
  refuse({.what = fmt::format("{} without --check or --dry-run", option->get_name()),
          .why = why,
          .advice = "Remove it, or add --check; see --help."});
}

void check_ranks(const CommandLine& line, const Options& options) {
  refuse_without_check(line, options.ranks, "a run gets its ranks from mpirun or srun");
  refuse_without_check(line, options.machine, "a run takes the time it takes");
  if (line.ranks < 1) {
    refuse({.what = fmt::format("--ranks {}", line.ranks),
            .why = "a job has at least one rank",
            .advice = "Give a positive number; see --help."});
  }
}

void check_deck(const CommandLine& line) {
  if (line.action == Action::task && !line.deck.empty())
    refuse({.what = fmt::format("'{}' beside {}", line.deck, line.task),
            .why = "this takes no deck",
            .advice = "Remove it; see --help."});
  const bool needs_deck =
      line.action == Action::run || line.action == Action::check || line.action == Action::dry_run;
  if (!needs_deck || !line.deck.empty()) return;
  refuse({.what = "no deck",
          .why = "the first argument names the input deck",
          .advice = "Give one; see --help, or --print-defaults for a deck to start from."});
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv, const std::string& description,
                               const std::vector<Task>& tasks) {
  CommandLine line;
  CLI::App app(description, argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "");
  const Options options = declare_options(app, line, tasks);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    refuse({.what = "cannot parse the arguments", .why = error.what(), .advice = "See --help."});
  }
  line.action = chosen_action(options);
  for (const Task& task : tasks)
    if (app.get_option(task.option)->count() > 0) line.task = task.option;
  if (line.action == Action::help) {
    line.help = app.help();
    return line;
  }
  refuse_unknown_options(app);
  check_ranks(line, options);
  check_deck(line);
  return line;
}

}  // namespace rankine::deck
