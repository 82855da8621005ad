#include "compress/experiments/centroid_changes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/contracts.hpp"

namespace rankine::compress {

namespace {

std::vector<double> scrambled(const SharedValues& shared, RandomStream& random) {
  std::vector<double> values = shared.values;
  random.shuffle(std::span(values));
  return values;
}

std::vector<double> redrawn(const SharedValues& shared, RandomStream& random) {
  const Spread matrix = spread_of(shared.values, shared.members);
  std::vector<double> values(shared.values.size());
  for (double& value : values)
    value = matrix.mean + matrix.deviation * normal_quantile(random.uniform());
  std::ranges::sort(values);
  return values;
}

std::vector<double> redrawn_by_share(const SharedValues& shared, RandomStream& random) {
  const HeavyTail matrix = HeavyTail::fit(shared);
  const auto all = static_cast<double>(
      std::accumulate(shared.members.begin(), shared.members.end(), std::int64_t{0}));
  std::vector<double> values;
  double below = 0;  // entries with smaller values
  for (const std::int64_t members : shared.members) {
    const double place = (below + random.uniform() * static_cast<double>(members)) / all;
    values.push_back(matrix.quantile(std::clamp(place, 0x1p-52, 1 - 0x1p-52)));
    below += static_cast<double>(members);
  }
  return values;
}

}  // namespace

const std::vector<std::string>& centroid_change_names() {
  static const std::vector<std::string> names = {"scrambled", "scrambled-matched", "redrawn",
                                                 "redrawn-rescaled", "redrawn-by-share"};
  return names;
}

CentroidChange centroid_change_of(const std::string& name) {
  const auto& names = centroid_change_names();
  const auto place = std::ranges::find(names, name);
  RANKINE_EXPECTS(place != names.end(), "the name of a change is known");
  return static_cast<CentroidChange>(place - names.begin());
}

Spread spread_of(const std::vector<double>& values, const std::vector<std::int64_t>& members) {
  RANKINE_EXPECTS(values.size() == members.size(), "every value has its members");
  double count = 0, sum = 0, squares = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    count += static_cast<double>(members[k]);
    sum += static_cast<double>(members[k]) * values[k];
  }
  if (count == 0) return {};
  const double mean = sum / count;
  for (std::size_t k = 0; k < values.size(); ++k)
    squares += static_cast<double>(members[k]) * (values[k] - mean) * (values[k] - mean);
  return {mean, std::sqrt(squares / count)};
}

HeavyTail HeavyTail::fit(const SharedValues& shared) {
  const Spread spread = spread_of(shared.values, shared.members);
  std::vector<double> distances;
  for (const double value : shared.values) distances.push_back(std::abs(value - spread.mean));
  const double absolute = spread_of(distances, shared.members).mean;
  double low = 0, high = 0.499;  // at 1/2 the deviation is infinite
  for (int halving = 0; halving < 60; ++halving) {
    const double h = 0.5 * (low + high);
    const double ratio = std::sqrt(2 / std::numbers::pi) * std::pow(1 - 2 * h, 0.75) / (1 - h);
    (ratio * spread.deviation > absolute ? low : high) = h;
  }
  return {low};
}

double HeavyTail::quantile(double probability) const {
  const double z = normal_quantile(probability);
  return z * std::exp(0.5 * h * z * z);
}

std::vector<double> rescaled(std::vector<double> values, const std::vector<std::int64_t>& members,
                             const Spread& wanted) {
  const Spread present = spread_of(values, members);
  const double factor =
      present.deviation > 0 && wanted.deviation > 0 ? wanted.deviation / present.deviation : 1;
  for (double& value : values) value = wanted.mean + factor * (value - present.mean);
  return values;
}

std::vector<double> changed(CentroidChange change, const SharedValues& shared,
                            RandomStream& random) {
  const auto corrected = [&](std::vector<double> values) {
    return rescaled(std::move(values), shared.members, spread_of(shared.values, shared.members));
  };
  switch (change) {
    case CentroidChange::scrambled:
      return scrambled(shared, random);
    case CentroidChange::scrambled_matched:
      return corrected(scrambled(shared, random));
    case CentroidChange::redrawn:
      return redrawn(shared, random);
    case CentroidChange::redrawn_rescaled:
      return corrected(redrawn(shared, random));
    case CentroidChange::redrawn_by_share:
      return corrected(redrawn_by_share(shared, random));
  }
  return shared.values;
}

}  // namespace rankine::compress
