// One slice on one team: its weights learn to make the teacher's features behind the slice out of
// the teacher's features before it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/progress.hpp"
#include "distill/options.hpp"
#include "distill/samples.hpp"
#include "distill/slice_report.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "run/stop_request.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::distill {

/// What the training of a slice needs. What is given outlives it.
struct SliceTask {
  std::string name;
  std::uint64_t position = 0;                  ///< of the slice in the network
  std::span<const models::Stage> stages;       ///< of the student
  std::vector<weights::Parameter> parameters;  ///< that are trained
  torch::Tensor inputs, targets;  ///< the teacher's borders: own samples in the order of the deal
  const Samples& samples;
  const SampleDeal& deal;
  const parallel::Communicator& team;
  /// Within the team: each rank is one where samples are dealt, else the team is one.
  const parallel::Teams& parts;
  Output progress = Output::silent;
};

/// ||s - t||^2 / ||t - mean_c t||^2 for the features s of the student and t of the teacher behind
/// a slice, as they count (Samples::as_counted), mean_c being the mean over samples and places of a
/// channel: 1 for predicting the means.
class FeatureError {
 public:
  /// The variance is that of all samples of the task. Collective over the team.
  explicit FeatureError(const SliceTask& task);

  /// On the held-out samples; infinite or NaN if the student's features are. Collective.
  double held_out() const;
  /// The share of this rank in the mean error of samples of a batch, times the number of ranks that
  /// share it: what train::Objective takes the mean of.
  torch::Tensor share(const torch::Tensor& features, const torch::Tensor& targets,
                      std::int64_t samples_of_batch) const;

 private:
  const SliceTask& task_;
  double variance_ = 0;  ///< of one sample
};

/// Trains the parameters, and leaves in them the state that was best on the held-out samples, or
/// the first if none was better or the training diverged. Collective over the team. Throws on all
/// its ranks: Stopped.
SliceReport train_slice(const SliceTask& task, const TrainingOptions& how, double learning_rate,
                        run::StopRequest& stop);

}  // namespace rankine::distill
