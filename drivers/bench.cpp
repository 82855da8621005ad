// rankine-bench: measures the kernels and whole runs of Rankine beside the machine's own
// matrix-product rate.
//
// rankine-bench gpeps [bench.key=value ...]
// rankine-bench linalg [bench.key=value ...]
#include <fmt/format.h>

#include <algorithm>

#include "bench_gpeps.hpp"
#include "bench_linalg.hpp"
#include "command.hpp"
#include "core/errors.hpp"
#include "deck/read.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"

using namespace rankine;

namespace {

/// The suite stands where other programs have their deck; its options come from the command line.
template <class Options>
Options read_options(const deck::CommandLine& command) {
  Options options;
  deck::Schema schema;
  bench::declare_keywords(schema, options);
  deck::read_text(schema, "", command.deck, command.overrides);
  return options;
}

[[noreturn]] void refuse(const std::string& suite) {
  throw InputError(fmt::format(
      "there is no suite \"{}\". Run rankine-bench gpeps or rankine-bench linalg.", suite));
}

void check_on(const deck::CommandLine& command, int n_nodes) {
  if (command.deck == "gpeps")
    bench::check(read_options<bench::BenchOptions>(command));
  else if (command.deck == "linalg")
    bench::check(read_options<bench::LinalgBenchOptions>(command), n_nodes);
  else
    refuse(command.deck);
}

void check(const deck::CommandLine& command) { check_on(command, 1); }

void run(const parallel::Communicator& world, const deck::CommandLine& command) {
  const int n_nodes = std::max(1, world.size() / parallel::ranks_per_node(world));
  parallel::agree_on_failure(world, [&] { check_on(command, n_nodes); });
  if (command.deck == "gpeps")
    bench::bench_gpeps(read_options<bench::BenchOptions>(command), world);
  else
    bench::bench_linalg(read_options<bench::LinalgBenchOptions>(command), world);
}

}  // namespace

int main(int argc, char** argv) {
  bench::LinalgBenchOptions options;  // of --help-deck and its like
  return run_command(
      {.name = "rankine-bench",
       .purpose = "Measures Rankine; DECK is the suite: gpeps or linalg.",
       .declare_keywords = [&](deck::Schema& schema) { bench::declare_keywords(schema, options); },
       .check = check,
       .run = run},
      argc, argv);
}
