// rankine-simulate: evolves a quantum circuit on a lattice as a tensor network and measures it,
// from a deck to a result file.
#include <fmt/format.h>

#include <optional>

#include "core/text_format.hpp"
#include "gpeps/cost.hpp"
#include "gpeps/finished_points.hpp"
#include "gpeps/result_inputs.hpp"
#include "gpeps/sweep.hpp"
#include "linalg/blas.hpp"
#include "program.hpp"

using namespace rankine;

namespace {

class SimulateJob final : public PreparedJob {
 public:
  SimulateJob(const gpeps::SimulateOptions& options, const deck::Schema& schema)
      : options_(options),
        graph_(lattice::make_lattice(options.lattice)),
        circuit_(circuit::make_circuit(options.circuit, circuit::load_circuit(options.circuit),
                                       graph_.n_sites(), graph_.pairs_by_colour())),
        plan_(gpeps::plan_measurements(schema, options, graph_, circuit_)),
        points_(gpeps::sweep_points(options)),
        results_(points_.size()) {}

 private:
  Plan plan(const run::Machine& machine) override {
    resources_ = gpeps::plan_resources(job(), machine);
    Plan plan{.summary = fmt::format("{}, {}, {}, {}", counted(graph_.n_sites(), "site"),
                                     counted(graph_.n_edges(), "edge"),
                                     counted(std::ssize(points_), "point"),
                                     counted(std::ssize(plan_.measured_steps), "measured step")),
              .lines = resources_.lines(),
              .warning = gpeps::accuracy_warning(plan_)};
    for (const auto& observable : plan_.observables)
      plan.lines.push_back(
          fmt::format("{}: read by {}", observable->text(), observable->columns().back().route));
    return plan;
  }
  std::vector<run::StageCost> cost(const run::Pace& pace) const override {
    return gpeps::cost(job(), pace);
  }
  void require() const override { gpeps::require_memory(resources_); }

  /// Below bond dimension 128 more than one thread costs more than it gains, unless the user has
  /// said otherwise.
  int use_threads(const run::Machine& machine) const override {
    const bool is_large = resources_.bond_dimension >= 128;
    linalg::set_blas_threads(machine.are_threads_asked || is_large ? machine.threads : 1);
    return linalg::blas_threads();
  }

  std::vector<std::string> may_differ() const override {
    return {"circuit.theta_h", "state.max_bond_dimension"};
  }
  std::int64_t finished_in(const std::filesystem::path& file) const override {
    return gpeps::count_finished_points(file);
  }
  void take(const std::filesystem::path& file) override {
    gpeps::take_finished_points(file, job(), points_, results_);
  }

  void run(const parallel::Communicator& world, const run::RunControl& control) override {
    gpeps::run_sweep(job(), world, control, results_);
  }

  std::string finished() const override { return gpeps::finished_points(results_); }
  void write_inputs(files::ResultFile& file) const override { gpeps::write_inputs(file, job()); }
  void write(files::ResultFile& file) const override {
    gpeps::write_results(file, job(), points_, results_);
  }
  std::string table() const override { return gpeps::results_table(job(), points_, results_); }

  gpeps::Job job() const { return {options_, graph_, circuit_, plan_}; }

  const gpeps::SimulateOptions& options_;
  lattice::Graph graph_;
  circuit::ParametricCircuit circuit_;
  gpeps::MeasurementPlan plan_;
  gpeps::ResourcePlan resources_;
  std::vector<gpeps::Point> points_;
  std::vector<gpeps::PointResult> results_;
};

class Simulate final : public Program {
  const char* name() const override { return "rankine-simulate"; }
  const char* purpose() const override {
    return "Evolves a quantum circuit on a lattice as a tensor network (gPEPS) and measures it.";
  }
  std::int64_t format_version() const override { return gpeps::result_format_version; }
  void declare_keywords(deck::Schema& schema) override {
    gpeps::declare_keywords(schema, options_);
  }
  const run::RunOptions& run_options() const override { return options_.run; }
  const std::string& output_file() const override { return options_.output_file; }

  std::unique_ptr<PreparedJob> read(const deck::Schema& schema) override {
    return std::make_unique<SimulateJob>(options_, schema);
  }

  gpeps::SimulateOptions options_;
};

}  // namespace

int main(int argc, char** argv) {
  Simulate program;
  return run_program(program, argc, argv);
}
