#include "compress/stages/scored_points.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

namespace {

/// JSON has no infinity: null stands for it, as nlohmann::json writes it.
double number_from(const nlohmann::json& json) {
  return json.is_null() ? std::numeric_limits<double>::infinity() : json.get<double>();
}

}  // namespace

inline void to_json(nlohmann::json& json, const ScoredPoint& point) {
  nlohmann::json metrics = nlohmann::json::array();
  for (const models::Metric& metric : point.score.metrics)
    metrics.push_back(
        {{"name", metric.name}, {"meaning", metric.meaning}, {"value", metric.value}});
  json = {{"loss", point.score.loss}, {"metrics", metrics}, {"parameters", point.parameters}};
}

inline void from_json(const nlohmann::json& json, ScoredPoint& point) {
  point.score.loss = number_from(json.at("loss"));
  for (const nlohmann::json& metric : json.at("metrics"))
    point.score.metrics.push_back(
        {metric.at("name"), metric.at("meaning"), number_from(metric.at("value"))});
  json.at("parameters").get_to(point.parameters);
}

KeptPoints::KeptPoints(const Workbench& bench, run::Stage stage, std::size_t total)
    : bench_(bench), stage_(std::move(stage)) {
  using Points = std::vector<ScoredPoint>;
  const auto is_possible = [](const ScoredPoint& point) {
    return point.parameters >= 0 && !point.score.metrics.empty();
  };
  auto known = bench.stages.restore<Points>(stage_, [&](const Points& points) {
    if (points.size() > total || !std::ranges::all_of(points, is_possible))
      throw InputError("its points are not those of the study");
    return points;
  });
  if (!known) return;
  points_ = std::move(*known);
  log().info("{} taken from run.directory", counted(std::ssize(points_), "point"));
}

void KeptPoints::keep(const ScoredPoint& point) {
  points_.push_back(point);
  if (bench_.stages.is_wanted()) bench_.stages.complete(stage_, points_, run::Holds::notes);
  bench_.stop_if_asked();
}

}  // namespace rankine::compress
