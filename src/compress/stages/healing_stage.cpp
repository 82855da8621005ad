#include "compress/stages/healing_stage.hpp"

#include "compress/job/stages.hpp"
#include "compress/stages/text_training.hpp"

namespace rankine::compress {

std::vector<double> heal(Workbench& bench, const std::vector<std::string>& names) {
  const HealOptions& how = bench.options.heal;
  return train_on_text(bench, names,
                       {.windows = bench.job.healing_windows,
                        .loss = how.loss,
                        .original = bench.options.scoring.model,
                        .windows_per_step = how.windows_per_step,
                        .recipe = {.schedule = {.steps = how.steps,
                                                .largest = how.learning_rate,
                                                .warm_up = how.warm_up},
                                   .name = "healing",
                                   .advice = "Lower heal.learning_rate."},
                        .stage = healing_stage(bench.job)});
}

}  // namespace rankine::compress
