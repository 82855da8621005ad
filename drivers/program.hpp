// What every program does around its own work: the command line, the texts that need no MPI, the
// session and the exit code.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deck/command_line.hpp"
#include "deck/schema.hpp"
#include "files/hdf5/result_file.hpp"
#include "parallel/communicator.hpp"

namespace rankine {

struct Program {
  const char* name;
  const char* purpose;                 ///< one sentence for --help
  std::vector<deck::Task> tasks = {};  ///< given to `run` as well
  std::function<void(deck::Schema&)> declare_keywords;
  std::function<void(const deck::CommandLine&)> check;  ///< --check and --dry-run; without MPI
  std::function<void(const parallel::Communicator& world, const deck::CommandLine&)> run;
};

/// The text of a deck on every rank; only one reads the file. Collective; InputError on all ranks.
std::string load_deck(const parallel::Communicator& world, const std::string& path);

/// What a result file says of the run that writes it; its filetype is the name of the program.
files::RunDescription describe_run(const char* program, std::int64_t format_version,
                                   const deck::Schema& schema, int n_ranks, int threads);

/// Returns the exit code for main; errors are logged.
int run_program(const Program& program, int argc, char** argv);

}  // namespace rankine
