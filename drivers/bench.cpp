// rankine-bench: measures the kernels and whole runs of Rankine beside the machine's own
// matrix-product rate.
//
// rankine-bench gpeps [bench.key=value ...]
// rankine-bench linalg [bench.key=value ...]
// rankine-bench images [bench.key=value ...]
// rankine-bench models [bench.key=value ...]
// rankine-bench machine [bench.key=value ...]
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "bench_gpeps.hpp"
#include "bench_linalg.hpp"
#include "bench_machine.hpp"
#ifdef RANKINE_BENCH_IMAGES
#include "bench_images.hpp"
#include "bench_models.hpp"
#include "weights/rows/tensor_errors.hpp"
#endif
#include "command.hpp"
#include "core/errors.hpp"
#include "deck/read.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "threads.hpp"

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

struct Suite {
  const char* name;
  std::function<void(const deck::CommandLine&, int n_nodes)> check;
  std::function<void(const deck::CommandLine&, const parallel::Communicator&)> run;
};

std::vector<Suite> suites() {
  std::vector<Suite> all{
      {"gpeps",
       [](const auto& command, int) { bench::check(read_options<bench::BenchOptions>(command)); },
       [](const auto& command, const auto& world) {
         bench::bench_gpeps(read_options<bench::BenchOptions>(command), world);
       }},
      {"linalg",
       [](const auto& command, int n_nodes) {
         bench::check(read_options<bench::LinalgBenchOptions>(command), n_nodes);
       },
       [](const auto& command, const auto& world) {
         bench::bench_linalg(read_options<bench::LinalgBenchOptions>(command), world);
       }},
      {"machine",
       [](const auto& command, int) {
         bench::check(read_options<bench::MachineBenchOptions>(command));
       },
       [](const auto& command, const auto& world) {
         bench::bench_machine(read_options<bench::MachineBenchOptions>(command), world);
       }}};
#ifdef RANKINE_BENCH_IMAGES
  all.push_back({"images",
                 [](const auto& command, int) {
                   bench::check(read_options<bench::ImageBenchOptions>(command));
                 },
                 [](const auto& command, const auto& world) {
                   bench::bench_images(read_options<bench::ImageBenchOptions>(command), world,
                                       threads_of_rank(parallel::ranks_per_node(world)).threads);
                 }});
  all.push_back({"models",
                 [](const auto& command, int) {
                   bench::check(read_options<bench::ModelBenchOptions>(command));
                 },
                 [](const auto& command, const auto& world) {
                   bench::bench_models(read_options<bench::ModelBenchOptions>(command), world,
                                       threads_of_rank(parallel::ranks_per_node(world)).threads);
                 }});
#endif
  return all;
}

Suite suite_of(const deck::CommandLine& command) {
  std::string known;
  for (const Suite& suite : suites()) {
    if (command.deck == suite.name) return suite;
    known += fmt::format("{}rankine-bench {}", known.empty() ? "" : ", ", suite.name);
  }
  throw InputError(fmt::format("there is no suite \"{}\". Run one of {}.", command.deck, known));
}

void check(const deck::CommandLine& command) { suite_of(command).check(command, 1); }

void run_suite(const parallel::Communicator& world, const deck::CommandLine& command) {
  const int n_nodes = std::max(1, world.size() / parallel::ranks_per_node(world));
  parallel::agree_on_failure(world, [&] { suite_of(command).check(command, n_nodes); });
  suite_of(command).run(command, world);
}

}  // namespace

int main(int argc, char** argv) {
#ifdef RANKINE_BENCH_IMAGES
  weights::translate_tensor_errors();
#endif
  bench::LinalgBenchOptions options;  // of --help-deck and its like
  return run_command(
      {.name = "rankine-bench",
       .purpose = "Measures Rankine; DECK is the suite: gpeps, linalg, images, models or machine.",
       .declare_keywords = [&](deck::Schema& schema) { bench::declare_keywords(schema, options); },
       .check = check,
       .run = run_suite},
      argc, argv);
}
