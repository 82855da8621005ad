// Which team trains which slice and when, from what the slices cost; and what other numbers of
// ranks would take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "distill/slice_report.hpp"

namespace rankine::distill {

class TeamSchedule {
 public:
  /// Each slice in turn, the longest first, goes to the team that has least to do. Slices of no
  /// cost are not trained.
  TeamSchedule(const std::vector<double>& costs, int teams, int waves);

  /// Which of so many slices of a team are trained in a wave: [first, end).
  static std::pair<std::size_t, std::size_t> part_of_wave(std::size_t count, int wave, int waves);

  int teams() const { return static_cast<int>(of_team_.size()); }
  int waves() const { return waves_; }
  /// The slices of a team in a wave, in the order in which it trains them.
  std::span<const std::size_t> slices(int team, int wave) const;
  int team_of(std::size_t slice) const { return team_of_[slice]; }
  /// Of the team that has most to do.
  double largest_load() const;

 private:
  int waves_;
  std::vector<std::vector<std::size_t>> of_team_;
  std::vector<int> team_of_;
  std::vector<double> loads_;
};

/// What a simulation is made of: times of one rank.
struct SimulatedWork {
  std::vector<double> slices;   ///< seconds of each
  double teacher = 0;           ///< seconds of the teacher's passes, which are dealt over all ranks
  std::int64_t batch_size = 1;  ///< samples of a step, which the ranks of a team share
};

/// For 1 to `most` ranks: one team a rank, or fewer teams of several ranks where that is quicker
/// (as it is where ranks outnumber slices). Of a batch that does not divide evenly the larger
/// shares count.
SimulatedTeams simulate(const SimulatedWork& work, int most);

}  // namespace rankine::distill
