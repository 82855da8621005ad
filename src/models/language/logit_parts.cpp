#include "models/language/logit_parts.hpp"

#include <algorithm>
#include <cmath>

namespace rankine::models {

void LogitPart::merge(const LogitPart& other) {
  if (other.sum == 0) return;  // no columns there
  const double before = largest;
  const double top = std::max(before, other.largest);
  sum = (sum == 0 ? 0 : sum * std::exp(before - top)) + other.sum * std::exp(other.largest - top);
  if (other.largest > before || (other.largest == before && other.top_id < top_id))
    top_id = other.top_id;
  largest = top;
  target = std::max(target, other.target);
}

double LogitPart::log_sum() const { return largest + std::log(sum); }

void ComparisonPart::merge(const ComparisonPart& other) {
  if (other.reference.sum == 0) return;
  const double top = std::max(reference.largest, other.reference.largest);
  difference = (reference.sum == 0 ? 0 : difference * std::exp(reference.largest - top)) +
               other.difference * std::exp(other.reference.largest - top);
  reference.merge(other.reference);
}

double ComparisonPart::divergence(const LogitPart& model) const {
  return difference / reference.sum - reference.log_sum() + model.log_sum();
}

std::int64_t tokens_per_chunk(std::int64_t columns) {
  constexpr std::int64_t numbers = std::int64_t{1} << 23;
  return std::max<std::int64_t>(16, numbers / std::max<std::int64_t>(1, columns));
}

}  // namespace rankine::models
