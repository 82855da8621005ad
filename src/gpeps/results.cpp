#include "gpeps/results.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace rankine::gpeps {

namespace {

using Values = std::vector<double>;
const std::vector<std::string> per_step{"points", "measured steps"};

bool is_done(const PointResult& result) { return !result.fidelity.empty(); }

/// One row per point, NaN where a point is not done.
template <class Row>
Values rows(const std::vector<PointResult>& results, std::size_t length, const Row& row) {
  Values all;
  for (const PointResult& result : results) {
    const Values missing(length, std::numeric_limits<double>::quiet_NaN());
    const Values values = is_done(result) ? row(result) : missing;
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// "mean-field", or one name per measured step where they differ.
std::string route_names(const Observable& observable) {
  std::string names;
  bool same = true;
  for (const Reading& reading : observable.readings) {
    same = same && reading.name() == observable.readings.front().name();
    names += (names.empty() ? "" : ",") + reading.name();
  }
  return same ? observable.readings.front().name() : names;
}

void write_observables(files::ResultFile& file, const Job& job,
                       const std::vector<PointResult>& results) {
  const std::size_t n_points = results.size(), n_columns = job.plan.measured_steps.size();
  for (std::size_t index = 0; index < job.plan.observables.size(); ++index) {
    const Observable& observable = job.plan.observables[index];
    const std::string name = observable.string
                                 ? fmt::format("expectation value of {}", observable.text)
                                 : "mean of Z over all sites";
    file.write("/results/" + observable.dataset(),
               rows(results, n_columns, [&](const PointResult& r) { return r.observables[index]; }),
               {n_points, n_columns},
               {name,
                "1",
                per_step,
                {{"route", route_names(observable)},
                 {"pauli_string", observable.string ? observable.text : std::string()}}});
    if (observable.string) continue;
    const auto n_sites = static_cast<std::size_t>(job.graph.n_sites());
    file.write("/results/site_z",
               rows(results, n_columns * n_sites,
                    [&](const PointResult& r) {
                      Values all;
                      for (const Values& sites : r.site_z)
                        all.insert(all.end(), sites.begin(), sites.end());
                      return all;
                    }),
               {n_points, n_columns, n_sites},
               {"expectation value of Z on each site", "1", {"points", "measured steps", "sites"}});
  }
}

void write_accuracy(files::ResultFile& file, const Job& job,
                    const std::vector<PointResult>& results) {
  const std::size_t n_points = results.size(), n_columns = job.plan.measured_steps.size();
  const std::vector<std::size_t> shape{n_points, n_columns};
  file.write("/results/discarded_weight",
             rows(results, n_columns, [](const PointResult& r) { return r.discarded_weight; }),
             shape,
             {"sum of the relative discarded weights of all bond updates so far", "1", per_step});
  file.write("/results/fidelity",
             rows(results, n_columns, [](const PointResult& r) { return r.fidelity; }), shape,
             {"product of (1 - discarded weight) of all bond updates so far", "1", per_step});
  std::vector<std::int64_t> dimensions;
  for (const PointResult& result : results)
    for (std::size_t column = 0; column < n_columns; ++column)
      dimensions.push_back(is_done(result) ? std::llround(result.bond_dimension[column]) : -1);
  file.write("/results/bond_dimension", dimensions, shape,
             {"largest bond dimension reached so far", "1", per_step});
}

}  // namespace

void write_results(files::ResultFile& file, const Job& job, const std::vector<Point>& points,
                   const std::vector<PointResult>& results) {
  Values theta_h, seconds;
  std::vector<std::int64_t> limits;
  for (std::size_t p = 0; p < points.size(); ++p) {
    theta_h.push_back(points[p].theta_h);
    limits.push_back(points[p].max_bond_dimension);
    seconds.push_back(is_done(results[p]) ? results[p].seconds
                                          : std::numeric_limits<double>::quiet_NaN());
  }
  const std::vector<std::int64_t> steps(job.plan.measured_steps.begin(),
                                        job.plan.measured_steps.end());
  if (job.plan.uses_theta_h)
    file.write("/results/theta_h", theta_h, {points.size()}, {"kick angle", "rad", {"points"}});
  file.write("/results/max_bond_dimension", limits, {points.size()},
             {"largest bond dimension allowed", "1", {"points"}});
  file.write("/results/steps", steps, {steps.size()},
             {"steps after which was measured", "1", {"measured steps"}});
  write_observables(file, job, results);
  write_accuracy(file, job, results);
  file.write("/timing/point_seconds", seconds, {points.size()},
             {"wall time of each point on its team", "s", {"points"}});

  const auto& options = job.options;
  file.set_attribute("/results", "title", options.title);
  file.set_attribute("/results", "lattice", job.graph.name());
  file.set_attribute("/results", "n_sites", std::int64_t{job.graph.n_sites()});
  file.set_attribute("/results", "n_edges", std::int64_t{job.graph.n_edges()});
  file.set_attribute("/results", "circuit", options.circuit.name);
  if (job.plan.uses_theta_j) file.set_attribute("/results", "theta_j", options.circuit.theta_j);
  if (options.circuit.name == "kicked-ising")
    file.set_attribute("/results", "final_rx_layer", std::int64_t{options.circuit.final_rx_layer});
}

std::string results_table(const Job& job, const std::vector<Point>& points,
                          const std::vector<PointResult>& results) {
  const bool shows_angle = job.plan.uses_theta_h;
  std::string table = fmt::format("{}{:>8}", shows_angle ? "   theta_h " : "", "max bond");
  for (const Observable& observable : job.plan.observables) {
    std::string name = observable.dataset();
    if (name.size() > 18) name = name.substr(0, 15) + "...";
    table += fmt::format(" {:>20}", name);
  }
  table += fmt::format(" {:>6} {:>11} {:>10} {:>9}\n", "bond", "discarded", "fidelity", "seconds");
  for (std::size_t p = 0; p < points.size(); ++p) {
    if (shows_angle) table += fmt::format("{:>10.6f} ", points[p].theta_h);
    table += fmt::format("{:>8}", points[p].max_bond_dimension);
    for (const Values& values : results[p].observables)
      table += fmt::format(" {:>20.14f}", values.back());
    table += fmt::format(" {:>6} {:>11.2e} {:>10.6f} {:>9.2f}\n", results[p].bond_dimension.back(),
                         results[p].discarded_weight.back(), results[p].fidelity.back(),
                         results[p].seconds);
  }
  return table;
}

std::vector<double> packed(const PointResult& result) {
  Values numbers{result.seconds};
  const auto append = [&](const Values& values) {
    numbers.insert(numbers.end(), values.begin(), values.end());
  };
  for (const Values& values : result.observables) append(values);
  append(result.discarded_weight);
  append(result.fidelity);
  append(result.bond_dimension);
  for (const Values& values : result.site_z) append(values);
  return numbers;
}

PointResult unpacked(std::span<const double> numbers, const Job& job) {
  const std::size_t n_columns = job.plan.measured_steps.size();
  const auto take = [&](std::size_t count) {
    Values values(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(count));
    numbers = numbers.subspan(count);
    return values;
  };
  PointResult result;
  result.seconds = take(1).front();
  for (std::size_t index = 0; index < job.plan.observables.size(); ++index)
    result.observables.push_back(take(n_columns));
  result.discarded_weight = take(n_columns);
  result.fidelity = take(n_columns);
  result.bond_dimension = take(n_columns);
  const std::size_t n_sites = numbers.size() / n_columns;
  for (std::size_t column = 0; column < n_columns; ++column) result.site_z.push_back(take(n_sites));
  return result;
}

}  // namespace rankine::gpeps
