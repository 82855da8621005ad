// The points of a study (a sensitivity profile, cluster experiments) in run.directory: a study
// that was stopped goes on behind the last of them.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// A changed model.
struct ScoredPoint {
  models::Score score;  ///< loss and metrics, which may be infinite
  std::int64_t parameters = 0;
};

class KeptPoints {
 public:
  /// Points already known, of `total`. Collective over the world.
  KeptPoints(const Workbench& bench, run::Stage stage, std::size_t total);

  /// The next point to come, counted from 0.
  std::size_t next() const { return next_; }
  bool is_known(std::size_t point) const { return point < points_.size(); }

  /// The next point: known, or what `measure` returns (the same on all ranks), which is kept; then
  /// the run stops if it shall. Collective over the world.
  template <class Measure>
  ScoredPoint take(const Measure& measure) {
    if (!is_known(next_)) keep(measure());
    return points_[next_++];
  }

 private:
  void keep(const ScoredPoint& point);

  const Workbench& bench_;
  run::Stage stage_;
  std::vector<ScoredPoint> points_;
  std::size_t next_ = 0;
};

}  // namespace rankine::compress
