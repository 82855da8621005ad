#include "gpeps/simulation.hpp"

#include <algorithm>

#include "core/errors.hpp"
#include "core/profile.hpp"
#include "core/timer.hpp"
#include "gpeps/network_runs.hpp"
#include "gpeps/vector_runs.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

namespace {

/// The runs of a point, tensor networks first, with what they will cost.
struct PlannedPoint {
  std::vector<Run> runs;
  std::size_t n_networks = 0;
  Forecast total;
  double network_flops = 0;

  PlannedPoint(const Job& job, const Point& point)
      : runs(plan_runs(job.plan, job.options, job.graph, job.circuit.bind(point.parameters))) {
    for (const Run& run : runs) {
      merge(total, forecast_run(job.plan, job.graph, run, point.max_bond_dimension));
      if (run.is_vector()) continue;
      ++n_networks;
      network_flops = total_flops(total);
    }
  }
  std::span<const Run> networks() const { return std::span(runs).first(n_networks); }
  std::span<const Run> vectors() const { return std::span(runs).subspan(n_networks); }
};

void check_continuation(const Continuation& continuation, const PlannedPoint& planned) {
  if (!continuation.from) return;
  const auto [run, step] = std::pair(continuation.from->run, continuation.from->step);
  const auto networks = planned.networks();
  const bool fits = run < std::ssize(networks)
                        ? step < networks[static_cast<std::size_t>(run)].circuit.n_steps()
                        : run == std::ssize(networks) && step == 0;
  if (!fits || (step > 0 && !continuation.state))
    throw InputError("a stored point does not fit the deck. Start again without it.");
}

template <class Real>
void evolve_all(const Job& job, const Point& point, const parallel::Communicator& team,
                const Report& report, const Continuation& continuation, const PlannedPoint& planned,
                PointProgress& progress) {
  if (progress.run < std::ssize(planned.networks()))
    evolve_networks<Real>(job, point, team, report, continuation, planned.networks(), planned.total,
                          progress);
  const double before = planned.network_flops / std::max(total_flops(planned.total), 1.0);
  if (planned.vectors().empty()) return;
  const Report of_vectors = [&](double part, const std::string& text) {
    report(before + (1 - before) * part, text);
  };
  evolve_vectors<Real>(job, planned.vectors(), team, of_vectors, continuation, progress);
}

}  // namespace

PointResult simulate_point(const Job& job, const Point& point, const parallel::Communicator& team,
                           const Report& report, const Continuation& continuation) {
  const PlannedPoint planned = parallel::agree_on_failure(team, [&] {
    const ProfileStage stage("plan");
    PlannedPoint here(job, point);
    check_continuation(continuation, here);
    return here;
  });
  PointProgress progress =
      continuation.from ? *continuation.from : PointProgress{.result = empty_result(job.plan)};
  const double seconds_before = progress.result.seconds;
  const Stopwatch watch;
  Continuation timed = continuation;
  if (continuation.between_steps)
    timed.between_steps = [&](const Pause& pause) {
      progress.result.seconds = seconds_before + watch.seconds();
      continuation.between_steps(pause);
    };
  if (job.options.state.precision == "complex64")
    evolve_all<float>(job, point, team, report, timed, planned, progress);
  else
    evolve_all<double>(job, point, team, report, timed, planned, progress);
  combine_parts(job.plan, progress.result);
  progress.result.seconds = seconds_before + watch.seconds();
  return std::move(progress.result);
}

Forecast forecast_point(const Job& job, const Point& point) {
  return PlannedPoint(job, point).total;
}

}  // namespace rankine::gpeps
