// rankine-bench: measures the kernels and whole runs of Rankine beside the machine's own
// matrix-product rate.
//
// rankine-bench gpeps [bench.key=value ...]
#include <fmt/format.h>

#include "bench_gpeps.hpp"
#include "core/errors.hpp"
#include "deck/read.hpp"
#include "parallel/agreement.hpp"
#include "program.hpp"

using namespace rankine;

namespace {

/// The suite stands where other programs have their deck; its options come from the command line.
bench::BenchOptions read_options(const deck::CommandLine& command) {
  if (command.deck != "gpeps")
    throw InputError(
        fmt::format("there is no suite \"{}\". Run rankine-bench gpeps.", command.deck));
  bench::BenchOptions options;
  deck::Schema schema;
  bench::declare_keywords(schema, options);
  deck::read_text(schema, "", command.deck, command.overrides);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  bench::BenchOptions options;  // of --help-deck and its like
  return run_program(
      {.name = "rankine-bench",
       .purpose = "Measures Rankine; DECK is the suite: gpeps.",
       .declare_keywords = [&](deck::Schema& schema) { bench::declare_keywords(schema, options); },
       .check = [](const deck::CommandLine& command) { read_options(command); },
       .run =
           [](const parallel::Communicator& world, const deck::CommandLine& command) {
             bench::bench_gpeps(
                 parallel::agree_on_failure(world, [&] { return read_options(command); }), world);
           }},
      argc, argv);
}
