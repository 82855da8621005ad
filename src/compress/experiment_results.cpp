#include "compress/experiment_results.hpp"

#include <fmt/format.h>

namespace rankine::compress {

void write_experiments(files::ResultFile& file, const std::vector<ExperimentPoint>& points) {
  if (points.empty()) return;
  std::vector<std::string> names;
  std::vector<std::int64_t> clusters, layers, seeds;
  std::vector<double> losses;
  for (const ExperimentPoint& point : points) {
    names.push_back(point.experiment);
    clusters.push_back(point.clusters);
    layers.push_back(point.layers);
    seeds.push_back(point.seed);
    losses.push_back(point.score.loss);
  }
  const auto write = [&](const char* name, const auto& values, const char* text, const char* units,
                         bool labels_axis) {
    file.write(std::string("/results/experiments/") + name, values, {points.size()},
               {.long_name = text, .units = units, .dims = {"points"}, .labels_axis = labels_axis});
  };
  write("experiment", std::span<const std::string>(names), "what was done to the shared values",
        "1", true);
  write("clusters", std::span<const std::int64_t>(clusters), "shared values of each matrix", "1",
        true);
  write("layers", std::span<const std::int64_t>(layers), "last layers with changed values", "1",
        true);
  write("seed", std::span<const std::int64_t>(seeds), "of the random numbers; -1 without", "1",
        true);
  write("negative_log_likelihood", std::span<const double>(losses),
        "mean negative log-likelihood of the scored tokens; infinite where it overflows", "nat",
        false);
}

std::string experiments_table(const std::vector<ExperimentPoint>& points) {
  if (points.empty()) return "";
  std::string table = fmt::format("{:<32}  {:>6}  {:>6}  {}\n", "experiment", "values", "layers",
                                  points.front().score.headline().name + " of each seed");
  std::vector<ExperimentPoint> left = points;
  while (!left.empty()) {
    const ExperimentPoint first = left.front();
    table += fmt::format("{:<32}  {:>6}  {:>6} ", first.experiment, first.clusters, first.layers);
    std::erase_if(left, [&](const ExperimentPoint& point) {
      if (point.experiment != first.experiment || point.clusters != first.clusters ||
          point.layers != first.layers)
        return false;
      table += fmt::format(" {:.4e}", point.score.headline().value);
      return true;
    });
    table += "\n";
  }
  return table;
}

}  // namespace rankine::compress
