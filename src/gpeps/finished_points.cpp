#include "gpeps/finished_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/errors.hpp"
#include "files/hdf5/result_reader.hpp"
#include "gpeps/results.hpp"

namespace rankine::gpeps {

namespace {

using Values = std::vector<double>;

constexpr double not_done = -1;  ///< the bond dimension of a point without results

/// The datasets of a result file, row by row.
class StoredPoints {
 public:
  StoredPoints(std::filesystem::path file, const Job& job) : file_(std::move(file)), job_(job) {}

  std::size_t count() { return values("max_bond_dimension").size(); }
  bool is_done(std::size_t row) { return part("bond_dimension", row).front() != not_done; }

  Point point(std::size_t row) {
    const auto limit = static_cast<std::int64_t>(values("max_bond_dimension")[row]);
    if (!job_.circuit.uses("theta_h"))
      return {parameters_at(job_.options, job_.options.circuit.theta_h.front()), limit};
    return {parameters_at(job_.options, values("theta_h")[row]), limit};
  }

  /// In the order of `packed`.
  PointResult result(std::size_t row) {
    Values numbers = part("/timing/point_seconds", row);
    const auto append = [&](const Values& more) {
      numbers.insert(numbers.end(), more.begin(), more.end());
    };
    const std::size_t n_columns = job_.plan.measured_steps.size();
    for (const Observable& observable : job_.plan.observables)
      append(part(observable.dataset(), row));
    for (const Observable& observable : job_.plan.observables)
      append(observable.is_exact() ? Values(n_columns, 0)
                                   : part("uncertainty/" + observable.dataset(), row));
    for (const char* name : {"discarded_weight", "fidelity", "bond_dimension"})
      append(part(name, row));
    if (!job_.plan.sites.empty()) append(part("site_z", row));
    return unpacked(numbers, job_);
  }

 private:
  const Values& values(const std::string& name) {
    auto [entry, is_new] = datasets_.try_emplace(name);
    if (is_new)
      entry->second =
          files::read_doubles(file_, name.starts_with('/') ? name : "/results/" + name).values;
    return entry->second;
  }
  /// What belongs to one point.
  Values part(const std::string& name, std::size_t row) {
    const Values& all = values(name);
    const std::size_t length = all.size() / count();
    if (length == 0 || length * count() != all.size())
      throw InputError(fmt::format("'{}' has {} values, which are no rows of {} points", name,
                                   all.size(), count()));
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(row * length);
    return {first, first + static_cast<std::ptrdiff_t>(length)};
  }

  std::filesystem::path file_;
  const Job& job_;
  std::map<std::string, Values> datasets_;
};

bool is_same(const Point& a, const Point& b) {
  return a.max_bond_dimension == b.max_bond_dimension && a.parameters == b.parameters;
}

}  // namespace

std::int64_t count_finished_points(const std::filesystem::path& file) {
  const auto dimensions = files::read_integers(file, "/results/bond_dimension");
  const std::size_t columns = dimensions.shape.empty() ? 0 : dimensions.shape.back();
  std::int64_t done = 0;
  for (std::size_t first = 0; columns > 0 && first < dimensions.values.size(); first += columns)
    if (dimensions.values[first] != static_cast<std::int64_t>(not_done)) ++done;
  return done;
}

void take_finished_points(const std::filesystem::path& file, const Job& job,
                          const std::vector<Point>& points, std::vector<PointResult>& results) {
  StoredPoints stored(file, job);
  for (std::size_t row = 0; row < stored.count(); ++row) {
    if (!stored.is_done(row)) continue;
    const Point point = stored.point(row);
    const auto place =
        std::ranges::find_if(points, [&](const Point& wanted) { return is_same(wanted, point); });
    if (place == points.end())
      throw InputError(fmt::format(
          "Cannot go on from '{}' (the point of theta_h = {} and bond dimension {} is finished "
          "there and would be lost: the deck does not ask for it). Add it to the deck, choose "
          "another output.file, or move that file away.",
          file.string(), point.parameters.at("theta_h"), point.max_bond_dimension));
    results[static_cast<std::size_t>(place - points.begin())] = stored.result(row);
  }
}

}  // namespace rankine::gpeps
