// The frame that every program from a deck to a result file shares: the command line, the session,
// reading by one rank, forecast, restart, stop, result file, exit code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "files/hdf5/result_file.hpp"
#include "parallel/communicator.hpp"
#include "run/machine.hpp"
#include "run/pace.hpp"
#include "run/run_control.hpp"

namespace rankine {

/// What a job needs and does, found before any computing.
struct Plan {
  std::string summary;                  ///< "127 sites, 144 edges"
  std::vector<std::string> lines = {};  ///< more, for people
  std::string warning = {};             ///< empty for none
};

/// What a deck asks of a program, read and checked. `plan` and `write` do not communicate.
class PreparedJob {
 public:
  virtual ~PreparedJob() = default;

  virtual Plan plan(const run::Machine& machine) = 0;
  /// What the planned job would take, stage by stage, from its start on, with what was finished
  /// before left out of account.
  virtual std::vector<run::StageCost> cost(const run::Pace& pace) const = 0;
  /// Throws what keeps the planned job from running: ResourceError, InputError.
  virtual void require() const = 0;
  /// Throws what keeps the job from running though it could be checked: InputError.
  virtual void require_inputs() const {}
  /// What is found where the job will write, in words; `values` are those of the deck that count.
  /// On rank 0.
  virtual std::vector<std::string> found(const deck::DeckValues&) const { return {}; }
  /// Has libraries use the threads of a rank, and says how many that is.
  virtual int use_threads(const run::Machine& machine) const = 0;

  /// How many parts of the job an unfinished result file holds, and takes them; on rank 0. Keywords
  /// that may differ say which parts there are.
  virtual std::int64_t finished_in(const std::filesystem::path&) const { return 0; }
  virtual void take(const std::filesystem::path&) {}
  virtual std::vector<std::string> may_differ() const { return {}; }

  /// Collective over `world`. Throws the same on all ranks; Stopped when it was asked to stop.
  virtual void run(const parallel::Communicator& world, const run::RunControl& control) = 0;

  /// What is finished ("3 of 8 points"); empty for nothing. On rank 0, as the rest.
  virtual std::string finished() const = 0;
  virtual void write_inputs(files::ResultFile&) const {}
  virtual void write(files::ResultFile& file) const = 0;
  virtual std::string table() const = 0;
};

/// What is particular to one program.
class Program {
 public:
  virtual ~Program() = default;

  virtual const char* name() const = 0;     ///< of the program and of its kind of result file
  virtual const char* purpose() const = 0;  ///< one sentence for --help
  virtual std::int64_t format_version() const = 0;
  virtual void declare_keywords(deck::Schema& schema) = 0;
  virtual const run::RunOptions& run_options() const = 0;
  virtual const std::string& output_file() const = 0;
  virtual std::map<std::string, std::string> library_versions() const { return {}; }

  /// From the deck, whose values are bound, to the job: reads input files, does not communicate.
  /// The job does not outlive the program. Throws InputError.
  virtual std::unique_ptr<PreparedJob> read(const deck::Schema& schema) = 0;

  /// Work without a deck.
  virtual std::vector<deck::Task> tasks() const { return {}; }
  virtual void run_task(const parallel::Communicator&, const deck::CommandLine&) {}
};

/// Returns the exit code for main; errors are logged.
int run_program(Program& program, int argc, char** argv);

}  // namespace rankine
