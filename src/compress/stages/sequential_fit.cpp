#include "compress/stages/sequential_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "compress/calibration/paired_streams.hpp"
#include "compress/decomposition/decomposition_plan.hpp"
#include "compress/decomposition/shifted_target.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/kept_weights.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/forms/dense.hpp"

namespace rankine::compress {

using models::Slot;
using models::Stage;

namespace {

/// Selected weights of one stage that read the same activation.
struct Group {
  std::vector<std::size_t> weights;
  std::vector<const Slot*> slots;
};

class SequentialFit {
 public:
  SequentialFit(Workbench& bench, ErrorNorm norm, const FormsOfGroup& make)
      : bench_(bench),
        outputs_{.output_moments = std::move(norm.output_moments),
                 .ridge = norm.ridge,
                 .input_ridge = norm.input_ridge},
        make_(make),
        progress_(bench.progress()),
        streams_(bench.model, bench.world, bench.teams,
                 models::token_batches(bench.job.calibration_windows), [this] { report(); }) {}

  void run() {
    std::vector<std::vector<Group>> groups;
    const std::vector<Stage> stages = bench_.model.stages();
    for (const Stage& stage : stages) groups.push_back(groups_of(stage));
    while (!groups.empty() && groups.back().empty()) groups.pop_back();
    count_passes(groups);
    bench_.result.weights.resize(bench_.names.size());
    for (std::size_t s = 0; s < groups.size(); ++s) {
      stage_ = &stages[s];
      if (!groups[s].empty() && !restore(groups[s])) fit(groups[s]);
      if (s + 1 < groups.size()) streams_.advance(*stage_);
    }
  }

 private:
  std::vector<Group> groups_of(const Stage& stage) const {
    std::vector<Group> groups;
    for (const Slot* slot : stage.slots) {
      const auto found = std::ranges::find(bench_.names, slot->name());
      if (found == bench_.names.end()) continue;
      if (groups.empty() || groups.back().slots.back()->activation() != slot->activation())
        groups.emplace_back();
      groups.back().weights.push_back(static_cast<std::size_t>(found - bench_.names.begin()));
      groups.back().slots.push_back(slot);
    }
    return groups;
  }

  /// Of this team's windows, if nothing is restored.
  void count_passes(const std::vector<std::vector<Group>>& groups) {
    std::size_t passes = groups.size();
    for (const auto& of_stage : groups) passes += of_stage.size();
    const auto teams = static_cast<std::size_t>(bench_.teams.count());
    passes_ = passes * ((bench_.job.calibration_windows.size() + teams - 1) / teams);
  }

  void report() {
    progress_.update(std::min(1.0, static_cast<double>(++passed_) / static_cast<double>(passes_)),
                     fmt::format("fit in order: {}", stage_->name));
  }

  bool restore(const std::vector<Group>& groups) {
    std::vector<NamedShape> selected;
    for (const Group& group : groups)
      for (const std::size_t w : group.weights) selected.push_back(bench_.job.selected[w]);
    auto forms = restore_forms(bench_, fit_stage(bench_.job, stage_->module), selected);
    if (!forms) return false;
    std::size_t next = 0;
    for (const Group& group : groups)
      for (const std::size_t w : group.weights) put(w, std::move((*forms)[next++]));
    return true;
  }

  void fit(const std::vector<Group>& groups) {
    std::vector<WeightReport> reports;
    for (const Group& group : groups) {
      fit(group);
      for (const std::size_t w : group.weights) reports.push_back(bench_.result.weights[w]);
      bench_.stop_if_asked();
    }
    keep_forms(bench_, fit_stage(bench_.job, stage_->module), reports);
  }

  void fit(const Group& group) {
    TargetMoments moments = streams_.measure(*stage_, group.slots, bench_.options.fit.target);
    put_targets(group, moments);
    ErrorNorm norm{.inputs = InputWeighting::full,
                   .ridge = outputs_.ridge,
                   .input_ridge = outputs_.input_ridge};
    norm.input_moments.of_weight.assign(group.weights.size(), 0);
    norm.input_moments.moments.push_back(std::move(moments.inputs));
    if (!outputs_.output_moments.empty())
      for (const std::size_t w : group.weights)
        norm.output_moments.push_back(outputs_.output_moments[w]);
    std::vector<NewForm> forms = make_(group.weights, std::move(norm));
    for (std::size_t k = 0; k < group.weights.size(); ++k)
      put(group.weights[k], std::move(forms[k]));
  }

  void put_targets(const Group& group, const TargetMoments& moments) {
    std::int64_t smallest = moments.inputs.size();
    for (const Slot* slot : group.slots) smallest = std::min(smallest, slot->weight()->outputs());
    const ShiftedTargets shifted(bench_.world, bench_.teams, moments.inputs,
                                 bench_.options.fit.ridge, block_of(smallest, bench_.world.size()));
    for (std::size_t k = 0; k < group.slots.size(); ++k) {
      const auto original = streams_.original(*group.slots[k]);
      const torch::Tensor rows = shifted.own_rows(*original, moments.targets[k]);
      const double anchor = bench_.options.fit.anchor;
      streams_.replace(group.slots[k]->name(),
                       std::make_shared<weights::Dense>(
                           bench_.teams.team(), original->split(),
                           anchor * rows + (1 - anchor) * original->own_rows().detach()));
    }
  }

  void put(std::size_t w, NewForm form) {
    streams_.replace(form.report.name, std::move(form.weight));
    bench_.result.weights[w] = std::move(form.report);
  }

  Workbench& bench_;
  ErrorNorm outputs_;
  const FormsOfGroup& make_;
  ProgressLine progress_;
  PairedStreams streams_;
  const Stage* stage_ = nullptr;
  std::size_t passed_ = 0;
  std::size_t passes_ = 1;
};

}  // namespace

void fit_in_order(Workbench& bench, ErrorNorm norm, const FormsOfGroup& make) {
  double& seconds = bench.result.seconds.fit;
  SequentialFit fit(bench, std::move(norm), make);
  bench.timed("sequential fit", seconds, [&] { fit.run(); });
  const auto fitted =
      std::ranges::count_if(bench.job.selected, std::not_fn(&NamedShape::is_of_vocabulary));
  log().info("{} fitted in order in {}", counted(fitted, "weight"), format_duration(seconds));
}

}  // namespace rankine::compress
