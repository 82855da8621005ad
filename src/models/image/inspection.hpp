// Defect detection: a classifier with a class of good parts, read as passing or rejecting them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/image/logits.hpp"
#include "models/image/proportions.hpp"

namespace rankine::models {

/// How defective parts look, from 0 to 1: one minus the probability of the good class. Of parts
/// that are good and of those that are not, ascending.
struct DefectScores {
  std::vector<double> good;
  std::vector<double> defective;
};
DefectScores defect_scores(const Logits& logits, std::span<const std::int64_t> labels,
                           std::int64_t good_class);

/// Where nothing else is known: parts are rejected that are likelier defective than good.
inline constexpr double even_threshold = 0.5;

/// The largest threshold, and so the one with the fewest false alarms, at which at most
/// `target_escape` of the defective parts are passed. For validation images, never for the test
/// images that the threshold is then used on. Throws InputError if no part is defective.
double threshold_for(const DefectScores& validation, double target_escape);

/// Area under the curve of detected defects against false alarms: the probability that a defective
/// part is scored above a good one, ties counting half. Its interval is Newcombe's (2006, method
/// 5): the variance of Hanley and McNeil (1982) at the ends of the interval, so that it has a width
/// where all are told apart.
struct Area {
  double value = 0;  ///< NaN unless there are parts of both kinds
  Interval interval = {};
};
Area area_under_curve(const DefectScores& scores);

struct Inspection {
  double threshold = even_threshold;  ///< parts with at least this score are rejected
  Rate missed_defects;                ///< of the defective parts, those that are passed
  Rate false_alarms;                  ///< of the good parts, those that are rejected
  Area auc;
};
Inspection inspect(const DefectScores& scores, double threshold);

}  // namespace rankine::models
