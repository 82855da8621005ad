// The loss of a step of training and its gradient: forward, loss, backward, mean over the teams.
//
// Each team takes windows of its own. The loss of a step is the mean over all windows of all teams,
// and the gradient is that of the same mean.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "weights/storage/parameter.hpp"

namespace rankine::train {

using weights::Parameter;

/// The mean loss of a window (of a text; or a batch of images), which are counted from 0 over all
/// steps: a scalar in float64, the same on all ranks of the team, differentiable. Collective over
/// the team.
using WindowLoss = std::function<torch::Tensor(std::int64_t window)>;

/// The loss of a network on batches, in turn: the mean over the predictions of a batch.
WindowLoss mean_loss(const models::Network& network, std::vector<models::Batch> batches);

class Objective {
 public:
  /// `windows`: of each team in a step. Collective over `world`, which outlives the objective, as
  /// the teams do.
  Objective(const parallel::Communicator& world, const parallel::Teams& teams, std::int64_t windows,
            WindowLoss loss);

  const parallel::Communicator& world() const { return world_; }
  const parallel::Teams& teams() const { return teams_; }

  /// The loss of a step, the same on all ranks; its gradient becomes that of `parameters`, the same
  /// in all teams. Collective over the world.
  double gradient(std::int64_t step, const std::vector<Parameter>& parameters) const;

 private:
  /// Forward and backward; returns `weight` times the loss.
  double add_gradient(std::int64_t window, double weight) const;
  /// The mean over the teams.
  void average(const Parameter& parameter) const;
  /// The sum over teams of any sizes.
  torch::Tensor summed(const Parameter& parameter) const;

  const parallel::Communicator& world_;
  const parallel::Teams& teams_;
  parallel::Communicator peers_;  ///< first ranks of all teams, second ranks, ...
  std::int64_t windows_;
  WindowLoss loss_;
};

}  // namespace rankine::train
