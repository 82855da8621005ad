// What the stages of a compression share: the job, the ranks, the model and the result so far.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compress/job/compression_job.hpp"
#include "compress/job/compression_result.hpp"
#include "compress/job/timed_stage.hpp"
#include "core/progress.hpp"
#include "models/language/language_model.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "run/run_control.hpp"
#include "run/stage_store.hpp"

namespace rankine::compress {

struct Workbench {
  const CompressionJob& job;
  const CompressOptions& options;
  const parallel::Communicator& world;
  const run::RunControl& control;
  const SaveResult& save_result;
  parallel::Teams teams;
  CompressionResult result;
  models::LanguageModel model;
  std::vector<std::string> names;  ///< of the selected weights
  run::StageStore stages;

  /// Collective over `world`: reads the model. What is given outlives the workbench.
  Workbench(const CompressionJob& job, const parallel::Communicator& world,
            const run::RunControl& control, const SaveResult& save);

  /// The original model once more, or another one. Collective over the world.
  models::LanguageModel read_model() const;
  models::LanguageModel read_model(const models::ModelOptions& which) const;

  /// Of the model as it is; nothing without windows or tasks to score. Logs the first figure.
  std::optional<models::Score> score(const char* when) const;
  /// The same of the model as it was read, kept for later runs.
  std::optional<models::Score> score_original() const;

  /// Loss and metrics, the same on all ranks; infinite where activations overflow. There are
  /// windows to score. Collective over the world.
  models::Score score_changed() const;

  /// All windows and tasks; the run stops between two of them if it shall. Collective over the
  /// world.
  models::EvaluationResult score_windows(models::EvaluationControl how) const;

  void save() const { save_result(result); }

  /// For use between pieces of work. Throws Stopped on all ranks if the run shall stop. Collective
  /// over the world.
  void stop_if_asked() const { control.stop.check(world); }

  /// Shown on rank 0.
  Output progress() const { return world.rank() == 0 ? Output::shown : Output::silent; }

  /// As compress::timed, over the world.
  template <class Work>
  auto timed(const char* stage, double& seconds, Work&& work) const {
    return compress::timed(world, stage, seconds, std::forward<Work>(work));
  }
};

}  // namespace rankine::compress
