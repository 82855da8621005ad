#include "compress/stages/healing_state.hpp"

#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::compress {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HealingState, steps, losses)

namespace {

using torch::Tensor;
using torch::optim::AdamWParamState;

std::string key_of(const Tensor& tensor) {
  return c10::guts::to_string(tensor.unsafeGetTensorImpl());
}

AdamWParamState& state_of(torch::optim::AdamW& optimizer, const Tensor& tensor) {
  auto& state = optimizer.state()[key_of(tensor)];
  if (!state) {
    auto fresh = std::make_unique<AdamWParamState>();
    fresh->step(0);
    fresh->exp_avg(torch::zeros_like(tensor, at::MemoryFormat::Preserve));
    fresh->exp_avg_sq(torch::zeros_like(tensor, at::MemoryFormat::Preserve));
    state = std::move(fresh);
  }
  return static_cast<AdamWParamState&>(*state);
}

}  // namespace

HealingKeeper::HealingKeeper(const Workbench& bench, const std::vector<weights::Parameter>& trained,
                             torch::optim::AdamW& optimizer)
    : bench_(bench), trained_(trained), optimizer_(optimizer) {}

std::vector<weights::Parameter> HealingKeeper::with_moments() const {
  std::vector<weights::Parameter> all = trained_;
  for (const weights::Parameter& parameter : trained_) {
    const AdamWParamState& state = state_of(optimizer_, parameter.values);
    for (const auto& [ending, values] :
         {std::pair{".mean", state.exp_avg()}, std::pair{".square", state.exp_avg_sq()}}) {
      weights::Parameter moment = parameter;
      moment.name += ending;
      moment.values = values;
      all.push_back(std::move(moment));
    }
  }
  return all;
}

std::optional<HealingState> HealingKeeper::find(int turn) const {
  auto state = bench_.stages.find<HealingState>(stage(turn));
  if (state && (state->steps < 1 || state->steps > bench_.options.heal.steps ||
                std::ssize(state->losses) != state->steps))
    bench_.stages.refuse(stage(turn), "its steps are not those of the deck");
  return state;
}

HealingState HealingKeeper::restore() {
  HealingState newest;
  for (const int turn : {0, 1})
    if (auto state = find(turn); state && state->steps > newest.steps) {
      newest = std::move(*state);
      next_turn_ = 1 - turn;
    }
  if (newest.steps == 0) return newest;
  bench_.stages.read_tensors(stage(1 - next_turn_), [&](const std::filesystem::path& folder) {
    weights::read_tensors(bench_.world, folder, with_moments());
  });
  for (const weights::Parameter& parameter : trained_)
    state_of(optimizer_, parameter.values).step(newest.steps);
  log().info("healing goes on after step {} of the checkpoint", newest.steps);
  return newest;
}

void HealingKeeper::keep(const HealingState& state) {
  if (!bench_.stages.is_wanted()) return;
  const bool is_due = since_last_.seconds() > 60 * bench_.options.checkpoint.interval ||
                      state.steps == bench_.options.heal.steps;
  if (bench_.world.max(is_due ? 1 : 0) == 0) return;
  bench_.stages.remove(stage(next_turn_));
  weights::write_tensors(bench_.world, bench_.teams, bench_.stages.folder(stage(next_turn_)),
                         with_moments());
  bench_.stages.complete(stage(next_turn_), state, run::Holds::tensors);
  next_turn_ = 1 - next_turn_;
  since_last_.restart();
}

}  // namespace rankine::compress
