#include "run/run_options.hpp"

#include <algorithm>
#include <utility>

namespace rankine::run {

void declare_run(deck::Schema& schema, RunOptions& options) {
  auto section = schema.section(
      "run",
      "How a long run stops (also by a signal, or the file <output.file>.stop) and goes on.");
  section.keyword("directory", options.directory)
      .describe(
          "A folder for what a stopped run needs to go on, written now and then; empty for none. "
          "The same command goes on from it, on any number of ranks.");
  section.keyword("checkpoint_interval", options.checkpoint_interval)
      .range(0, 1e8)
      .unit("s")
      .describe(
          "Least time between two states that are written to run.directory; it grows where writing "
          "one takes more than 2 % of it. 0 writes one whenever it can.");
  section.keyword("wall_time_limit", options.wall_time_limit)
      .range(0, 1e8)
      .unit("s")
      .describe(
          "Stop before the run has taken this long, with what is needed to go on; 0 takes the end "
          "of the Slurm job, where there is one.");
  section.keyword("keep", options.keep)
      .range(1, 1000)
      .unit("states")
      .describe(
          "How many of the last states of a computation stay in run.directory; should the newest "
          "be damaged, the run goes on from the one before.");
}

void declare_parallel(deck::Schema& schema, ParallelOptions& options, std::string teams) {
  auto section = schema.section("parallel", "How the ranks share the work.");
  section.keyword("teams", options.teams)
      .range(static_cast<double>(std::min<std::int64_t>(options.teams, 1)), 1000000)
      .describe(std::move(teams));
  section.keyword("memory_per_rank", options.memory_per_rank)
      .at_least(0)
      .unit("GiB")
      .describe("Memory a rank may use; 0 takes an equal share of what the node has left.");
}

void declare_output(deck::Schema& schema, std::string& file) {
  schema.section("output", "Where the results go.")
      .keyword("file", file)
      .required()
      .describe("HDF5 result file; it appears under this name when it is complete.");
}

}  // namespace rankine::run
