#include "compress/kept_points.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "compress/kept_weights.hpp"
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

namespace {

std::uint64_t fingerprint_of(const Workbench& bench, const Fingerprint& study) {
  if (!bench.checkpoint.is_wanted()) return 0;
  return fingerprint_of_weights(bench).add(study.value()).add(bench.of_scoring().value()).value();
}

}  // namespace

KeptPoints::KeptPoints(const Workbench& bench, const char* name, const Fingerprint& study)
    : bench_(bench), stage_{name, fingerprint_of(bench, study)} {
  auto known = bench.checkpoint.find<std::vector<ScoredPoint>>(stage_);
  if (!known) return;
  points_ = std::move(*known);
  log().info("{} taken from the checkpoint", counted(std::ssize(points_), "point"));
}

void KeptPoints::keep(const ScoredPoint& point) {
  points_.push_back(point);
  if (bench_.checkpoint.is_wanted()) bench_.checkpoint.complete(stage_, points_);
}

}  // namespace rankine::compress
