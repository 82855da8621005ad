#include "parallel/teams.hpp"

#include <fmt/core.h>

#include "core/errors.hpp"
#include "core/text_format.hpp"

namespace rankine::parallel {

namespace {

int team_of_rank(int rank, int n_ranks, int n_teams) {
  const int smaller_size = n_ranks / n_teams;
  const int n_larger = n_ranks % n_teams;
  const int ranks_in_larger = n_larger * (smaller_size + 1);
  return rank < ranks_in_larger ? rank / (smaller_size + 1)
                                : n_larger + (rank - ranks_in_larger) / smaller_size;
}

int checked_count(int n_teams, int n_ranks) {
  if (n_teams >= 1 && n_teams <= n_ranks) return n_teams;
  throw known_to_all(
      n_ranks, InputError(fmt::format(
                   "Cannot form {} of {} (every team needs a rank). Ask for at most {} or "
                   "start more ranks.",
                   counted(n_teams, "team"), counted(n_ranks, "rank"), counted(n_ranks, "team"))));
}

}  // namespace

Teams::Teams(const Communicator& world, int n_teams)
    : count_(checked_count(n_teams, world.size())),
      index_(team_of_rank(world.rank(), world.size(), count_)),
      team_(world.split(index_, world.rank())) {}

}  // namespace rankine::parallel
