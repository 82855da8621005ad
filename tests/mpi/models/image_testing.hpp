// Images that follow from their numbers, and small networks, for tests of image networks.
// From tests/mpi/<room>/: #include "../models/image_testing.hpp"
#pragma once

#include <torch/types.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "../../mpi_world.hpp"
#include "models/image/image_data.hpp"
#include "models/image/network_plan.hpp"
#include "parallel/teams.hpp"

namespace rankine::models {

/// Every rank as a team.
inline const parallel::Teams& alone() {
  static const parallel::Teams teams(world(), world().size());
  return teams;
}

/// Numbers that are the same on all ranks.
inline torch::Tensor waves(const std::vector<std::int64_t>& shape, double phase) {
  const std::int64_t count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  return (torch::sin(torch::arange(count, torch::kFloat64) * 1.7 + phase) +
          torch::sin(torch::arange(count, torch::kFloat64).square() * 0.013))
      .view(shape);
}

/// 2 x 8 x 8, in three classes that differ in brightness and stripes.
inline ImageSet striped_images(std::int64_t count) {
  ImageSet set;
  set.images.count = count;
  set.images.shape = {2, 8, 8};
  std::vector<float> pixels;
  for (std::int64_t n = 0; n < count; ++n) {
    set.labels.push_back(n % 3);
    for (std::int64_t p = 0; p < set.images.shape.size(); ++p) {
      const auto of_class = static_cast<double>(n % 3), place = static_cast<double>(p);
      pixels.push_back(
          static_cast<float>(0.5 + 0.2 * std::sin(place * (1 + of_class)) +
                             0.25 * std::sin(static_cast<double>(n) * 7.1 + place * place * 0.37)));
    }
  }
  set.images.values = std::move(pixels);
  set.normalisation = {{0.5, 0.4}, {0.25, 0.3}};
  return set;
}

/// A residual block with a projection behind a convolution, for striped_images. No bias stands
/// before a norm, whose gradient is rounding alone, which AdamW blows up.
inline NetworkPlan small_plan() {
  return parse_plan(nlohmann::json::parse(R"({"layers": [
    {"type": "convolution", "name": "conv1", "outputs": 4, "kernel": 3, "padding": 1, "bias": false},
    {"type": "batch-norm", "name": "bn1"},
    {"type": "relu"},
    {"type": "residual",
     "body": [{"type": "convolution", "name": "conv2", "outputs": 6, "kernel": 3, "stride": 2, "padding": 1,
               "bias": false},
              {"type": "batch-norm", "name": "bn2"}, {"type": "prelu", "name": "slope"}],
     "shortcut": [{"type": "convolution", "name": "conv3", "outputs": 6, "kernel": 1, "stride": 2, "bias": false},
                  {"type": "batch-norm", "name": "bn3"}]},
    {"type": "global-pool"},
    {"type": "linear", "name": "fc", "outputs": 3}]})"),
                    "small.json", {2, 8, 8});
}

}  // namespace rankine::models
