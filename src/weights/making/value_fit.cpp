#include "weights/making/value_fit.hpp"

#include <cmath>

namespace rankine::weights {

namespace {

/// In place by Cholesky, rows of the lower triangle; b becomes the solution. Unknowns without a
/// positive pivot stay zero.
void solve_positive(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i == j)
        a[i * n + i] = sum > 0 ? std::sqrt(sum) : 0;
      else
        a[i * n + j] = a[j * n + j] > 0 ? sum / a[j * n + j] : 0;
    }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] = a[i * n + i] > 0 ? b[i] / a[i * n + i] : 0;
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] = a[i * n + i] > 0 ? b[i] / a[i * n + i] : 0;
  }
}

}  // namespace

void ValueSystem::add(const ValueSystem& other) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += other.a[i];
  for (std::size_t i = 0; i < b.size(); ++i) b[i] += other.b[i];
}

void ValueSystem::add_row(const RowTile& tile, std::int64_t r,
                          const std::vector<float>& weighted_errors, std::span<const float> moment,
                          double weight) {
  const auto n = static_cast<std::size_t>(tile.columns()), clusters = b.size();
  const auto rows = static_cast<std::size_t>(tile.rows), row = static_cast<std::size_t>(r);
  std::vector<float> sums(clusters * n, 0.0F);  // P^T H
  std::vector<std::int32_t> codes(n);
  for (std::size_t j = 0; j < n; ++j) {
    codes[j] = tile.codes[j * rows + row];
    if (codes[j] < 0) continue;
    const auto code = static_cast<std::size_t>(codes[j]);
    b[code] -= weight * static_cast<double>(weighted_errors[j * rows + row]);
    const float* from = moment.data() + j * n;
    float* to = sums.data() + code * n;
    for (std::size_t k = 0; k < n; ++k) to[k] += from[k];
  }
  std::vector<double> of_code(clusters);
  for (std::size_t k = 0; k < clusters; ++k) {
    std::fill(of_code.begin(), of_code.end(), 0.0);
    for (std::size_t j = 0; j < n; ++j)
      if (codes[j] >= 0) of_code[static_cast<std::size_t>(codes[j])] += sums[k * n + j];
    for (std::size_t l = 0; l < clusters; ++l) a[k * clusters + l] += weight * of_code[l];
  }
}

std::vector<double> ValueSystem::solve(std::vector<double> right) const {
  const std::size_t clusters = b.size();
  double trace = 0;
  for (std::size_t k = 0; k < clusters; ++k) trace += a[k * clusters + k];
  std::vector<double> factor = a;
  for (std::size_t k = 0; k < clusters; ++k)
    factor[k * clusters + k] += 1e-7 * trace / static_cast<double>(clusters);
  solve_positive(factor, right);
  return right;
}

double ValueSystem::improve(std::span<double> values) const {
  const std::size_t clusters = b.size();
  const std::vector<double> changes = solve(b);
  double gain = 0;
  for (std::size_t k = 0; k < clusters; ++k) {
    double product = 0;
    for (std::size_t l = 0; l < clusters; ++l) product += a[k * clusters + l] * changes[l];
    gain += changes[k] * (2 * b[k] - product);
  }
  if (!(gain > 0)) return 0;
  for (std::size_t k = 0; k < clusters; ++k) values[k] += changes[k];
  return gain;
}

}  // namespace rankine::weights
