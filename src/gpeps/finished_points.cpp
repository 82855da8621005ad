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

  PointResult result(std::size_t row) {
    PointResult result = empty_result(job_.plan);
    result.seconds = part("/timing/point_seconds", row).front();
    for (std::size_t index = 0; index < result.observables.size(); ++index) {
      const Observable& observable = *job_.plan.observables[index];
      take(observable.dataset(), row, result.observables[index]);
      if (observable.is_exact())
        std::ranges::fill(result.uncertainty[index], 0);
      else
        take("uncertainty/" + observable.dataset(), row, result.uncertainty[index]);
      if (const auto dataset = observable.parts_dataset())
        take_parts(part(dataset->name, row), result.parts[index]);
    }
    take("discarded_weight", row, result.discarded_weight);
    take("fidelity", row, result.fidelity);
    take("bond_dimension", row, result.bond_dimension);
    return result;
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

  void take(const std::string& name, std::size_t row, Values& to) {
    Values stored = part(name, row);
    if (stored.size() != to.size()) refuse();
    to = std::move(stored);
  }

  static void take_parts(const Values& stored, std::vector<std::vector<Value>>& to) {
    auto next = stored.begin();
    for (auto& column : to)
      for (Value& part : column) {
        if (next == stored.end()) refuse();
        part.value = *next++;
      }
    if (next != stored.end()) refuse();
  }

  [[noreturn]] static void refuse() {
    throw InputError("a stored result does not fit the deck. Start again without it.");
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
