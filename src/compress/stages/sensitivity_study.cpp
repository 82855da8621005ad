#include "compress/stages/sensitivity_study.hpp"

#include <fmt/format.h>

#include "compress/experiments/sensitivity_groups.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/calibration_stage.hpp"
#include "compress/stages/form_making.hpp"
#include "compress/stages/scored_points.hpp"
#include "core/log.hpp"

namespace rankine::compress {

namespace {

SensitivityProfile empty_profile(const Workbench& bench, const std::vector<WeightGroup>& groups) {
  SensitivityProfile profile;
  profile.bond_dimensions = bench.options.sensitivity.bond_dimensions;
  for (const WeightGroup& group : groups) {
    profile.groups.push_back(group.name);
    profile.grouped_by.emplace_back(name(group.by));
    std::int64_t& numbers = profile.parameters_before.emplace_back(0);
    for (const std::size_t w : group.weights)
      numbers += bench.job.selected[w].shape.dense_numbers();
  }
  const std::size_t points = groups.size() * profile.bond_dimensions.size();
  profile.parameters.assign(points, 0);
  return profile;
}

/// The group's weights alone have their new forms.
ScoredPoint score_group(Workbench& bench, const WeightGroup& group,
                        const std::vector<NewForm>& forms) {
  ScoredPoint point;
  models::TemporaryWeights replaced(bench.model);
  for (const std::size_t w : group.weights) {
    replaced.replace(bench.names[w], forms[w].weight);
    point.parameters += forms[w].report.numbers;
  }
  point.score = bench.score_changed();
  return point;
}

/// Fills the profile, one bond dimension after the other.
class Scan {
 public:
  Scan(Workbench& bench, std::vector<WeightGroup> groups)
      : bench_(bench),
        groups_(std::move(groups)),
        bonds_(bench.options.sensitivity.bond_dimensions),
        points_(bench, sensitivity_stage(bench.job), groups_.size() * bonds_.size()),
        progress_(bench.progress()) {}

  void run() {
    for (std::size_t b = 0; b < bonds_.size(); ++b) {
      const std::vector<NewForm> forms = forms_at(b);
      for (std::size_t g = 0; g < groups_.size(); ++g) measure(g, b, forms);
    }
  }

 private:
  /// Nothing where all points are known.
  std::vector<NewForm> forms_at(std::size_t b) {
    if (points_.is_known((b + 1) * groups_.size() - 1)) return {};
    if (!make_forms_)
      make_forms_ =
          making_of(bench_.options.method.form).of_size(bench_, measure_error_norm(bench_));
    return bench_.timed("replacement", bench_.result.seconds.conversion,
                        [&] { return make_forms_(bonds_[b]); });
  }

  void measure(std::size_t g, std::size_t b, const std::vector<NewForm>& forms) {
    SensitivityProfile& profile = *bench_.result.sensitivity;
    const ScoredPoint point = points_.take([&] { return score_group(bench_, groups_[g], forms); });
    const std::size_t place = g * bonds_.size() + b, total = groups_.size() * bonds_.size();
    profile.put(place, point.score);
    profile.parameters[place] = point.parameters;
    bench_.save();
    progress_.update(
        static_cast<double>(points_.next()) / static_cast<double>(total),
        fmt::format("point {} of {}: {} at {}: {} {:.4e}", points_.next(), total, groups_[g].name,
                    bonds_[b], point.score.headline().name, point.score.headline().value));
  }

  Workbench& bench_;
  std::vector<WeightGroup> groups_;
  const std::vector<std::int64_t>& bonds_;
  KeptPoints points_;
  FormsOfSize make_forms_;  ///< empty until a point is not known
  ProgressLine progress_;
};

}  // namespace

void profile_sensitivity(Workbench& bench) {
  auto groups = group_weights(bench.names, bench.options.sensitivity.by);
  bench.result.sensitivity = empty_profile(bench, groups);
  Scan(bench, std::move(groups)).run();
}

}  // namespace rankine::compress
