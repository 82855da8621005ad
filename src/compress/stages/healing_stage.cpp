#include "compress/stages/healing_stage.hpp"

#include "compress/job/stages.hpp"
#include "compress/stages/text_training.hpp"

namespace rankine::compress {

train::State heal(Workbench& bench, const std::vector<std::string>& names,
                  const std::optional<Whitening>& whitening) {
  const HealOptions& how = bench.options.heal;
  const bool can_end_early = how.held_out_windows > 0;
  return train_on_text(bench, names,
                       {.windows = bench.job.healing_windows,
                        .loss = how.loss,
                        .original = bench.options.scoring.model,
                        .windows_per_step = how.windows_per_step,
                        .recipe = {.schedule = {.steps = how.steps,
                                                .largest = how.learning_rate,
                                                .warm_up = how.warm_up},
                                   .coordinates = whitening ? whitening->of(bench.model, names)
                                                            : std::vector<train::Coordinates>{},
                                   .name = "healing",
                                   .advice = "Lower heal.learning_rate.",
                                   .epochs = {.steps = can_end_early ? how.check_every : 0,
                                              .patience = can_end_early ? how.patience : 0}},
                        .held_out = bench.job.held_out_windows,
                        .stage = healing_stage(bench.job)});
}

}  // namespace rankine::compress
