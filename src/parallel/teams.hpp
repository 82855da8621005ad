// Two levels of parallelism: the world cut into teams of consecutive ranks.
#pragma once

#include "parallel/communicator.hpp"

namespace rankine::parallel {

/// Team sizes differ by at most one; the first teams are the larger ones.
class Teams {
 public:
  /// Collective over `world`. Throws InputError (on all ranks) unless 1 <= n_teams <= world.size().
  Teams(const Communicator& world, int n_teams);

  /// Which team this rank is in, in [0, count()).
  int index() const noexcept { return index_; }
  int count() const noexcept { return count_; }
  const Communicator& team() const noexcept { return team_; }
  /// Whether this rank is the first of its team.
  bool leads() const noexcept { return team_.rank() == 0; }

 private:
  int count_;
  int index_;
  Communicator team_;
};

}  // namespace rankine::parallel
