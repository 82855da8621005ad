// The passes over logits; compiled with fast math, so infinities are kept to logit_parts.cpp.
#include <algorithm>
#include <cmath>

#include "models/language/logit_parts.hpp"

namespace rankine::models {

namespace {

/// Float sums are kept this short; their totals are float64.
constexpr std::int64_t block = 1024;

template <class T>
T largest_of(const T* row, std::int64_t columns) {
  T top = row[0];
#pragma omp simd reduction(max : top)
  for (std::int64_t i = 0; i < columns; ++i) top = std::max(top, row[i]);
  return top;
}

/// Sum of exp(row - top).
template <class T>
double exponential_sum(const T* row, std::int64_t columns, T top) {
  double total = 0;
  for (std::int64_t first = 0; first < columns; first += block) {
    const std::int64_t last = std::min(first + block, columns);
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = first; i < last; ++i) sum += std::exp(row[i] - top);
    total += static_cast<double>(sum);
  }
  return total;
}

template <class T>
LogitPart measure_row(const T* row, std::int64_t columns, std::int64_t first_column) {
  LogitPart part;
  if (columns == 0) return part;
  const T top = largest_of(row, columns);
  part.largest = static_cast<double>(top);
  part.sum = exponential_sum(row, columns, top);
  part.top_id = first_column + (std::find(row, row + columns, top) - row);
  return part;
}

}  // namespace

template <class T>
void measure_logits(const T* logits, std::int64_t columns, std::int64_t first_column,
                    std::span<const std::int64_t> targets, std::span<LogitPart> parts) {
#pragma omp parallel for
  for (std::size_t t = 0; t < parts.size(); ++t) {
    const T* row = logits + static_cast<std::int64_t>(t) * columns;
    parts[t] = measure_row(row, columns, first_column);
    if (targets.empty()) continue;
    const std::int64_t target = targets[t] - first_column;
    if (target >= 0 && target < columns) parts[t].target = static_cast<double>(row[target]);
  }
}

template <class T>
void compare_logits(const T* reference, const T* model, std::int64_t columns,
                    std::int64_t first_column, std::span<ComparisonPart> parts) {
#pragma omp parallel for
  for (std::size_t t = 0; t < parts.size(); ++t) {
    const T* r = reference + static_cast<std::int64_t>(t) * columns;
    const T* m = model + static_cast<std::int64_t>(t) * columns;
    parts[t] = {measure_row(r, columns, first_column), 0};
    const T top = static_cast<T>(parts[t].reference.largest);
    for (std::int64_t first = 0; first < columns; first += block) {
      const std::int64_t last = std::min(first + block, columns);
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t i = first; i < last; ++i) sum += std::exp(r[i] - top) * (r[i] - m[i]);
      parts[t].difference += static_cast<double>(sum);
    }
  }
}

template <class T>
void logits_to_gradient(T* logits, std::int64_t columns, std::int64_t first_column,
                        std::span<const std::int64_t> targets, std::span<const double> log_sums,
                        std::span<const double> weights) {
#pragma omp parallel for
  for (std::size_t t = 0; t < targets.size(); ++t) {
    T* row = logits + static_cast<std::int64_t>(t) * columns;
    const T shift = static_cast<T>(log_sums[t]), weight = static_cast<T>(weights[t]);
#pragma omp simd
    for (std::int64_t i = 0; i < columns; ++i) row[i] = weight * std::exp(row[i] - shift);
    const std::int64_t target = targets[t] - first_column;
    if (target >= 0 && target < columns) row[target] -= weight;
  }
}

template <class T>
void divergence_to_gradient(T* logits, const T* reference, std::int64_t columns,
                            const LogSums& log_sums, std::span<const double> weights) {
#pragma omp parallel for
  for (std::size_t t = 0; t < weights.size(); ++t) {
    T* row = logits + static_cast<std::int64_t>(t) * columns;
    const T* other = reference + static_cast<std::int64_t>(t) * columns;
    const T shift = static_cast<T>(log_sums.model[t]), weight = static_cast<T>(weights[t]);
    const T other_shift = static_cast<T>(log_sums.reference[t]);
#pragma omp simd
    for (std::int64_t i = 0; i < columns; ++i)
      row[i] = weight * (std::exp(row[i] - shift) - std::exp(other[i] - other_shift));
  }
}

#define RANKINE_INSTANTIATE(T)                                                                \
  template void measure_logits<T>(const T*, std::int64_t, std::int64_t,                       \
                                  std::span<const std::int64_t>, std::span<LogitPart>);       \
  template void compare_logits<T>(const T*, const T*, std::int64_t, std::int64_t,             \
                                  std::span<ComparisonPart>);                                 \
  template void logits_to_gradient<T>(T*, std::int64_t, std::int64_t,                         \
                                      std::span<const std::int64_t>, std::span<const double>, \
                                      std::span<const double>);                               \
  template void divergence_to_gradient<T>(T*, const T*, std::int64_t, const LogSums&,         \
                                          std::span<const double>);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::models
