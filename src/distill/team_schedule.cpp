#include "distill/team_schedule.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/contracts.hpp"

namespace rankine::distill {

TeamSchedule::TeamSchedule(const std::vector<double>& costs, int teams, int waves)
    : waves_(waves),
      of_team_(static_cast<std::size_t>(teams)),
      team_of_(costs.size(), 0),
      loads_(static_cast<std::size_t>(teams), 0.0) {
  RANKINE_EXPECTS(teams > 0 && waves > 0, "there are teams and waves");
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t s) { return costs[s]; });
  for (const std::size_t slice : order) {
    if (costs[slice] <= 0) continue;
    const auto team = std::ranges::min_element(loads_) - loads_.begin();
    loads_[static_cast<std::size_t>(team)] += costs[slice];
    of_team_[static_cast<std::size_t>(team)].push_back(slice);
    team_of_[slice] = static_cast<int>(team);
  }
}

std::pair<std::size_t, std::size_t> TeamSchedule::part_of_wave(std::size_t count, int wave,
                                                               int waves) {
  const auto w = static_cast<std::size_t>(wave), of = static_cast<std::size_t>(waves);
  return {count * w / of, count * (w + 1) / of};
}

std::span<const std::size_t> TeamSchedule::slices(int team, int wave) const {
  const auto& all = of_team_[static_cast<std::size_t>(team)];
  const auto [first, end] = part_of_wave(all.size(), wave, waves_);
  return std::span(all).subspan(first, end - first);
}

double TeamSchedule::largest_load() const { return *std::ranges::max_element(loads_); }

namespace {

/// Seconds of `ranks` in `teams`, the first of which are larger by one rank where they differ. The
/// smallest team counts for all of them.
double seconds_of(const SimulatedWork& work, int ranks, int teams) {
  const auto size = static_cast<std::int64_t>(ranks / teams);
  const auto batch = static_cast<double>(work.batch_size);
  const auto share = static_cast<double>((work.batch_size + size - 1) / size);
  const double trained = TeamSchedule(work.slices, teams, 1).largest_load() * share / batch;
  return work.teacher / static_cast<double>(ranks) + trained;
}

}  // namespace

SimulatedTeams simulate(const SimulatedWork& work, int most) {
  SimulatedTeams result;
  for (int ranks = 1; ranks <= most; ++ranks) {
    double best = seconds_of(work, ranks, ranks);
    for (int teams = 1; teams < ranks; ++teams)
      best = std::min(best, seconds_of(work, ranks, teams));
    result.teams.push_back(ranks);
    result.seconds.push_back(best);
  }
  return result;
}

}  // namespace rankine::distill
