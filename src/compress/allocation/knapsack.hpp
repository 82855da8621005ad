// One option for each of many matrices, so that the sum of their losses is least within a budget: a
// multiple-choice knapsack.
#pragma once

#include <cstdint>
#include <vector>

namespace rankine::compress {

/// What a matrix may become.
struct Option {
  std::int64_t rank;
  std::int64_t numbers;  ///< stored
  double loss;
};

/// The index of the option taken for each matrix. Dynamic programming over the matrices: of the
/// partial choices, those that are worse than another one in numbers and loss are dropped, and
/// those that cannot come back to the bound below. `price` is what a number is worth at the
/// optimum: with it the sum over the matrices of the least loss + price * numbers, less price *
/// budget, bounds every choice from below, and an option far above its matrix's least is never
/// taken. `known` is a choice within the budget; the result is never worse. Exact unless more than
/// some thousand partial choices compete; then the ones nearest to the bound are kept.
std::vector<std::size_t> choose_options(const std::vector<std::vector<Option>>& options,
                                        std::int64_t budget, double price,
                                        std::vector<std::size_t> known);

}  // namespace rankine::compress
