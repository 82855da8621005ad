#include "models/evaluation/image_forecast.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "models/evaluation/forecast.hpp"

namespace rankine::models {

namespace {

/// What a layer takes and makes; a convolution the patches of its inputs as well.
double alive_in(const LayerPlan& layer) {
  const std::int64_t patches =
      layer.kind == LayerKind::convolution
          ? layer.inputs.channels * layer.geometry.area() * layer.outputs.pixels()
          : 0;
  return static_cast<double>(layer.inputs.size() + layer.outputs.size() + patches);
}

}  // namespace

double activations_per_image(const NetworkPlan& plan) {
  double largest = 0, kept = 0;
  plan.for_each([&](const LayerPlan& layer) {
    largest = std::max(largest, alive_in(layer));
    // Beside the body of a residual block wait its input and what the shortcut makes of it.
    if (layer.kind == LayerKind::residual)
      kept = std::max(kept, static_cast<double>(layer.inputs.size() + layer.outputs.size()));
  });
  return largest + kept + static_cast<double>(plan.input.size());
}

std::string ImageMemoryPlan::line() const {
  return fmt::format(
      "memory of a rank at most {} (weights {}, images {}, activations {}{}, program {}); a rank "
      "may use {}",
      format_bytes(total()), format_bytes(weights), format_bytes(images), format_bytes(activations),
      moments > 0 ? fmt::format(", moments {}", format_bytes(moments)) : "", format_bytes(program),
      allowed > 0 ? format_bytes(allowed) : std::string("an unknown amount"));
}

void ImageMemoryPlan::require() const {
  if (allowed <= 0 || total() <= allowed) return;
  throw ResourceError(fmt::format(
      "the network, its images and its activations need up to {} on every rank (a rank may use "
      "{}). Use a smaller evaluate.batch_size, fewer ranks on a node, or fewer images.",
      format_bytes(total()), format_bytes(allowed)));
}

ImageMemoryPlan plan_memory(const ImageEvaluationJob& job, const run::Machine& machine) {
  constexpr double gibibyte = 1073741824.0;
  const EvaluateOptions& options = job.options;
  const double number = bytes_of(options.model.precision);
  const std::int64_t images = job.data.test.size() + job.data.validation.size();
  const std::int64_t batch = std::min(options.images.batch_size,
                                      std::max(job.data.test.size(), job.data.validation.size()));
  const double limit = options.parallel.memory_per_rank;
  return {
      .weights = number * static_cast<double>(job.model.plan.parameters()),
      .images = static_cast<double>(job.data.bytes()) +
                2 * sizeof(double) * static_cast<double>(images * job.model.plan.classes),
      .activations = number * static_cast<double>(batch) * activations_per_image(job.model.plan),
      .program = program_bytes,
      .allowed = limit > 0 ? limit * gibibyte
                           : static_cast<double>(machine.node_bytes) / machine.ranks_per_node};
}

}  // namespace rankine::models
