#include "compress/stages/kept_fermi.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"

namespace rankine::compress {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Importance, products, squares)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FermiState, steps, parts, mean, square, importance)

namespace {

bool is_state_of(const FermiState& state, const std::vector<Candidate>& candidates,
                 std::int64_t steps) {
  const auto has_components = [](const std::vector<double>& values, const Candidate& candidate) {
    return values.size() == candidate.singular_values.size();
  };
  const auto has_all = [&](const Components& components) {
    return std::ranges::equal(components, candidates, has_components);
  };
  const std::size_t count = candidates.size();
  return state.steps >= 1 && state.steps <= steps && state.parts.size() == count &&
         state.mean.size() == count && state.square.size() == count &&
         has_all(state.importance.products) && has_all(state.importance.squares);
}

}  // namespace

FermiCheckpoint fermi_checkpoint(const Workbench& bench, const std::vector<Candidate>& candidates) {
  FermiCheckpoint checkpoint;
  const run::Stage stage = fermi_stage(bench.job);
  checkpoint.from = bench.stages.restore<FermiState>(stage, [&](const FermiState& state) {
    if (!is_state_of(state, candidates, bench.options.ranks.fermi_steps))
      throw InputError("its ranks are not those of the deck's weights");
    return state;
  });
  if (checkpoint.from) log().info("FermiGrad goes on after step {}", checkpoint.from->steps);
  checkpoint.keep = [&bench, stage](const FermiState& state) {
    if (bench.stages.is_wanted()) bench.stages.complete(stage, state, run::Holds::notes);
    bench.stop_if_asked();
  };
  return checkpoint;
}

}  // namespace rankine::compress
