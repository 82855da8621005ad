#include "gpeps/simulation.hpp"

#include <fmt/format.h>

#include <complex>

#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "core/timer.hpp"
#include "gpeps/cluster_contraction.hpp"
#include "gpeps/evolution.hpp"
#include "gpeps/observables.hpp"
#include "lattice/partition.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using linalg::Scalar;

namespace {

PointResult empty_result(const MeasurementPlan& plan) {
  const std::size_t n_columns = plan.measured_steps.size();
  PointResult result;
  result.observables.assign(plan.observables.size(), std::vector<double>(n_columns));
  result.site_z.resize(n_columns);
  result.discarded_weight.assign(n_columns, 0);
  result.fidelity.assign(n_columns, 1);
  result.bond_dimension.assign(n_columns, 1);
  return result;
}

template <Scalar T>
void read_observable(const Evolution<T>& state, const Observable& observable, int column,
                     std::vector<double>& values, std::vector<double>& site_z) {
  if (!observable.string) {
    site_z = site_expectations(state, circuit::pauli_operator('Z'));
    double sum = 0;
    for (double z : site_z) sum += z;
    values[column] = sum / static_cast<double>(site_z.size());
    return;
  }
  const Reading& reading = observable.readings[column];
  if (reading.environment != Environment::mean_field) {
    values[column] = cluster_expectation(state, reading.cluster, reading.string);
    return;
  }
  const auto& [site, letter] = *reading.string.letters.begin();
  values[column] =
      reading.string.sign * site_expectation(state, site, circuit::pauli_operator(letter));
}

/// Evolves one run to its end and reads off what it is for.
template <Scalar T>
class Runner {
 public:
  Runner(const Job& job, const Point& point, const parallel::Communicator& team,
         const Report& report, const Forecast& total, std::vector<int> owner, PointResult& result)
      : job_(job),
        team_(team),
        report_(report),
        total_(total),
        owner_(std::move(owner)),
        result_(result) {
    options_.truncation = {point.max_bond_dimension, job.options.state.discarded_weight_max};
    options_.route = job.options.state.route == "qr" ? Route::qr : Route::gram;
    all_flops_ = total_flops(total_);
  }

  void evolve(const Run& run) {
    Evolution<T> state(job_.graph, owner_, team_, options_);
    for (int s = 0; s < run.circuit.n_steps(); ++s) {
      for (const auto& layer : circuit::layers(run.circuit.steps[s], job_.graph.n_sites()))
        state.apply(layer);
      const TruncationRecord record = state.record();
      for (const Run::Read& read : run.reads[s]) measure(state, read, record);
      tell(s + 1, run.circuit.n_steps(), record);
    }
  }

 private:
  void measure(const Evolution<T>& state, const Run::Read& read, const TruncationRecord& record) {
    const int column = read.column;
    read_observable(state, job_.plan.observables[read.observable], column,
                    result_.observables[read.observable], result_.site_z[column]);
    result_.discarded_weight[column] =
        std::max(result_.discarded_weight[column], record.discarded_weight);
    result_.fidelity[column] = std::min(result_.fidelity[column], record.fidelity);
    result_.bond_dimension[column] =
        std::max(result_.bond_dimension[column], static_cast<double>(record.bond_dimension));
  }

  void tell(int step, int n_steps, const TruncationRecord& record) {
    done_flops_ += total_.step_flops[steps_done_++];
    const auto memory = team_.max(resident_bytes());
    parallel::agree_on_failure(team_, [&] {
      report_(all_flops_ > 0 ? done_flops_ / all_flops_ : 1,
              fmt::format("step {}/{}  bond {}  discarded {:.1e}  fidelity {:.6f}  {} per rank",
                          step, n_steps, record.bond_dimension, record.discarded_weight,
                          record.fidelity, format_bytes(static_cast<double>(memory))));
    });
  }

  const Job& job_;
  const parallel::Communicator& team_;
  const Report& report_;
  const Forecast& total_;
  std::vector<int> owner_;
  PointResult& result_;
  UpdateOptions options_;
  double all_flops_ = 0;
  double done_flops_ = 0;
  std::size_t steps_done_ = 0;
};

template <Scalar T>
void evolve_all(const Job& job, const Point& point, const parallel::Communicator& team,
                const Report& report, PointResult& result) {
  std::vector<Run> runs;
  Forecast total;
  std::vector<int> owner(job.graph.n_sites());
  parallel::agree_on_failure(team, [&] {  // the circuit may come from a file
    runs = plan_runs(job.plan, job.options, job.graph, point.theta_h);
    for (const Run& run : runs)
      merge(total, forecast_run(job.plan, job.graph, run, point.max_bond_dimension));
    if (team.rank() == 0) owner = lattice::partition(job.graph, team.size(), total.site_flops);
  });
  team.broadcast(std::span(owner), 0);
  Runner<T> runner(job, point, team, report, total, std::move(owner), result);
  for (const Run& run : runs) runner.evolve(run);
}

}  // namespace

PointResult simulate_point(const Job& job, const Point& point, const parallel::Communicator& team,
                           const Report& report) {
  const Stopwatch watch;
  PointResult result = empty_result(job.plan);
  if (job.options.state.precision == "complex64")
    evolve_all<std::complex<float>>(job, point, team, report, result);
  else
    evolve_all<std::complex<double>>(job, point, team, report, result);
  result.seconds = watch.seconds();
  return result;
}

Forecast forecast_point(const Job& job, const Point& point) {
  Forecast total;
  for (const Run& run : plan_runs(job.plan, job.options, job.graph, point.theta_h))
    merge(total, forecast_run(job.plan, job.graph, run, point.max_bond_dimension));
  return total;
}

}  // namespace rankine::gpeps
