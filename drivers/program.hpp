// What every program does around its own work: the command line, the texts that need no MPI, the
// session and the exit code.
#pragma once

#include <functional>

#include "deck/command_line.hpp"
#include "deck/schema.hpp"
#include "parallel/communicator.hpp"

namespace rankine {

struct Program {
  const char* name;
  const char* purpose;  ///< one sentence for --help
  std::function<void(deck::Schema&)> declare_keywords;
  std::function<void(const deck::CommandLine&)> check;  ///< --check and --dry-run; without MPI
  std::function<void(const parallel::Communicator& world, const deck::CommandLine&)> run;
};

/// Returns the exit code for main; errors are logged.
int run_program(const Program& program, int argc, char** argv);

}  // namespace rankine
