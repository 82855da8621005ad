// The state of healing in the checkpoint: trained tensors, AdamW's moments, losses so far.
#pragma once

#include <torch/optim/adamw.h>

#include <optional>
#include <vector>

#include "compress/job/stages.hpp"
#include "compress/job/workbench.hpp"
#include "core/timer.hpp"

namespace rankine::compress {

struct HealingState {
  std::int64_t steps = 0;      ///< done
  std::vector<double> losses;  ///< of each of them, in nat
};

/// Keeps the state in two folders in turn, so that one is always complete; the newest counts.
class HealingKeeper {
 public:
  /// `trained`: what the optimiser trains, under names of the checkpoint.
  HealingKeeper(const Workbench& bench, const std::vector<weights::Parameter>& trained,
                torch::optim::AdamW& optimizer);

  /// Puts the newest state into tensors and optimiser. Collective over the world. Throws InputError
  /// on all ranks.
  HealingState restore();
  /// Collective over the world; does nothing until checkpoint.interval has passed on rank 0, unless
  /// all steps are done.
  void keep(const HealingState& state);

 private:
  std::vector<weights::Parameter> with_moments() const;
  std::optional<HealingState> find(int turn) const;
  run::Stage stage(int turn) const { return healing_stage(bench_.job, turn); }

  const Workbench& bench_;
  const std::vector<weights::Parameter>& trained_;
  torch::optim::AdamW& optimizer_;
  int next_turn_ = 0;
  Stopwatch since_last_;
};

}  // namespace rankine::compress
