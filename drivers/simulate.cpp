// rankine-simulate: evolves a quantum circuit on a lattice as a tensor network and measures it,
// from a deck to a result file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <new>
#include <optional>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/version.hpp"
#include "deck/command_line.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "deck/reference.hpp"
#include "files/output_file.hpp"
#include "files/result_file.hpp"
#include "gpeps/sweep.hpp"
#include "linalg/blas.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "parallel/run_to_exit_code.hpp"
#include "parallel/session.hpp"

using namespace rankine;

namespace {

constexpr const char* program = "rankine-simulate";
constexpr const char* purpose =
    "Evolves a quantum circuit on a lattice as a tensor network (gPEPS) and measures it.";

/// A deck that has been read, and everything that follows from it before any computing.
struct Input {
  gpeps::SimulateOptions options;
  deck::Schema schema;
  lattice::Graph graph;
  gpeps::MeasurementPlan plan;

  Input() { gpeps::declare_keywords(schema, options); }
  void read(const std::string& text, const deck::CommandLine& command) {
    deck::read_text(schema, text, command.deck, command.overrides);
    graph = lattice::make_lattice(options.lattice);
    plan = gpeps::plan_measurements(schema, options, graph);
    files::check_writable(options.output_file);
  }
  gpeps::Job job() const { return {options, graph, plan}; }
};

/// One BLAS thread for every core that no other rank uses, unless the user has said otherwise.
/// Below bond dimension 128 more than one thread costs more than it gains.
void choose_threads(int ranks_per_node, std::int64_t bond_dimension) {
  for (const char* variable : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"})
    if (std::getenv(variable)) return;
  const int cores = std::max(1, parallel::cores_of_process() / ranks_per_node);
  linalg::set_blas_threads(bond_dimension < 128 ? 1 : cores);
}

files::RunDescription describe_run(const Input& input, int n_ranks) {
  const char* job_id = std::getenv("SLURM_JOB_ID");
  return {.filetype = program,
          .format_version = gpeps::result_format_version,
          .program = program,
          .n_ranks = n_ranks,
          .threads = linalg::blas_threads(),
          .effective_deck = deck::effective_deck(input.schema),
          .library_versions = {{"mpi", parallel::mpi_library_version()},
                               {"blas", linalg::blas_library()}},
          .job_id = job_id ? job_id : ""};
}

void simulate(const parallel::Communicator& world, const deck::CommandLine& command) {
  Input input;
  const std::string text = parallel::agree_on_failure(
      world, [&] { return world.rank() == 0 ? deck::load(command.deck) : ""; });
  const std::string deck_text = world.broadcast(text, 0);
  parallel::agree_on_failure(world, [&] { input.read(deck_text, command); });
  const gpeps::Job job = input.job();
  const int per_node = parallel::ranks_per_node(world);
  const auto resources = parallel::agree_on_failure(world, [&] {
    auto plan = gpeps::plan_resources(job, world.size(), per_node,
                                      static_cast<double>(available_node_bytes()));
    gpeps::require_memory(plan);
    return plan;
  });
  choose_threads(per_node, resources.bond_dimension);
  log().info("{} {}: {} sites, {} edges, {} ranks, {} BLAS threads each", program,
             program_version(), job.graph.n_sites(), job.graph.n_edges(), world.size(),
             linalg::blas_threads());
  for (const std::string& line : resources.lines()) log().info("{}", line);

  std::optional<files::ResultFile> file;
  parallel::agree_on_failure(world, [&] {
    if (world.rank() == 0)
      file.emplace(input.options.output_file, describe_run(input, world.size()));
  });
  const auto results = gpeps::run_sweep(job, world, file ? &*file : nullptr);
  parallel::agree_on_failure(world, [&] {
    if (!file) return;
    log().info("results in {}",
               std::filesystem::path(input.options.output_file).filename().string());
    file->complete();
    fmt::print("{}", gpeps::results_table(job, gpeps::sweep_points(input.options), results));
  });
}

/// Everything a job would meet before it computes, without starting MPI.
void check(const deck::CommandLine& command) {
  Input input;
  input.read(deck::load(command.deck), command);
  const auto plan = gpeps::plan_resources(input.job(), command.ranks, command.ranks,
                                          static_cast<double>(available_node_bytes()));
  fmt::print("{}: {} sites, {} edges, {} points, {} measured steps\n{}\n", command.deck,
             input.graph.n_sites(), input.graph.n_edges(),
             gpeps::sweep_points(input.options).size(), input.plan.measured_steps.size(),
             fmt::join(plan.lines(), "\n"));
  for (const auto& observable : input.plan.observables)
    fmt::print("{}: {}\n", observable.text, observable.readings.back().name());
  gpeps::require_memory(plan);
  if (command.action == deck::Action::dry_run)
    fmt::print("\n{}", deck::effective_deck(input.schema));
}

/// The text of an action that needs no MPI; nothing for those that compute.
std::optional<std::string> answer(const deck::CommandLine& command) {
  const Input input;
  switch (command.action) {
    case deck::Action::help:
      return command.help;
    case deck::Action::version:
      return fmt::format("{} {} ({})\n", program, program_version(), git_commit());
    case deck::Action::help_deck:
      return deck::help_deck(input.schema, command.topic);
    case deck::Action::print_defaults:
      return deck::default_deck(input.schema);
    case deck::Action::reference:
      return deck::reference_markdown(input.schema, program);
    default:
      return std::nullopt;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const deck::CommandLine command = deck::parse_command_line(argc, argv, purpose);
    if (const auto text = answer(command)) {
      fmt::print("{}", *text);
      return 0;
    }
    if (command.action != deck::Action::run) {
      check(command);
      return 0;
    }
    parallel::Session session(argc, argv);
    return parallel::run_to_exit_code(session.world(), [&] { simulate(session.world(), command); });
  } catch (const Error& error) {
    log().error("{}", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    log().error("memory does not suffice to read the input. Check the sizes it asks for.");
    return static_cast<int>(ExitCode::resource);
  } catch (const std::exception& error) {
    log().error("{}", error.what());
    return static_cast<int>(ExitCode::internal);
  }
}
