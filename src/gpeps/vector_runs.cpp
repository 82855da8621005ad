#include "gpeps/vector_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/profile.hpp"
#include "gpeps/measurement/state_vector.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

namespace {

/// What a rank evolves before the ranks share what they have found, and may pause; half a minute.
constexpr double flops_of_round = 1e12;

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

/// The values of one run, in the order of its reads.
template <class Real>
std::vector<double> evolve_vector(const MeasurementPlan& plan, const Run& run) {
  const ProfileStage stage("state vectors");
  StateVector<Real> state(run.sites);
  circuit::Step gates;  // up to the next reading
  std::vector<double> values;
  for (std::size_t s = 0; s < run.circuit.steps.size(); ++s) {
    const auto& step = run.circuit.steps[s];
    gates.insert(gates.end(), step.begin(), step.end());
    if (run.reads[s].empty()) continue;
    state.apply(gates);
    gates.clear();
    for (const Read& read : run.reads[s])
      values.push_back(state.expectation(plan.planned(read).reading->own_run()->string));
  }
  return values;
}

std::vector<Read> reads_of(const Run& run) {
  std::vector<Read> all;
  for (const auto& reads : run.reads) all.insert(all.end(), reads.begin(), reads.end());
  return all;
}

template <class Real>
class VectorRuns {
 public:
  VectorRuns(const Job& job, std::span<const Run> runs, const parallel::Communicator& team,
             const Report& report, PointProgress& progress)
      : job_(job), runs_(runs), team_(team), report_(report), progress_(progress) {
    for (const Run& run : runs)
      flops_.push_back(state_vector_flops(static_cast<int>(run.sites.size()), run.circuit));
    all_flops_ = std::accumulate(flops_.begin(), flops_.end(), 0.0);
  }

  void evolve(const Continuation& continuation) {
    auto rounds = deal();
    while (!rounds.empty()) {
      evolve_round(rounds.front());
      rounds.erase(rounds.begin());
      if (continuation.between_steps && !rounds.empty())
        continuation.between_steps({progress_, [] { return StateArrays(); }});
    }
  }

 private:
  struct Task {
    std::size_t run;
    int owner;
  };

  /// The runs that are left, in rounds of about the same work for each rank.
  std::vector<std::vector<Task>> deal() {
    std::vector<std::size_t> left;
    std::vector<double> flops;
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      if (is_entered(job_.plan, reads_of(runs_[r]).front(), progress_.result)) {
        done_flops_ += flops_[r];
        continue;
      }
      left.push_back(r);
      flops.push_back(flops_[r]);
    }
    const auto owner = vector_owners(flops, team_.size());
    std::vector<double> work(static_cast<std::size_t>(team_.size()), 0);
    std::vector<std::vector<Task>> rounds;
    for (std::size_t k = 0; k < left.size(); ++k) {
      double& before = work[static_cast<std::size_t>(owner[k])];
      const auto round = static_cast<std::size_t>(before / flops_of_round);
      before += flops[k];
      if (rounds.size() <= round) rounds.resize(round + 1);
      rounds[round].push_back({left[k], owner[k]});
    }
    std::erase_if(rounds, [](const auto& round) { return round.empty(); });
    return rounds;
  }

  /// Each rank does its part; the values go to all.
  void evolve_round(const std::vector<Task>& round) {
    std::vector<Read> reads;
    std::vector<double> values;
    parallel::agree_on_failure(team_, [&] {
      for (const auto& [r, owner] : round) {
        const auto of_run = reads_of(runs_[r]);
        reads.insert(reads.end(), of_run.begin(), of_run.end());
        if (owner == team_.rank()) {
          const auto found = evolve_vector<Real>(job_.plan, runs_[r]);
          values.insert(values.end(), found.begin(), found.end());
        }
        values.resize(reads.size(), 0);
        done_flops_ += flops_[r];
        report_(done_flops_ / all_flops_, fmt::format("state vector {}/{}  {} sites", r + 1,
                                                      runs_.size(), runs_[r].sites.size()));
      }
    });
    team_.sum(std::span(values));
    for (std::size_t k = 0; k < reads.size(); ++k)
      enter(job_.plan, reads[k], {{values[k], 0}}, progress_.result);
  }

  const Job& job_;
  std::span<const Run> runs_;
  const parallel::Communicator& team_;
  const Report& report_;
  PointProgress& progress_;
  std::vector<double> flops_;
  double all_flops_ = 0;
  double done_flops_ = 0;
};

}  // namespace

template <class Real>
void evolve_vectors(const Job& job, std::span<const Run> runs, const parallel::Communicator& team,
                    const Report& report, const Continuation& continuation,
                    PointProgress& progress) {
  VectorRuns<Real>(job, runs, team, report, progress).evolve(continuation);
}

#define RANKINE_INSTANTIATE(Real)                                                  \
  template void evolve_vectors<Real>(const Job&, std::span<const Run>,             \
                                     const parallel::Communicator&, const Report&, \
                                     const Continuation&, PointProgress&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
