#include "compress/stages/rounding_stage.hpp"

#include <memory>

#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/forms/quantized.hpp"
#include "weights/making/conversion.hpp"

namespace rankine::compress {

void round_weights(Workbench& bench) {
  if (bench.options.method.stored_as == "exact") return;
  const torch::NoGradGuard no_gradients;
  const auto storage = weights::storage_named(bench.options.method.stored_as);
  const parallel::Communicator& team = bench.teams.team();
  for (WeightReport& report : bench.result.weights) {
    const auto weight = weight_of(bench.model, report.name);
    const torch::Tensor before = weight->own_rows().clone();
    const auto rounded = std::make_shared<weights::Quantized>(team, weight, storage);
    bench.model.replace_weight(report.name, rounded);
    report.storage = rounded->storage();
    report.bytes = rounded->stored_bytes();
    report.rounding_error = weights::relative_error(*rounded, before, team);
  }
  log().info("weights stored as {}: {}", bench.options.method.stored_as,
             format_bytes(static_cast<double>(bench.result.bytes())));
}

}  // namespace rankine::compress
