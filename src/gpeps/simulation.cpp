#include "gpeps/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <complex>
#include <functional>
#include <numeric>

#include "core/timer.hpp"
#include "gpeps/measurement/cluster_contraction.hpp"
#include "gpeps/measurement/loop_error.hpp"
#include "gpeps/measurement/observables.hpp"
#include "gpeps/measurement/state_vector.hpp"
#include "gpeps/state/evolution.hpp"
#include "lattice/partition.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using linalg::Scalar;

namespace {

/// Values of strings are products, so they start at one.
PointResult empty_result(const Job& job) {
  const std::size_t n_columns = job.plan.measured_steps.size();
  const bool has_sites = !job.plan.sites.empty();
  PointResult result;
  result.observables.assign(job.plan.observables.size(), std::vector<double>(n_columns, 1));
  result.uncertainty.assign(job.plan.observables.size(), std::vector<double>(n_columns, 0));
  result.site_z.assign(n_columns, std::vector<double>(has_sites ? job.graph.n_sites() : 0));
  result.discarded_weight.assign(n_columns, 0);
  result.fidelity.assign(n_columns, 1);
  result.bond_dimension.assign(n_columns, 1);
  return result;
}

template <Scalar T>
double read_factor(const Evolution<T>& state, const Factor& factor) {
  if (factor.environment != Environment::mean_field)
    return cluster_expectation(state, factor.cluster, factor.string);
  const auto& [site, letter] = *factor.string.letters.begin();
  return factor.string.sign * site_expectation(state, site, circuit::pauli_operator(letter));
}

void enter(const Read& read, double value, PointResult& result) {
  if (read.site >= 0)
    result.site_z[read.column][read.site] = value;
  else
    result.observables[read.observable][read.column] *= value;
}

lattice::Cluster one_site(int site) { return {{site}, {-1}, {-1}, {}}; }

/// What an estimate of the loop error may take for one value after one step: all of them together
/// no more than the evolution, unless that is next to nothing, and each a tenth of what an exact
/// reading may take.
double flops_of_estimate(const MeasurementPlan& plan, double evolution_flops,
                         double loop_flops_max) {
  constexpr double next_to_nothing = 5e9;  // a quarter of a second
  std::ptrdiff_t n_inexact = 1;
  for (const Observable& observable : plan.observables)
    n_inexact += std::ranges::count_if(observable.ignored,
                                       [](const auto& loops) { return !loops.is_exact(); });
  return std::min(std::max(evolution_flops / static_cast<double>(n_inexact), next_to_nothing),
                  loop_flops_max / 10);
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
      for (const Read& read : run.reads[s]) measure(state, read, record);
      tell(s + 1, run.circuit.n_steps(), record);
    }
  }

 private:
  void measure(const Evolution<T>& state, const Read& read, const TruncationRecord& record) {
    const int column = read.column;
    if (read.site < 0 && !job_.plan.observables[read.observable].string)
      read_sites(state, read);
    else
      read_string(state, read);
    result_.discarded_weight[column] =
        std::max(result_.discarded_weight[column], record.discarded_weight);
    result_.fidelity[column] = std::min(result_.fidelity[column], record.fidelity);
    result_.bond_dimension[column] =
        std::max(result_.bond_dimension[column], static_cast<double>(record.bond_dimension));
  }

  void read_string(const Evolution<T>& state, const Read& read) {
    const Factor& factor = job_.plan.factor(read);
    const double value = read_factor(state, factor);
    enter(read, value, result_);
    if (factor.ignored.is_exact()) return;
    const auto cluster = factor.environment == Environment::mean_field
                             ? one_site(factor.string.letters.begin()->first)
                             : factor.cluster;
    result_.uncertainty[read.observable][read.column] +=
        loop_errors(state, {{cluster, factor.string, value}}, estimate_flops()).front();
  }

  /// All sites of the magnetization that are read in mean field.
  void read_sites(const Evolution<T>& state, const Read& read) {
    const auto& [apart, shared, ignored] = job_.plan.sites[read.column];
    const auto z = site_expectations(state, circuit::pauli_operator('Z'));
    std::vector<ClusterValue> inexact;
    for (int site = 0; site < job_.graph.n_sites(); ++site) {
      if (apart.contains(site) || shared.contains(site)) continue;
      result_.site_z[read.column][site] = z[site];
      if (!ignored[site].is_exact())
        inexact.push_back({one_site(site), circuit::PauliString{{{site, 'Z'}}}, z[site]});
    }
    if (inexact.empty()) return;
    for (double error : loop_errors(state, inexact, estimate_flops()))
      result_.uncertainty[read.observable][read.column] += error;
  }

  double estimate_flops() const {
    return flops_of_estimate(job_.plan, all_flops_, job_.options.measure.loop_flops_max);
  }

  void tell(int step, int n_steps, const TruncationRecord& record) {
    done_flops_ += total_.step_flops[steps_done_++];
    parallel::agree_on_failure(team_, [&] {
      report_(all_flops_ > 0 ? done_flops_ / all_flops_ : 1,
              fmt::format("step {}/{}  bond {}  discarded {:.1e}  fidelity {:.6f}", step, n_steps,
                          record.bond_dimension, record.discarded_weight, record.fidelity));
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

/// Deals the state vectors over the ranks of the team, the largest first, each to the rank with the
/// least work. Returns the owner of each run.
std::vector<int> vector_owners(const std::vector<double>& flops, int n_ranks) {
  std::vector<std::size_t> order(flops.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t run) { return flops[run]; });
  std::vector<double> work(n_ranks, 0);
  std::vector<int> owner(flops.size(), 0);
  for (std::size_t run : order) {
    owner[run] = static_cast<int>(std::ranges::min_element(work) - work.begin());
    work[owner[run]] += flops[run];
  }
  return owner;
}

template <class Real>
void evolve_vector(const Job& job, const Run& run, std::span<double> values) {
  StateVector<Real> state(run.sites);
  circuit::Step gates;  // up to the next reading
  std::size_t next = 0;
  for (std::size_t s = 0; s < run.circuit.steps.size(); ++s) {
    const auto& step = run.circuit.steps[s];
    gates.insert(gates.end(), step.begin(), step.end());
    if (run.reads[s].empty()) continue;
    state.apply(gates);
    gates.clear();
    for (const Read& read : run.reads[s])
      values[next++] = state.expectation(job.plan.factor(read).string);
  }
}

/// Collective. Every state vector is the work of one rank; its values go to all.
template <class Real>
void evolve_vectors(const Job& job, std::span<const Run> runs, const parallel::Communicator& team,
                    const Report& report, PointResult& result) {
  std::vector<double> flops;
  std::vector<std::size_t> first{0};  // of each run's values
  double all_flops = 0;
  for (const Run& run : runs) {
    flops.push_back(state_vector_flops(static_cast<int>(run.sites.size()), run.circuit));
    all_flops += flops.back();
    std::size_t count = first.back();
    for (const auto& reads : run.reads) count += reads.size();
    first.push_back(count);
  }
  const auto owner = vector_owners(flops, team.size());
  std::vector<double> values(first.back(), 0);
  parallel::agree_on_failure(team, [&] {
    double done = 0;
    for (std::size_t r = 0; r < runs.size(); ++r) {
      if (owner[r] == team.rank())
        evolve_vector<Real>(job, runs[r], std::span(values).subspan(first[r]));
      done += flops[r];
      report(done / all_flops,
             fmt::format("state vector {}/{}  {} sites", r + 1, runs.size(), runs[r].sites.size()));
    }
  });
  team.sum(std::span(values));
  std::size_t next = 0;
  for (const Run& run : runs)
    for (const auto& reads : run.reads)
      for (const Read& read : reads) enter(read, values[next++], result);
}

/// Sites that are observables of their own, and the mean over all sites.
void finish_magnetization(const Job& job, PointResult& result) {
  for (int index = 0; index < std::ssize(job.plan.observables); ++index) {
    if (job.plan.observables[index].string) continue;
    for (std::size_t column = 0; column < job.plan.sites.size(); ++column) {
      std::vector<double>& z = result.site_z[column];
      double& uncertainty = result.uncertainty[index][column];
      for (const auto& [site, observable] : job.plan.sites[column].shared) {
        z[site] = result.observables[observable][column];
        uncertainty += result.uncertainty[observable][column];
      }
      const auto n_sites = static_cast<double>(z.size());
      result.observables[index][column] = std::accumulate(z.begin(), z.end(), 0.0) / n_sites;
      uncertainty /= n_sites;
    }
  }
}

template <class Real>
void evolve_all(const Job& job, const Point& point, const parallel::Communicator& team,
                const Report& report, PointResult& result) {
  using T = std::complex<Real>;
  std::vector<Run> runs;
  Forecast total;
  double network_flops = 0;
  std::vector<int> owner(job.graph.n_sites());
  parallel::agree_on_failure(team, [&] {
    runs = plan_runs(job.plan, job.options, job.graph, job.circuit.bind(point.parameters));
    for (const Run& run : runs) {
      merge(total, forecast_run(job.plan, job.graph, run, point.max_bond_dimension));
      if (run.sites.empty()) network_flops = total_flops(total);
    }
    if (team.rank() == 0) owner = lattice::partition(job.graph, team.size(), total.site_flops);
  });
  team.broadcast(std::span(owner), 0);
  const auto vectors =
      std::ranges::find_if(runs, [](const Run& run) { return !run.sites.empty(); });
  Runner<T> runner(job, point, team, report, total, std::move(owner), result);
  for (auto run = runs.begin(); run != vectors; ++run) runner.evolve(*run);
  const double before = network_flops / std::max(total_flops(total), 1.0);
  if (vectors != runs.end())
    evolve_vectors<Real>(
        job, {vectors, runs.end()}, team,
        [&](double part, const std::string& text) { report(before + (1 - before) * part, text); },
        result);
  finish_magnetization(job, result);
}

}  // namespace

PointResult simulate_point(const Job& job, const Point& point, const parallel::Communicator& team,
                           const Report& report) {
  const Stopwatch watch;
  PointResult result = empty_result(job);
  if (job.options.state.precision == "complex64")
    evolve_all<float>(job, point, team, report, result);
  else
    evolve_all<double>(job, point, team, report, result);
  result.seconds = watch.seconds();
  return result;
}

Forecast forecast_point(const Job& job, const Point& point) {
  Forecast total;
  const circuit::Circuit circuit = job.circuit.bind(point.parameters);
  for (const Run& run : plan_runs(job.plan, job.options, job.graph, circuit))
    merge(total, forecast_run(job.plan, job.graph, run, point.max_bond_dimension));
  return total;
}

}  // namespace rankine::gpeps
