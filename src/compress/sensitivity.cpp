#include "compress/sensitivity.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>

#include "compress/calibration.hpp"
#include "compress/component_forms.hpp"
#include "compress/operator_forms.hpp"
#include "compress/sensitivity_groups.hpp"
#include "compress/watched_weight.hpp"
#include "core/log.hpp"

namespace rankine::compress {

namespace {

/// Makes the form of the deck of every selected weight, at one bond dimension after the other.
class FormsAtBonds {
 public:
  explicit FormsAtBonds(Workbench& bench) : bench_(bench), norm_(measure_error_norm(bench)) {
    if (bench.options.method.has_ranks()) factors_ = decompose_weights(bench, std::move(norm_));
  }

  /// In the order of the weights. Collective over the world.
  std::vector<NewForm> at(std::int64_t bond_dimension) const {
    if (!bench_.options.method.has_ranks())
      return make_operators(bench_, norm_,
                            std::vector<std::int64_t>(bench_.names.size(), bond_dimension));
    std::vector<NewForm> forms;
    for (std::size_t w = 0; w < factors_.size(); ++w)
      forms.push_back(make_component_form(bench_, w, factors_[w], bond_dimension));
    return forms;
  }

 private:
  Workbench& bench_;
  ErrorNorm norm_;
  std::vector<WeightFactors> factors_;
};

SensitivityProfile empty_profile(const Workbench& bench, const std::vector<WeightGroup>& groups) {
  SensitivityProfile profile;
  profile.bond_dimensions = bench.options.sensitivity.bond_dimensions;
  for (const WeightGroup& group : groups) {
    profile.groups.push_back(group.name);
    profile.grouped_by.push_back(group.by);
    std::int64_t& numbers = profile.parameters_before.emplace_back(0);
    for (const std::size_t w : group.weights)
      numbers += bench.job.selected[w].shape.dense_numbers();
  }
  const std::size_t points = groups.size() * profile.bond_dimensions.size();
  profile.perplexity.assign(points, std::numeric_limits<double>::quiet_NaN());
  profile.parameters.assign(points, 0);
  return profile;
}

double perplexity_of(const Workbench& bench) {
  const auto scored = models::score_model(bench.job.scoring, bench.world, bench.teams, bench.model);
  return std::exp(scored.mean(bench.job.scoring, scored.scores.negative_log_likelihood));
}

/// One point: the group's weights alone have their new forms.
void measure_point(Workbench& bench, const WeightGroup& group, const std::vector<NewForm>& forms,
                   std::size_t point) {
  SensitivityProfile& profile = *bench.result.sensitivity;
  TemporaryWeights replaced(bench.model);
  for (const std::size_t w : group.weights) {
    replaced.replace(bench.names[w], forms[w].weight);
    profile.parameters[point] += forms[w].report.numbers;
  }
  profile.perplexity[point] = perplexity_of(bench);
}

}  // namespace

void profile_sensitivity(Workbench& bench) {
  const auto groups = group_weights(bench.names, bench.options.sensitivity.by);
  bench.result.sensitivity = empty_profile(bench, groups);
  const auto& bonds = bench.options.sensitivity.bond_dimensions;
  const FormsAtBonds source(bench);
  ProgressLine progress(bench.progress());
  const std::size_t points = groups.size() * bonds.size();
  std::size_t done = 0;
  for (std::size_t b = 0; b < bonds.size(); ++b) {
    const auto forms =
        bench.timed(bench.result.seconds.conversion, [&] { return source.at(bonds[b]); });
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const std::size_t point = g * bonds.size() + b;
      measure_point(bench, groups[g], forms, point);
      bench.save();
      progress.update(
          static_cast<double>(++done) / static_cast<double>(points),
          fmt::format("point {} of {}: {} at {}: perplexity {:.4e}", done, points, groups[g].name,
                      bonds[b], bench.result.sensitivity->perplexity[point]));
    }
  }
}

}  // namespace rankine::compress
