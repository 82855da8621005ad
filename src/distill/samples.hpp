// What a network is shown: images, or windows of a text.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <span>

#include "distill/sample_deal.hpp"
#include "models/network.hpp"

namespace rankine::distill {

struct Samples {
  std::int64_t count = 0;
  /// Images pass a stage many at once, and ranks share them; windows pass it one by one, and the
  /// ranks of a team pass them together.
  Sharing sharing = Sharing::dealt;
  /// Samples of these numbers along the first axis.
  std::function<torch::Tensor(std::span<const std::int64_t>)> inputs;

  /// The axis of channels in an activation of several samples.
  std::int64_t channel_axis(const torch::Tensor& features) const {
    return sharing == Sharing::dealt ? 1 : features.dim() - 1;
  }
  /// Features as they count. What reads the features of a token does so through a norm, so that an
  /// error counts against the size of the token's own; a few tokens, whose features are a thousand
  /// times as large as all others, would hide these. Features of images count as they are.
  torch::Tensor as_counted(const torch::Tensor& features, const torch::Tensor& of_teacher) const;
};

/// Several samples through consecutive stages. Collective over the team of the network.
torch::Tensor pass(std::span<const models::Stage> stages, Sharing sharing, const torch::Tensor& x);

}  // namespace rankine::distill
