// Second moments of a calibration text against sums over what an observer sees, window by window.
#include <gtest/gtest.h>

#include "compress/moments.hpp"
#include "models/losses.hpp"
#include "tiny_calibration.hpp"
#include "weights/exchange.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;
using Sums = std::map<std::string, Tensor>;

void add(Sums& sums, const std::string& name, const Tensor& x) {
  const Tensor product = x.detach().t().mm(x.detach());
  sums[name] = sums[name].defined() ? sums[name] + product : product;
}

/// Of x^T x over all windows, each run through the whole model.
Sums input_sums(TinyCalibration& tiny) {
  const torch::NoGradGuard no_gradients;
  Sums sums;
  TemporaryWeights watch(tiny.model);
  for (const std::string& name : tiny.names)
    watch.watch(name, {.of_inputs = [&, name](const Tensor& x) { add(sums, name, x); }});
  for (const auto& ids : tiny.windows) tiny.model.hidden_states(as_tensor(ids));
  return sums;
}

/// Of g^T g with the gradients of the summed loss at the outputs.
Sums gradient_sums(TinyCalibration& tiny) {
  Sums sums;
  TemporaryWeights watch(tiny.model);
  for (const std::string& name : tiny.names) {
    const weights::RowSplit split = weight_of(tiny.model, name)->split();
    watch.watch(name, {.of_output_gradients = [&, name, split](const Tensor& own) {
                  add(sums, name,
                      weights::gather_columns(tiny.teams.team(), own.detach(), split,
                                              weights::Gradient::same));
                }});
  }
  for (const auto& ids : tiny.windows) {
    const std::int64_t targets = std::ssize(ids) - 1;
    const Tensor states =
        tiny.model.run_layers(tiny.model.embed(as_tensor(ids)).detach().requires_grad_(true));
    models::token_losses(tiny.model, states.narrow(0, 0, targets),
                         as_tensor(ids).narrow(0, 1, targets))
        .sum()
        .backward();
  }
  return sums;
}

std::vector<int> team_counts() {
  return world().size() > 1 ? std::vector<int>{1, 2} : std::vector<int>{1};
}

class Moments : public testing::TestWithParam<bool> {
 protected:
  static TinyModel tiny() { return GetParam() ? tiniest_layers() : tiny_layers(); }
};
INSTANTIATE_TEST_SUITE_P(Models, Moments, testing::Bool());

TEST_P(Moments, OfInputsAreDirectSums) {
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiny(), teams, 3, 14);
    const Sums sums = input_sums(calibration);
    const InputMoments found = measure_inputs(calibration.model, world(), calibration.teams,
                                              calibration.names, calibration.windows);
    EXPECT_EQ(found.moments.size(), 8U) << "four inputs in each of two layers";
    for (std::size_t w = 0; w < calibration.names.size(); ++w) {
      const Tensor whole = found.moments[found.of_weight[w]].assemble(world());
      EXPECT_LT(distance(whole, sums.at(calibration.names[w])), 1e-12) << calibration.names[w];
    }
  }
}

TEST_P(Moments, OfOutputGradientsAreDirectSums) {
  for (const int teams : team_counts()) {
    TinyCalibration calibration(tiny(), teams, 3, 14);
    const Sums sums = gradient_sums(calibration);
    const auto found =
        measure_output_gradients(calibration.model, world(), calibration.teams, calibration.names,
                                 calibration.windows, Targets::text);
    for (std::size_t w = 0; w < calibration.names.size(); ++w)
      // Sums are kept in float32.
      EXPECT_LT(distance(found[w].assemble(world()), sums.at(calibration.names[w])), 1e-5)
          << calibration.names[w];
  }
}

TEST_P(Moments, AreTheSameOnOneRankAndSpread) {
  TinyCalibration calibration(tiny(), team_counts().back(), 2, 11);
  const InputMoments found = measure_inputs(calibration.model, world(), calibration.teams,
                                            calibration.names, calibration.windows);
  const linalg::GridShape shape = linalg::squarest(world().size());
  const linalg::ProcessGrid grid(world(), shape.rows, shape.columns);
  for (const SecondMoment& moment : found.moments) {
    const Tensor whole = moment.assemble(world());
    const int owner = world().size() - 1;
    const Tensor owned = moment.assemble_on(world(), owner);
    EXPECT_EQ(owned.size(0), world().rank() == owner ? moment.size() : 0);
    if (world().rank() == owner) EXPECT_LT(distance(owned, whole), 1e-15);
    linalg::DistMatrix<double> spread(
        grid, linalg::Distribution::block_cyclic(moment.size(), moment.size(), 8, shape.rows,
                                                 shape.columns));
    moment.spread(spread);
    spread.view().for_each_local([&](std::int64_t i, std::int64_t j, double value) {
      if (i >= j)
        EXPECT_NEAR(value, whole[i][j].item<double>(), 1e-12 * whole.norm().item<double>());
    });
  }
}

}  // namespace
}  // namespace rankine::compress
