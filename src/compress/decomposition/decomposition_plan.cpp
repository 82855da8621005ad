#include "compress/decomposition/decomposition_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text_format.hpp"
#include "linalg/distributed/distribution.hpp"
#include "linalg/distributed/process_grid.hpp"

namespace rankine::compress {

namespace {

constexpr double rate = 20e9;           // operations, as cost_of counts them, a second and rank
constexpr double spread_rate = 14e9;    // the same of each rank of a grid
constexpr double step_seconds = 50e-6;  // one column of a distributed reduction

/// The matrices of a group, in numbers.
struct Sizes {
  double inputs;          ///< second moment of the inputs
  double weights = 0;     ///< all matrices
  double outputs = 0;     ///< all second moments of output gradients
  double matrix = 0;      ///< the largest matrix
  double gradient = 0;    ///< its second moment of output gradients
  double components = 0;  ///< the square of its rank

  explicit Sizes(const GroupShape& group) : inputs(static_cast<double>(group.input_numbers)) {
    const auto n = static_cast<double>(group.columns);
    for (const std::int64_t rows : group.rows) {
      const auto m = static_cast<double>(rows);
      const double square = group.is_two_sided ? m * m : 0;
      weights += m * n;
      outputs += square;
      matrix = std::max(matrix, m * n);
      gradient = std::max(gradient, square);
      components = std::max(components, std::min(m, n) * std::min(m, n));
    }
  }
};

/// Of a matrix spread over the grid, how much more than its even share the largest rank has.
double imbalance(std::int64_t rows, std::int64_t columns, int ranks) {
  const linalg::GridShape grid = linalg::squarest(ranks);
  const std::int64_t block = block_of(std::min(rows, columns), ranks);
  const auto share = [&](std::int64_t size, int parts) {
    const linalg::Axis axis(size, block, parts);
    return static_cast<double>(axis.local_size(0) * parts) / static_cast<double>(size);
  };
  return share(rows, grid.rows) * share(columns, grid.columns);
}

double whole_seconds(const std::vector<GroupShape>& groups, const DecompositionMachine& machine) {
  double all = 0, longest = 0;
  for (const GroupShape& group : groups) {
    all += cost_of(group) / rate;
    longest = std::max(longest, cost_of(group) / rate);
  }
  return std::max(longest, all / machine.ranks);
}

double spread_seconds(const std::vector<GroupShape>& groups, const DecompositionMachine& machine) {
  double all = 0;
  for (const GroupShape& group : groups) {
    double steps = static_cast<double>(group.columns);
    for (const std::int64_t rows : group.rows)
      steps += 2.0 * static_cast<double>(std::min(rows, group.columns));
    all += cost_of(group) / (spread_rate * machine.ranks) + steps * step_seconds;
  }
  return all;
}

bool is_faster_spread(const std::vector<GroupShape>& groups, const DecompositionMachine& machine) {
  return 2 * std::ssize(groups) <= machine.ranks &&
         spread_seconds(groups, machine) < whole_seconds(groups, machine);
}

std::string reason_of(const DecompositionPlan& plan, double largest_whole, double bytes,
                      int ranks) {
  const auto spread = std::ranges::count(plan.placements, Placement::all_ranks);
  const auto whole = std::ssize(plan.placements) - spread;
  const std::string memory =
      fmt::format("a whole one needs up to {}, a rank may use {}", format_bytes(largest_whole),
                  bytes > 0 ? format_bytes(bytes) : "an unknown amount");
  const std::string over = ranks == 1 ? "1 rank" : fmt::format("all {} ranks", ranks);
  if (spread == 0)
    return fmt::format("{} of weights decomposed whole on single ranks, {} at once on each ({})",
                       counted(whole, "group"), plan.at_once, memory);
  if (bytes > 0 && largest_whole > bytes)
    return fmt::format("{} of weights decomposed over {}, {} whole ({})", counted(spread, "group"),
                       over, whole, memory);
  return fmt::format("{} of weights decomposed over {} (clearly fewer groups)",
                     counted(spread, "group"), over);
}

}  // namespace

double cost_of(const GroupShape& group) {
  const auto n = static_cast<double>(group.columns);
  double cost = n * static_cast<double>(group.input_numbers) / 3;
  for (const std::int64_t rows : group.rows) {
    const auto m = static_cast<double>(rows);
    cost += m * n * (std::min(m, n) * 6 + m + n);
  }
  return cost;
}

std::int64_t block_of(std::int64_t smaller_side, int ranks) {
  const linalg::GridShape grid = linalg::squarest(ranks);
  return std::clamp<std::int64_t>(smaller_side / std::max(grid.rows, grid.columns), 8, 64);
}

double whole_group_bytes(const GroupShape& group) {
  const Sizes s(group);
  // The factor of G is made beside two copies of it; then each matrix stands beside its scaled
  // and transposed copies, its singular vectors and LAPACK's workspace.
  const double factor = 4 * s.inputs;
  const double vectors = s.inputs + 2 * s.gradient + 7 * s.matrix + 4 * s.components;
  return 8 * (s.weights + s.outputs + std::max(factor, vectors));
}

double spread_group_bytes(const GroupShape& group, int ranks) {
  const Sizes s(group);
  // Messages count twice while a matrix moves; eigenvectors take a workspace of three matrices.
  const double factor = 7 * s.inputs;
  const double gradient = s.inputs + 5 * s.gradient;
  const double vectors = s.inputs + s.gradient + 12 * s.matrix + 6 * s.components;
  double worst = 1;
  for (const std::int64_t rows : group.rows)
    worst = std::max(worst, imbalance(rows, group.columns, ranks));
  return 8 * std::max({factor, gradient, vectors}) * worst / ranks;
}

DecompositionPlan plan_decomposition(const std::vector<GroupShape>& groups,
                                     const DecompositionMachine& machine) {
  constexpr double unlimited = std::numeric_limits<double>::infinity();
  const double bytes = machine.bytes > 0 ? machine.bytes : unlimited;
  const bool spread_all = is_faster_spread(groups, machine);
  DecompositionPlan plan;
  double largest = 0, largest_whole = 0, largest_spread = 0;
  for (const GroupShape& group : groups) {
    const double whole = whole_group_bytes(group);
    largest = std::max(largest, whole);
    const bool is_spread = machine.ranks > 1 && (spread_all || whole > bytes);
    plan.placements.push_back(is_spread ? Placement::all_ranks : Placement::one_rank);
    if (is_spread)
      largest_spread = std::max(largest_spread, spread_group_bytes(group, machine.ranks));
    else
      largest_whole = std::max(largest_whole, whole);
  }
  if (largest_whole > 0)
    plan.at_once = static_cast<int>(
        std::clamp(std::floor(bytes / largest_whole), 1.0, static_cast<double>(machine.threads)));
  plan.working_bytes = std::max(plan.at_once * largest_whole, largest_spread);
  plan.reason = reason_of(plan, largest, machine.bytes, machine.ranks);
  return plan;
}

}  // namespace rankine::compress
