// Where the weights of a model are decomposed: whole matrices on single ranks, or one group of
// weights after the other over all ranks. Arithmetic only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rankine::compress {

/// Weights that share their inputs and are decomposed together.
struct GroupShape {
  std::int64_t columns = 0;             ///< of all of them
  std::vector<std::int64_t> rows = {};  ///< of each
  std::int64_t input_numbers = 0;       ///< n^2 where inputs are weighted, else 0
  bool is_two_sided = false;
};

/// What the ranks have; the same on all of them.
struct DecompositionMachine {
  int ranks = 1;
  int threads = 1;   ///< of each rank
  double bytes = 0;  ///< that a rank may use while it decomposes; 0 if unknown
};

enum class Placement {
  one_rank,   ///< whole, as many at once as threads and memory allow
  all_ranks,  ///< spread over a process grid, one after the other
};

struct DecompositionPlan {
  std::vector<Placement> placements;  ///< of each group
  int at_once = 1;                    ///< whole groups that a rank works on
  double working_bytes = 0;           ///< of the largest rank, an upper bound
  std::string reason;                 ///< one sentence
};

/// Bytes of a rank that decomposes the group whole, in float64, as an upper bound.
double whole_group_bytes(const GroupShape& group);
/// Bytes of the largest of `ranks` ranks over which the group is spread.
double spread_group_bytes(const GroupShape& group, int ranks);

/// Whole, unless it does not fit into the memory of a rank, or there are at most half as many
/// groups as ranks and spreading them is expected to be faster.
DecompositionPlan plan_decomposition(const std::vector<GroupShape>& groups,
                                     const DecompositionMachine& machine);

/// Floating-point operations of a whole group, up to a factor.
double cost_of(const GroupShape& group);

/// The edge of the square blocks of a spread matrix: small enough that all ranks get some of it.
std::int64_t block_of(std::int64_t smaller_side, int ranks);

}  // namespace rankine::compress
