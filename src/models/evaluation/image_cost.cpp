#include "models/evaluation/image_cost.hpp"

#include <algorithm>
#include <cmath>

#include "models/evaluation/cost.hpp"

namespace rankine::models {

using run::Pace;
using run::StageCost;

void LayerWork::add(const LayerPlan& layer) {
  if (layer.has_kernel())
    flops += 2 * static_cast<double>(layer.outputs.size()) *
             static_cast<double>(layer.inputs.channels / layer.geometry.groups *
                                 layer.geometry.area());
  numbers += static_cast<double>(layer.inputs.size() + layer.outputs.size());
  operations += layer.kind == LayerKind::residual ? 1 : 2;
  if (layer.kind == LayerKind::convolution) operations += 4;
}

LayerWork work_of(std::span<const LayerPlan> layers) {
  LayerWork work;
  for (const LayerPlan& layer : layers) {
    work.add(layer);
    for (const auto* part : {&layer.body, &layer.shortcut}) {
      const LayerWork inner = work_of(*part);
      work.flops += inner.flops;
      work.numbers += inner.numbers;
      work.operations += inner.operations;
    }
  }
  return work;
}

StageCost cost_of_images(const LayerWork& work, const ImagePass& pass, run::Numbers numbers,
                         const Pace& pace) {
  const double flops = work.flops * pass.images * pass.times;
  return {.seconds = pace.convolution(flops, numbers) +
                     pace.memory(run::bytes_of(numbers) * work.numbers * pass.images * pass.times) +
                     pace.operations(work.operations * pass.times *
                                     std::ceil(pass.images / std::max(1.0, pass.batch))),
          .flops = flops};
}

StageCost cost_of_scoring(const NetworkPlan& plan, const ImageData& data,
                          const EvaluateOptions& options, const Pace& pace) {
  const auto batch = static_cast<double>(options.images.batch_size);
  StageCost all{.stage = "scoring images"};
  for (const std::int64_t count : {data.test.size(), data.validation.size()}) {
    const double turns = rounds(static_cast<double>(count) / batch, pace.where().ranks);
    const double own = std::min(turns * batch, static_cast<double>(count));
    all += cost_of_images(work_of(plan.layers), {.images = own, .batch = batch},
                          numbers_of(options.model.precision), pace);
    const double bytes = 8.0 * static_cast<double>(count * plan.classes);
    all.seconds += turns * pace.sum(8, pace.where().ranks) + pace.sum(bytes, pace.where().ranks);
  }
  return all;
}

std::vector<StageCost> cost(const ImageEvaluationJob& job, const Pace& pace) {
  return {{.stage = "start", .seconds = pace.start(true)},
          cost_of_scoring(job.model.plan, job.data, job.options, pace)};
}

}  // namespace rankine::models
