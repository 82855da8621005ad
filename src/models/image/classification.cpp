#include "models/image/classification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::models {

namespace {

void require_finite(std::span<const double> logits, std::size_t image) {
  if (std::ranges::all_of(logits, [](double logit) { return std::isfinite(logit); })) return;
  throw NumericalError(
      fmt::format("a logit of image {} is not finite (the network overflows, or holds numbers that "
                  "are not finite). Check the network and data.mean and data.std.",
                  image));
}

/// Classes that come before `label` in the order of the logits; the first of equal ones first.
std::int64_t place_of(std::size_t label, std::span<const double> logits) {
  std::int64_t place = 0;
  for (std::size_t c = 0; c < logits.size(); ++c)
    place += logits[c] > logits[label] || (logits[c] == logits[label] && c < label);
  return place;
}

double cross_entropy(std::size_t label, std::span<const double> logits) {
  const double largest = std::ranges::max(logits);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  return std::log(sum) - (logits[label] - largest);
}

std::vector<double> recalls(const std::vector<std::int64_t>& confusion, std::int64_t classes) {
  std::vector<double> recall;
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto row = std::span(confusion).subspan(static_cast<std::size_t>(c * classes),
                                                  static_cast<std::size_t>(classes));
    const auto images = std::accumulate(row.begin(), row.end(), std::int64_t{0});
    recall.push_back(images == 0 ? std::numeric_limits<double>::quiet_NaN()
                                 : static_cast<double>(row[static_cast<std::size_t>(c)]) /
                                       static_cast<double>(images));
  }
  return recall;
}

double mean_of_known(const std::vector<double>& values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return sum / count;
}

}  // namespace

Classification classify(const Logits& logits, std::span<const std::int64_t> labels) {
  RANKINE_EXPECTS(!labels.empty() && logits.images() == labels.size(), "images have labels");
  const auto classes = static_cast<std::size_t>(logits.classes);
  Classification result{.classes = logits.classes};
  result.confusion.resize(classes * classes);
  std::int64_t first = 0, first_five = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.of(i);
    require_finite(row, i);
    const auto label = static_cast<std::size_t>(labels[i]);
    const auto predicted = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    const std::int64_t place = place_of(label, row);
    first += place == 0;
    first_five += place < 5;
    result.loss += cross_entropy(label, row);
    ++result.confusion[label * classes + predicted];
    result.predictions.push_back(static_cast<std::int64_t>(predicted));
  }
  const auto images = static_cast<double>(labels.size());
  result.accuracy = static_cast<double>(first) / images;
  if (logits.classes > 5) result.top5_accuracy = static_cast<double>(first_five) / images;
  result.loss /= images;
  result.recall = recalls(result.confusion, logits.classes);
  result.macro_miss_rate = 1 - mean_of_known(result.recall);
  return result;
}

Score score_of(const Classification& classification, const std::optional<Inspection>& inspection) {
  Score score{.loss = classification.loss,
              .metrics = {{"accuracy", "fraction of the test images whose class is found",
                           classification.accuracy}}};
  const auto add = [&](const char* name, const char* meaning, double value) {
    score.metrics.push_back({name, meaning, value});
  };
  if (classification.top5_accuracy)
    add("top5_accuracy", "fraction of the test images whose class is among the five likeliest",
        *classification.top5_accuracy);
  if (inspection) {
    add("missed_defect_rate", "fraction of the defective parts that are passed",
        inspection->missed_defects.value);
    add("false_alarm_rate", "fraction of the good parts that are rejected",
        inspection->false_alarms.value);
    add("auc", "probability that a defective part is scored above a good one",
        inspection->auc.value);
  } else {
    add("macro_miss_rate", "one minus the mean recall of the classes",
        classification.macro_miss_rate);
  }
  return score;
}

}  // namespace rankine::models
