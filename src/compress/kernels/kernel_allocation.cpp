#include "compress/kernels/kernel_allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/allocation/allocation.hpp"
#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::compress {

namespace {

using Forms = std::vector<std::unique_ptr<KernelForm>>;

std::int64_t all_numbers(const std::vector<Kernel>& kernels) {
  std::int64_t sum = 0;
  for (const Kernel& kernel : kernels) sum += kernel.shape.dense_numbers();
  return sum;
}

std::vector<KernelRanks> at_fraction(const Forms& forms, double fraction, std::int64_t multiple) {
  std::vector<KernelRanks> ranks;
  for (const auto& form : forms) ranks.push_back(form->at_fraction(fraction, multiple));
  return ranks;
}

/// A form that would be no smaller is not taken.
std::int64_t numbers_at(const std::vector<Kernel>& kernels, const Forms& forms,
                        const std::vector<KernelRanks>& ranks) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < forms.size(); ++k)
    sum += std::min(forms[k]->numbers(ranks[k]), kernels[k].shape.dense_numbers());
  return sum;
}

std::int64_t budget_of(const std::vector<Kernel>& kernels, double ratio) {
  return static_cast<std::int64_t>(
      std::floor(ratio * static_cast<double>(all_numbers(kernels)) * (1 + 1e-12)));
}

/// Points by rising numbers, each of a smaller error than those before it.
std::vector<KernelPoint> useful(std::vector<KernelPoint> points, std::int64_t dense_numbers) {
  std::ranges::stable_sort(points, {}, [](const KernelPoint& point) {
    return std::pair(point.numbers, point.squared_error);
  });
  std::vector<KernelPoint> kept;
  double least = std::numeric_limits<double>::infinity();
  for (KernelPoint& point : points) {
    if (point.numbers >= dense_numbers || !(point.squared_error < least)) continue;
    least = point.squared_error;
    kept.push_back(std::move(point));
  }
  return kept;
}

/// What a squared error counts, before its weight.
double counted_error(double error, double whole) {
  if (!(whole > 0)) return 0;
  return -whole * std::log(std::max(1 - error / whole, 1e-12));
}

}  // namespace

double smallest_ratio(const std::vector<Kernel>& kernels, const Forms& forms,
                      std::int64_t multiple) {
  return static_cast<double>(numbers_at(kernels, forms, at_fraction(forms, 0, multiple))) /
         static_cast<double>(all_numbers(kernels));
}

std::vector<KernelRanks> uniform_kernel_ranks(const std::vector<Kernel>& kernels,
                                              const Forms& forms, double ratio,
                                              std::int64_t multiple) {
  const std::int64_t budget = budget_of(kernels, ratio);
  double low = 0, high = 1;
  std::vector<KernelRanks> best = at_fraction(forms, high, multiple);
  if (numbers_at(kernels, forms, best) <= budget) return best;
  best = at_fraction(forms, low, multiple);
  for (int halvings = 0; halvings < 40; ++halvings) {
    const double middle = (low + high) / 2;
    const auto ranks = at_fraction(forms, middle, multiple);
    if (numbers_at(kernels, forms, ranks) > budget) {
      high = middle;
    } else {
      low = middle;
      best = ranks;
    }
  }
  return best;
}

std::vector<KernelRanks> additive_kernel_ranks(const std::vector<Kernel>& kernels,
                                               const std::vector<KernelCurve>& curves,
                                               const std::vector<double>& error_weights,
                                               double ratio) {
  std::vector<Candidate> candidates;
  std::vector<std::vector<KernelPoint>> points;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    const weights::KernelShape& shape = kernels[k].shape;
    points.push_back(useful(curves[k].points, shape.dense_numbers()));
    const double counts = error_weights.empty() ? 1 : error_weights[k];
    Candidate candidate{kernels[k].name, {shape.outputs, shape.columns()}, {}};
    candidate.curve.push_back({0, std::numeric_limits<double>::max()});
    for (const KernelPoint& point : points.back())
      candidate.curve.push_back(
          {point.numbers, counts * counted_error(point.squared_error, curves[k].squared_norm)});
    candidate.curve.push_back({shape.dense_numbers(), 0});
    candidates.push_back(std::move(candidate));
  }
  const auto chosen = additive_ranks(candidates, FactorGauge::free, budget_of(kernels, ratio));
  std::vector<KernelRanks> ranks;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    RANKINE_EXPECTS(chosen[k] > 0, "the budget holds all kernels at their smallest ranks");
    const auto index = static_cast<std::size_t>(chosen[k]) - 1;
    ranks.push_back(index < points[k].size() ? points[k][index].ranks : KernelRanks{});
  }
  return ranks;
}

}  // namespace rankine::compress
