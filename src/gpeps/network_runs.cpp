#include "gpeps/network_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <complex>

#include "core/profile.hpp"
#include "gpeps/measurement/state_view.hpp"
#include "gpeps/state/evolution.hpp"
#include "lattice/partition.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using linalg::Scalar;

namespace {

/// What an estimate of the loop error may take for one value after one step: all of them together
/// no more than the evolution, unless that is next to nothing, and each a tenth of what an exact
/// reading may take.
double flops_of_estimate(const MeasurementPlan& plan, double evolution_flops,
                         double loop_flops_max) {
  constexpr double next_to_nothing = 5e9;  // a quarter of a second
  std::ptrdiff_t n_inexact = 1;
  for (const auto& observable : plan.observables)
    n_inexact += std::ranges::count_if(
        observable->columns(), [](const auto& column) { return !column.ignored.is_exact(); });
  return std::min(std::max(evolution_flops / static_cast<double>(n_inexact), next_to_nothing),
                  loop_flops_max / 10);
}

/// Which rank owns each site: all ranks of the team take the answer of one.
std::vector<int> owners(const lattice::Graph& graph, const Forecast& total,
                        const parallel::Communicator& team) {
  const ProfileStage stage("plan");
  std::vector<int> owner(graph.n_sites());
  parallel::agree_on_failure(team, [&] {
    if (team.rank() == 0) owner = lattice::partition(graph, team.size(), total.site_flops);
  });
  team.broadcast(std::span(owner), 0);
  return owner;
}

/// Evolves one run after the other to its end and reads off what it is for.
template <Scalar T>
class NetworkRuns {
 public:
  NetworkRuns(const Job& job, const Point& point, const parallel::Communicator& team,
              const Report& report, const Continuation& continuation, const Forecast& total,
              PointProgress& progress)
      : job_(job),
        team_(team),
        report_(report),
        continuation_(continuation),
        total_(total),
        owner_(owners(job.graph, total, team)),
        progress_(progress),
        all_flops_(total_flops(total)),
        estimate_flops_(
            flops_of_estimate(job.plan, all_flops_, job.options.measure.loop_flops_max)) {
    options_.truncation = {point.max_bond_dimension, job.options.state.discarded_weight_max};
    options_.route = job.options.state.route == "qr" ? Route::qr : Route::gram;
  }

  void evolve(std::span<const Run> runs) {
    for (int r = 0; r < std::ssize(runs); ++r) {
      if (r < progress_.run) count_steps(runs[r].circuit.n_steps());
      if (r == progress_.run) evolve(runs[r]);
    }
  }

 private:
  void evolve(const Run& run) {
    const bool goes_on = progress_.step > 0;
    Evolution<T> state =
        goes_on ? Evolution<T>(job_.graph, owner_, team_, options_, *continuation_.state)
                : Evolution<T>(job_.graph, owner_, team_, options_);
    const int n_steps = run.circuit.n_steps();
    count_steps(progress_.step);
    while (progress_.step < n_steps) {
      const int s = progress_.step;
      for (const auto& layer : circuit::layers(run.circuit.steps[s], job_.graph.n_sites()))
        state.apply(layer);
      const TruncationRecord record = state.record();
      for (const Read& read : run.reads[s]) measure(state, read, record);
      ++progress_.step;
      count_steps(1);
      tell(n_steps, record);
      if (progress_.step < n_steps) pause([&] { return state.arrays(); });
    }
    ++progress_.run;
    progress_.step = 0;
    if (steps_done_ < total_.step_flops.size()) pause([] { return StateArrays(); });
  }

  void count_steps(int n_steps) {
    for (int s = 0; s < n_steps; ++s) done_flops_ += total_.step_flops[steps_done_++];
  }

  void measure(const Evolution<T>& state, const Read& read, const TruncationRecord& record) {
    const ProfileStage stage("readings");
    const NetworkView<T> view(state, estimate_flops_);
    PointResult& result = progress_.result;
    enter(job_.plan, read, job_.plan.planned(read).reading->read(view), result);
    const auto column = static_cast<std::size_t>(read.column);
    result.discarded_weight[column] =
        std::max(result.discarded_weight[column], record.discarded_weight);
    result.fidelity[column] = std::min(result.fidelity[column], record.fidelity);
    result.bond_dimension[column] =
        std::max(result.bond_dimension[column], static_cast<double>(record.bond_dimension));
  }

  void tell(int n_steps, const TruncationRecord& record) const {
    parallel::agree_on_failure(team_, [&] {
      report_(
          all_flops_ > 0 ? done_flops_ / all_flops_ : 1,
          fmt::format("step {}/{}  bond {}  discarded {:.1e}  fidelity {:.6f}", progress_.step,
                      n_steps, record.bond_dimension, record.discarded_weight, record.fidelity));
    });
  }

  void pause(const std::function<StateArrays()>& state_arrays) const {
    if (continuation_.between_steps) continuation_.between_steps({progress_, state_arrays});
  }

  const Job& job_;
  const parallel::Communicator& team_;
  const Report& report_;
  const Continuation& continuation_;
  const Forecast& total_;
  std::vector<int> owner_;
  PointProgress& progress_;
  UpdateOptions options_;
  double all_flops_;
  double estimate_flops_;
  double done_flops_ = 0;
  std::size_t steps_done_ = 0;  ///< of all runs
};

}  // namespace

template <class Real>
void evolve_networks(const Job& job, const Point& point, const parallel::Communicator& team,
                     const Report& report, const Continuation& continuation,
                     std::span<const Run> runs, const Forecast& total, PointProgress& progress) {
  NetworkRuns<std::complex<Real>>(job, point, team, report, continuation, total, progress)
      .evolve(runs);
}

#define RANKINE_INSTANTIATE(Real)                                                               \
  template void evolve_networks<Real>(const Job&, const Point&, const parallel::Communicator&,  \
                                      const Report&, const Continuation&, std::span<const Run>, \
                                      const Forecast&, PointProgress&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
