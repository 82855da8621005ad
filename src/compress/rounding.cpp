#include "compress/rounding.hpp"

#include <memory>

#include "compress/watched_weight.hpp"
#include "core/contracts.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/conversion.hpp"
#include "weights/quantized.hpp"

namespace rankine::compress {

namespace {

bool is_wanted(const Workbench& bench) { return bench.options.method.stored_as != "exact"; }

void describe(WeightReport& report, const weights::Weight& weight, double error) {
  report.storage = weight.storage();
  report.bytes = weight.stored_bytes();
  report.rounding_error = error;
}

}  // namespace

void round_weights(Workbench& bench) {
  if (!is_wanted(bench)) return;
  const torch::NoGradGuard no_gradients;
  const auto storage = weights::storage_named(bench.options.method.stored_as);
  const parallel::Communicator& team = bench.teams.team();
  for (WeightReport& report : bench.result.weights) {
    const auto weight = weight_of(bench.model, report.name);
    const torch::Tensor before = weight->own_rows().clone();
    const auto rounded = std::make_shared<weights::Quantized>(team, weight, storage);
    bench.model.replace_weight(report.name, rounded);
    describe(report, *rounded, weights::relative_error(*rounded, before, team));
  }
  log().info("weights stored as {}: {}", bench.options.method.stored_as,
             format_bytes(static_cast<std::uint64_t>(bench.result.bytes())));
}

void round_again(Workbench& bench) {
  if (!is_wanted(bench)) return;
  const torch::NoGradGuard no_gradients;
  for (WeightReport& report : bench.result.weights) {
    const auto weight = weight_of(bench.model, report.name);
    const torch::Tensor before = weight->own_rows().clone();
    const auto rounded = std::dynamic_pointer_cast<weights::Quantized>(weight);
    RANKINE_EXPECTS(rounded != nullptr, "round_weights has been called");
    rounded->round();
    describe(report, *rounded, weights::relative_error(*rounded, before, bench.teams.team()));
  }
}

}  // namespace rankine::compress
