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
        MaskedModel(tiny.model, world(), tiny.teams, factors).gradient(0, masks, tiny.windows);
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

}  // namespace
}  // namespace rankine::compress
