// What every program does around its work: the command line, the texts that need no MPI, the
// session and the exit code.
#pragma once

#include <functional>
#include <vector>

#include "deck/command_line.hpp"
#include "deck/schema.hpp"
#include "parallel/communicator.hpp"

namespace rankine {

struct Command {
  const char* name;
  const char* purpose;                 ///< one sentence for --help
  std::vector<deck::Task> tasks = {};  ///< given to `run` as well
  std::function<void(deck::Schema&)> declare_keywords;
  std::function<void(const deck::CommandLine&)> check;  ///< --check and --dry-run; without MPI
  std::function<void(const parallel::Communicator& world, const deck::CommandLine&)> run;
};

/// Returns the exit code for main; errors are logged.
int run_command(const Command& command, int argc, char** argv);

}  // namespace rankine
