#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rankine::train {

double Schedule::factor(std::int64_t step) const {
  const auto all = static_cast<double>(steps), done = static_cast<double>(step);
  const double rising = std::max(1.0, warm_up * all);
  if (done + 1 < rising) return (done + 1) / rising;
  const double fraction = (done + 1 - rising) / std::max(1.0, all - rising);
  return last_part +
         (1 - last_part) * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, fraction)));
}

}  // namespace rankine::train
