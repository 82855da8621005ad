#include "models/image/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/errors.hpp"
#include "core/random_stream.hpp"

namespace rankine::models {

namespace {

/// Summed over the other classes, so that small scores keep their digits.
double defect_score(std::span<const double> logits, std::size_t good) {
  const double largest = std::ranges::max(logits);
  double others = 0;
  for (std::size_t c = 0; c < logits.size(); ++c)
    if (c != good) others += std::exp(logits[c] - largest);
  return others / (others + std::exp(logits[good] - largest));
}

std::int64_t count_below(const std::vector<double>& ascending, double bound) {
  return std::ranges::lower_bound(ascending, bound) - ascending.begin();
}

/// Of an area estimated from `good` and `defective` parts.
double area_variance(double area, double good, double defective) {
  const double more = 0.5 * (good + defective) - 1;
  return area * (1 - area) * (1 + more * ((1 - area) / (2 - area) + area / (1 + area))) /
         (good * defective);
}

/// The area between the estimate and `end` that lies 1.96 of its own standard deviations off.
double end_of_interval(double estimate, double end, double good, double defective) {
  const double reach = normal_quantile(0.975);
  double inside = estimate, outside = end;
  while (true) {
    const double middle = 0.5 * (inside + outside);
    if (middle == inside || middle == outside) return middle;
    const double distance = std::abs(estimate - middle);
    const bool is_inside = distance < reach * std::sqrt(area_variance(middle, good, defective));
    (is_inside ? inside : outside) = middle;
  }
}

}  // namespace

DefectScores defect_scores(const Logits& logits, std::span<const std::int64_t> labels,
                           std::int64_t good_class) {
  DefectScores scores;
  for (std::size_t i = 0; i < labels.size(); ++i)
    (labels[i] == good_class ? scores.good : scores.defective)
        .push_back(defect_score(logits.of(i), static_cast<std::size_t>(good_class)));
  std::ranges::sort(scores.good);
  std::ranges::sort(scores.defective);
  return scores;
}

double threshold_for(const DefectScores& validation, double target_escape) {
  const std::vector<double>& defective = validation.defective;
  if (defective.empty())
    throw InputError(
        "no validation image shows a defect (the threshold follows from the defects that it lets "
        "pass). Choose validation images of all classes.");
  const auto share = [&](std::size_t passed) {
    return static_cast<double>(passed) / static_cast<double>(defective.size());
  };
  std::size_t passed = 0;
  while (passed + 1 < defective.size() && share(passed + 1) <= target_escape) ++passed;
  return defective[passed];
}

Area area_under_curve(const DefectScores& scores) {
  const auto good = static_cast<double>(scores.good.size());
  const auto defective = static_cast<double>(scores.defective.size());
  if (good == 0 || defective == 0) return {std::numeric_limits<double>::quiet_NaN(), {0, 1}};
  double above = 0;
  for (const double score : scores.defective) {
    const auto equal = std::ranges::equal_range(scores.good, score);
    above += static_cast<double>(equal.begin() - scores.good.begin()) +
             0.5 * static_cast<double>(equal.size());
  }
  const double area = above / (good * defective);
  return {area,
          {end_of_interval(area, 0, good, defective), end_of_interval(area, 1, good, defective)}};
}

Inspection inspect(const DefectScores& scores, double threshold) {
  const std::int64_t good = std::ssize(scores.good);
  return {.threshold = threshold,
          .missed_defects =
              rate_of(count_below(scores.defective, threshold), std::ssize(scores.defective)),
          .false_alarms = rate_of(good - count_below(scores.good, threshold), good),
          .auc = area_under_curve(scores)};
}

}  // namespace rankine::models
