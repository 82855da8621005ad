// States of a training in the restart folder: the last few, at a cadence.
#pragma once

#include "parallel/teams.hpp"
#include "run/cadence.hpp"
#include "run/run_options.hpp"
#include "run/state_series.hpp"
#include "train/training_loop.hpp"

namespace rankine::train {

class SeriesKeeper final : public Keeper {
 public:
  /// What is given outlives the keeper; `teams` are those of the store's ranks.
  SeriesKeeper(const run::StageStore& store, const parallel::Teams& teams, run::Stage stage,
               const run::RunOptions& options)
      : ranks_(store.ranks()),
        teams_(teams),
        is_wanted_(store.is_wanted()),
        series_(store, std::move(stage), options.keep),
        cadence_(options.checkpoint_interval) {}

  std::optional<State> restore(std::int64_t steps, const std::vector<Parameter>& arrays) override;
  void keep(const State& state, const std::vector<Parameter>& arrays, When when) override;

 private:
  const parallel::Communicator& ranks_;
  const parallel::Teams& teams_;
  bool is_wanted_;
  run::StateSeries series_;
  run::Cadence cadence_;
};

}  // namespace rankine::train
