#include "compress/stages/rounding_stage.hpp"

#include "core/log.hpp"
#include "core/profile.hpp"
#include "core/text_format.hpp"
#include "weights/making/conversion.hpp"

namespace rankine::compress {

void round_weights(Workbench& bench) {
  if (bench.options.method.storage == weights::Storage::exact || bench.result.weights.empty())
    return;
  const ProfileStage stage("rounding");
  const torch::NoGradGuard no_gradients;
  const weights::Storage storage = bench.options.method.storage;
  const parallel::Communicator& team = bench.teams.team();
  for (WeightReport& report : bench.result.weights) {
    const auto weight = weight_of(bench.model, report.name);
    const torch::Tensor before = weight->own_rows().clone();
    weight->round_to(storage);
    report.storage = storage;
    report.bytes = weight->stored_bytes();
    report.rounding_error = weights::relative_error(*weight, before, team);
  }
  log().info("weights stored as {}: {}", name(storage),
             format_bytes(static_cast<double>(bench.result.bytes())));
}

}  // namespace rankine::compress
