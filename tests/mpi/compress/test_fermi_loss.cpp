// The gradient of a model's loss by the masks of its components, against finite differences.
#include <gtest/gtest.h>

#include "compress/allocation/fermi_loss.hpp"
#include "models/language/losses.hpp"
#include "tiny_calibration.hpp"
#include "weights/forms/dense.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;

Components some_masks(const std::vector<WeightFactors>& factors) {
  Components masks;
  for (const WeightFactors& weight : factors) {
    std::vector<double>& mask = masks.emplace_back();
    for (std::size_t i = 0; i < weight.singular_values.size(); ++i)
      mask.push_back(1 / (1 + 0.3 * static_cast<double>(i)));
  }
  return masks;
}

/// Mean loss of a window with weights left diag(mask) right put in as dense ones.
double masked_loss(TinyCalibration& tiny, const std::vector<WeightFactors>& factors,
                   const Components& masks, const std::vector<std::int64_t>& ids) {
  const torch::NoGradGuard no_gradients;
  models::TemporaryWeights in_model(tiny.model);
  for (std::size_t w = 0; w < factors.size(); ++w) {
    const auto& split = weight_of(tiny.model, factors[w].name)->split();
    auto own = leading_factors(tiny.teams.team(), factors[w], split, std::ssize(masks[w]));
    own.left = own.left * torch::tensor(masks[w], torch::kFloat64);
    in_model.replace(factors[w].name,
                     std::make_shared<weights::Dense>(tiny.teams.team(), split,
                                                      weights::multiply(tiny.teams.team(), own)));
  }
  const std::int64_t targets = std::ssize(ids) - 1;
  const Tensor states = tiny.model.hidden_states(as_tensor(ids)).narrow(0, 0, targets);
  return models::token_losses(tiny.model, states, as_tensor(ids).narrow(0, 1, targets))
      .mean()
      .item<double>();
}

TEST(FermiLoss, GradientIsThatOfFiniteDifferences) {
  TinyCalibration tiny(tiny_llama({}, 3), 1, 1, 12);
  for (const double bytes : {0.0, 1.0}) {
    const auto factors = decompose(tiny.model, world(), tiny.teams, tiny.names, ErrorNorm{}, bytes);
    const Components masks = some_masks(factors);
    const Components gradient =
        MaskedModel(tiny.model, world(), tiny.teams, factors, models::token_batches(tiny.windows))
            .gradient(0, masks);
    for (const std::size_t w : {std::size_t{0}, std::size_t{5}, tiny.names.size() - 1})
      for (const std::size_t i : {std::size_t{0}, masks[w].size() - 1}) {
        constexpr double step = 1e-4;
        const auto loss_at = [&](double shift) {
          Components moved = masks;
          moved[w][i] += shift;
          return masked_loss(tiny, factors, moved, tiny.windows[0]);
        };
        EXPECT_NEAR(gradient[w][i], (loss_at(step) - loss_at(-step)) / (2 * step), 1e-7)
            << tiny.names[w] << ", component " << i;
      }
  }
}

/// A step of several teams is the mean of as many steps of one.
TEST(FermiLoss, GradientIsThatOfTheMeanOverTeams) {
  const int count = std::min(2, world().size());
  const auto gradients_of = [](int n_teams, std::int64_t steps) {
    TinyCalibration tiny(tiny_llama({}, 3), n_teams, 2, 12);
    const auto factors = decompose(tiny.model, world(), tiny.teams, tiny.names, ErrorNorm{}, 0.0);
    MaskedModel masked(tiny.model, world(), tiny.teams, factors,
                       models::token_batches(tiny.windows));
    std::vector<Components> gradients;
    for (std::int64_t step = 0; step < steps; ++step)
      gradients.push_back(masked.gradient(step, some_masks(factors)));
    return gradients;
  };
  const auto apart = gradients_of(count, 1), together = gradients_of(1, count);
  for (std::size_t w = 0; w < apart[0].size(); ++w)
    for (std::size_t i = 0; i < apart[0][w].size(); ++i)
      EXPECT_NEAR(apart[0][w][i], (together.front()[w][i] + together.back()[w][i]) / 2, 1e-10);
}

}  // namespace
}  // namespace rankine::compress
