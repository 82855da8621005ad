#include "gpeps/results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace rankine::gpeps {

namespace {

using Values = std::vector<double>;
const std::vector<std::string> per_step{"points", "measured steps"};

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
  std::vector<std::string> routes;
  for (const auto& column : observable.columns()) routes.push_back(column.route);
  const bool same = std::ranges::count(routes, routes.front()) == std::ssize(routes);
  return same ? routes.front() : fmt::format("{}", fmt::join(routes, ","));
}

/// One value when all measured steps have the same, otherwise one each.
template <class T>
files::Attribute per_step_attribute(const std::vector<T>& values) {
  if (std::ranges::count(values, values.front()) == std::ssize(values)) return values.front();
  return values;
}

/// The largest uncertainty; NaN when one of those that are not exact is not known.
double largest_uncertainty(const std::vector<PointResult>& results, std::size_t index) {
  double largest = 0;
  for (const PointResult& result : results) {
    if (!is_done(result)) continue;
    for (double value : result.uncertainty[index])
      largest = std::isnan(value) ? value : std::max(largest, value);
    if (std::isnan(largest)) break;
  }
  return largest;
}

/// How an observable was read and what that left out.
std::map<std::string, files::Attribute> reading_attributes(const Observable& observable,
                                                           const std::vector<PointResult>& results,
                                                           std::size_t index) {
  std::vector<std::int64_t> count, shortest;
  std::vector<double> flops;
  for (const auto& column : observable.columns()) {
    count.push_back(column.ignored.count);
    shortest.push_back(column.ignored.shortest);
    flops.push_back(column.ignored.exact_flops);
  }
  return {{"route", route_names(observable)},
          {"loops_ignored", per_step_attribute(count)},
          {"shortest_loop_ignored", per_step_attribute(shortest)},
          {"exact_flops", per_step_attribute(flops)},
          {"uncertainty", largest_uncertainty(results, index)}};
}

void write_uncertainty(files::ResultFile& file, const Job& job,
                       const std::vector<PointResult>& results, std::size_t index) {
  const Observable& observable = *job.plan.observables[index];
  if (observable.is_exact()) return;
  const std::size_t n_columns = job.plan.measured_steps.size();
  file.write("/results/uncertainty/" + observable.dataset(),
             rows(results, n_columns, [&](const PointResult& r) { return r.uncertainty[index]; }),
             {results.size(), n_columns},
             {"estimate of the error made by ignoring loops, from what the nearest loops change",
              "1", per_step});
}

/// The parts of an observable, for those that have them in the file.
void write_parts(files::ResultFile& file, const Job& job, const std::vector<PointResult>& results,
                 std::size_t index, std::map<std::string, files::Attribute> attributes) {
  const Observable& observable = *job.plan.observables[index];
  const auto dataset = observable.parts_dataset();
  if (!dataset) return;
  std::vector<std::int64_t> ignored;
  for (const auto& column : observable.columns())
    for (const LoopsIgnored& loops : column.by_part) ignored.push_back(loops.count);
  const std::size_t n_columns = job.plan.measured_steps.size();
  const std::size_t n_parts = ignored.size() / n_columns;
  file.write("/results/" + dataset->name,
             rows(results, ignored.size(),
                  [&](const PointResult& r) {
                    Values all;
                    for (const auto& column : r.parts[index])
                      for (const Value& part : column) all.push_back(part.value);
                    return all;
                  }),
             {results.size(), n_columns, n_parts},
             {dataset->long_name,
              "1",
              {"points", "measured steps", dataset->axis},
              std::move(attributes)});
  if (std::ranges::count(ignored, 0) == std::ssize(ignored)) return;
  file.write("/results/loops_ignored/" + dataset->name, ignored, {n_columns, n_parts},
             {fmt::format("independent loops ignored in {}; 0 where nothing is left out",
                          dataset->subject),
              "1",
              {"measured steps", dataset->axis}});
}

void write_observables(files::ResultFile& file, const Job& job,
                       const std::vector<PointResult>& results) {
  const std::size_t n_points = results.size(), n_columns = job.plan.measured_steps.size();
  for (std::size_t index = 0; index < job.plan.observables.size(); ++index) {
    const Observable& observable = *job.plan.observables[index];
    auto attributes = reading_attributes(observable, results, index);
    write_parts(file, job, results, index, attributes);
    attributes["pauli_string"] = observable.string() ? observable.text() : std::string();
    file.write("/results/" + observable.dataset(),
               rows(results, n_columns, [&](const PointResult& r) { return r.observables[index]; }),
               {n_points, n_columns},
               {observable.long_name(), "1", per_step, std::move(attributes)});
    write_uncertainty(file, job, results, index);
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
             {"product of (1 - discarded weight) of all bond updates so far: an estimate of what "
              "truncation cost, blind to loops",
              "1", per_step});
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
    theta_h.push_back(points[p].parameters.at("theta_h"));
    limits.push_back(points[p].max_bond_dimension);
    seconds.push_back(is_done(results[p]) ? results[p].seconds
                                          : std::numeric_limits<double>::quiet_NaN());
  }
  const std::vector<std::int64_t> steps(job.plan.measured_steps.begin(),
                                        job.plan.measured_steps.end());
  if (job.circuit.uses("theta_h"))
    file.write(
        "/results/theta_h", theta_h, {points.size()},
        {.long_name = "kick angle", .units = "rad", .dims = {"points"}, .labels_axis = true});
  file.write("/results/max_bond_dimension", limits, {points.size()},
             {.long_name = "largest bond dimension allowed",
              .units = "1",
              .dims = {"points"},
              .labels_axis = true});
  file.write("/results/steps", steps, {steps.size()},
             {.long_name = "steps after which was measured",
              .units = "1",
              .dims = {"measured steps"},
              .labels_axis = true});
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
  if (job.circuit.uses("theta_j"))
    file.set_attribute("/results", "theta_j", options.circuit.theta_j);
  if (options.circuit.name == "kicked-ising")
    file.set_attribute("/results", "final_rx_layer", std::int64_t{options.circuit.final_rx_layer});
}

std::string results_table(const Job& job, const std::vector<Point>& points,
                          const std::vector<PointResult>& results) {
  const bool shows_angle = job.circuit.uses("theta_h");
  std::string table = fmt::format("{}{:>8}", shows_angle ? "   theta_h " : "", "max bond");
  for (const auto& observable : job.plan.observables) {
    std::string name = observable->dataset();
    if (name.size() > 18) name = name.substr(0, 15) + "...";
    table += fmt::format(" {:>20}", name);
  }
  table += fmt::format(" {:>6} {:>11} {:>10} {:>9}\n", "bond", "discarded", "fidelity", "seconds");
  for (std::size_t p = 0; p < points.size(); ++p) {
    if (shows_angle) table += fmt::format("{:>10.6f} ", points[p].parameters.at("theta_h"));
    table += fmt::format("{:>8}", points[p].max_bond_dimension);
    for (const Values& values : results[p].observables)
      table += fmt::format(" {:>20.14f}", values.back());
    table += fmt::format(" {:>6} {:>11.2e} {:>10.6f} {:>9.2f}\n", results[p].bond_dimension.back(),
                         results[p].discarded_weight.back(), results[p].fidelity.back(),
                         results[p].seconds);
  }
  return table;
}

std::string accuracy_warning(const MeasurementPlan& plan) {
  std::vector<std::string> names;
  LoopsIgnored worst;
  for (const auto& observable : plan.observables) {
    if (observable->is_exact()) continue;
    const auto parts = observable->parts_dataset();
    names.push_back(observable->text() + (parts ? " and " + parts->name : ""));
    for (const auto& column : observable->columns()) {
      const LoopsIgnored& ignored = column.ignored;
      if (ignored.is_exact()) continue;
      worst.shortest =
          worst.is_exact() ? ignored.shortest : std::min(worst.shortest, ignored.shortest);
      worst.count = std::max(worst.count, ignored.count);
      worst.exact_flops = std::max(worst.exact_flops, ignored.exact_flops);
    }
  }
  if (names.empty()) return {};
  return fmt::format(
      "not exact: {} (up to {} independent loops of {} or more sites are left to the mean-field "
      "environment, which neither fidelity nor a larger bond dimension shows; an exact reading "
      "would take up to {:.1e} flops). See docs/accuracy.md.",
      fmt::join(names, ", "), worst.count, worst.shortest, worst.exact_flops);
}

}  // namespace rankine::gpeps
