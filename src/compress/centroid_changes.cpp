#include "compress/centroid_changes.hpp"

#include <algorithm>
#include <cmath>
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
  const Spread matrix = spread_of(shared.values, shared.members);
  const auto all = static_cast<double>(
      std::accumulate(shared.members.begin(), shared.members.end(), std::int64_t{0}));
  std::vector<double> values;
  double below = 0;  // entries with smaller values
  for (const std::int64_t members : shared.members) {
    const double place = (below + random.uniform() * static_cast<double>(members)) / all;
    const double inside = std::clamp(place, 0x1p-52, 1 - 0x1p-52);
    values.push_back(matrix.mean + matrix.deviation * normal_quantile(inside));
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
