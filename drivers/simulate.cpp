// rankine-simulate: evolves a quantum circuit on a lattice as a tensor network and measures it,
// from a deck to a result file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "core/version.hpp"
#include "deck/command_line.hpp"
#include "deck/echo.hpp"
#include "deck/read.hpp"
#include "files/hdf5/result_file.hpp"
#include "files/output_file.hpp"
#include "gpeps/result_inputs.hpp"
#include "gpeps/sweep.hpp"
#include "linalg/blas.hpp"
#include "parallel/agreement.hpp"
#include "parallel/node.hpp"
#include "parallel/session.hpp"
#include "program.hpp"
#include "threads.hpp"

using namespace rankine;

namespace {

constexpr const char* program = "rankine-simulate";

/// A deck that has been read, and everything that follows from it before any computing.
struct Input {
  gpeps::SimulateOptions options;
  deck::Schema schema;
  lattice::Graph graph;
  circuit::ParametricCircuit circuit;
  gpeps::MeasurementPlan plan;

  Input() { gpeps::declare_keywords(schema, options); }
  void read(const std::string& text, const deck::CommandLine& command) {
    deck::read_text(schema, text, command.deck, command.overrides);
    graph = lattice::make_lattice(options.lattice);
  }
  /// `circuit_text` is what circuit::load_circuit has read.
  void make_plan(const std::string& circuit_text) {
    circuit = circuit::make_circuit(options.circuit, circuit_text, graph.n_sites(),
                                    graph.pairs_by_colour());
    plan = gpeps::plan_measurements(schema, options, graph, circuit);
    files::check_writable(options.output_file);
  }
  gpeps::Job job() const { return {options, graph, circuit, plan}; }
};

/// Below bond dimension 128 more than one thread costs more than it gains, unless the user has said
/// otherwise.
void choose_threads(int ranks_per_node, std::int64_t bond_dimension) {
  const ThreadChoice choice = threads_of_rank(ranks_per_node);
  linalg::set_blas_threads(choice.is_users || bond_dimension >= 128 ? choice.threads : 1);
}

void simulate(const parallel::Communicator& world, const deck::CommandLine& command) {
  Input input;
  const std::string deck_text = load_deck(world, command.deck);
  parallel::agree_on_failure(world, [&] { input.read(deck_text, command); });
  const std::string circuit_text = parallel::agree_on_failure(world, [&] {
    return world.rank() == 0 ? circuit::load_circuit(input.options.circuit) : std::string();
  });
  const std::string shared_text = world.broadcast(circuit_text, 0);
  parallel::agree_on_failure(world, [&] { input.make_plan(shared_text); });
  const gpeps::Job job = input.job();
  const int per_node = parallel::ranks_per_node(world);
  const auto resources = parallel::agree_on_failure(world, [&] {
    auto plan = gpeps::plan_resources(job, world.size(), per_node,
                                      static_cast<double>(available_node_bytes()));
    gpeps::require_memory(plan);
    return plan;
  });
  choose_threads(per_node, resources.bond_dimension);
  log().info("{} {}: {}, {}, {}, {} each", program, program_version(),
             counted(job.graph.n_sites(), "site"), counted(job.graph.n_edges(), "edge"),
             counted(world.size(), "rank"), counted(linalg::blas_threads(), "BLAS thread"));
  for (const std::string& line : resources.lines()) log().info("{}", line);

  for (const auto& observable : input.plan.observables)
    log().info("{}: read by {}", observable.text, observable.routes.back());
  if (const auto warning = gpeps::accuracy_warning(input.plan);
      !warning.empty() && world.rank() == 0)
    log().warn("{}", warning);

  std::optional<files::ResultFile> file;
  parallel::agree_on_failure(world, [&] {
    if (world.rank() != 0) return;
    file.emplace(input.options.output_file,
                 describe_run(program, gpeps::result_format_version, input.schema, world.size(),
                              linalg::blas_threads()));
    gpeps::write_inputs(*file, job);
  });
  const auto results = gpeps::run_sweep(job, world, file ? &*file : nullptr);
  parallel::agree_on_failure(world, [&] {
    if (!file) return;
    file->complete();
    fmt::print("{}", gpeps::results_table(job, gpeps::sweep_points(input.options), results));
  });
}

/// Everything a job would meet before it computes, without starting MPI.
void check(const deck::CommandLine& command) {
  Input input;
  input.read(deck::load(command.deck), command);
  input.make_plan(circuit::load_circuit(input.options.circuit));
  const auto plan = gpeps::plan_resources(input.job(), command.ranks, command.ranks,
                                          static_cast<double>(available_node_bytes()));
  fmt::print("{}: {}, {}, {}, {}\n{}\n", command.deck, counted(input.graph.n_sites(), "site"),
             counted(input.graph.n_edges(), "edge"),
             counted(std::ssize(gpeps::sweep_points(input.options)), "point"),
             counted(std::ssize(input.plan.measured_steps), "measured step"),
             fmt::join(plan.lines(), "\n"));
  for (const auto& observable : input.plan.observables)
    fmt::print("{}: {}\n", observable.text, observable.routes.back());
  if (const auto warning = gpeps::accuracy_warning(input.plan); !warning.empty())
    fmt::print("{}\n", warning);
  gpeps::require_memory(plan);
  if (command.action == deck::Action::dry_run)
    fmt::print("\n{}", deck::effective_deck(input.schema));
}

}  // namespace

int main(int argc, char** argv) {
  gpeps::SimulateOptions options;  // of --help-deck and its like
  return run_program(
      {.name = program,
       .purpose =
           "Evolves a quantum circuit on a lattice as a tensor network (gPEPS) and measures it.",
       .declare_keywords = [&](deck::Schema& schema) { gpeps::declare_keywords(schema, options); },
       .check = check,
       .run = simulate},
      argc, argv);
}
