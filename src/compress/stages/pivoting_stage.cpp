#include "compress/stages/pivoting_stage.hpp"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "core/errors.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/making/gauge_fixing.hpp"

namespace rankine::compress {

namespace {

void fix_gauge(Workbench& bench, WeightReport& report) {
  const auto free =
      std::dynamic_pointer_cast<weights::LowRank>(weight_of(bench.model, report.name));
  if (!free)
    throw InputError(fmt::format(
        "the weight {} is to be pivoted (it has no two factors any more). Remove what an earlier "
        "run left in run.directory.",
        report.name));
  const weights::FactorRows factors = free->factors();
  weights::PivotReport pivots;
  std::shared_ptr<weights::Weight> fixed =
      weights::make_pivoted(bench.teams.team(), free->split(), factors.left, factors.right,
                            factors.left.scalar_type(), {}, &pivots);
  report.pivot_side = pivots.side == weights::PivotSide::rows ? "rows" : "columns";
  report.largest_coefficient = pivots.largest_coefficient;
  report.identity_error = pivots.identity_error;
  report.numbers = fixed->stored_numbers();
  report.bytes = fixed->stored_bytes();
  bench.model.replace_weight(report.name, std::move(fixed));
}

}  // namespace

void fix_gauges(Workbench& bench) {
  const torch::NoGradGuard no_gradients;
  std::vector<WeightReport*> wanted;
  for (WeightReport& report : bench.result.weights)
    if (report.form == weights::Form::pivoted) wanted.push_back(&report);
  ProgressLine progress(bench.progress());
  bench.timed("replacement", bench.result.seconds.conversion, [&] {
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      fix_gauge(bench, *wanted[w]);
      progress.update(static_cast<double>(w + 1) / static_cast<double>(wanted.size()),
                      fmt::format("gauges fixed: {} of {}", w + 1, wanted.size()));
      bench.stop_if_asked();
    }
  });
}

}  // namespace rankine::compress
