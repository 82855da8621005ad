#include "compress/stages/scored_points.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

// JSON has no infinity: null stands for it, as nlohmann::json writes it.
inline void to_json(nlohmann::json& json, const ScoredPoint& point) {
  json = {{"loss", point.loss}, {"parameters", point.parameters}};
}

inline void from_json(const nlohmann::json& json, ScoredPoint& point) {
  const nlohmann::json& loss = json.at("loss");
  point.loss = loss.is_null() ? std::numeric_limits<double>::infinity() : loss.get<double>();
  json.at("parameters").get_to(point.parameters);
}

KeptPoints::KeptPoints(const Workbench& bench, run::Stage stage, std::size_t total)
    : bench_(bench), stage_(std::move(stage)) {
  auto known = bench.stages.find<std::vector<ScoredPoint>>(stage_);
  if (!known) return;
  const auto is_possible = [](const ScoredPoint& point) { return point.parameters >= 0; };
  if (known->size() > total || !std::ranges::all_of(*known, is_possible))
    bench.stages.refuse(stage_, "its points are not those of the study");
  points_ = std::move(*known);
  log().info("{} taken from the checkpoint", counted(std::ssize(points_), "point"));
}

void KeptPoints::keep(const ScoredPoint& point) {
  points_.push_back(point);
  if (bench_.stages.is_wanted()) bench_.stages.complete(stage_, points_, run::Holds::notes);
}

}  // namespace rankine::compress
