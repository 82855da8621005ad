// Whitened coordinates of two factors against whole matrices.
#include <gtest/gtest.h>

#include "compress/stages/whitening.hpp"
#include "core/errors.hpp"
#include "tiny_calibration.hpp"
#include "weights/forms/low_rank.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;

Tensor loud_moment(std::int64_t n) {
  torch::manual_seed(4);
  Tensor x = torch::randn({3 * n, n}, torch::kFloat64);
  x.select(1, 0).mul_(1000);  // a loud channel
  x.select(1, 1).zero_();     // and a silent one
  return x.t().mm(x);
}

TEST(WhiteningFactor, MakesTheMomentAUnitMatrix) {
  const Tensor moment = loud_moment(12);
  const Tensor k = whitening_factor(moment.clone());
  const double typical = 1 / moment.diagonal()
                                 .clamp_min(1e-6 * moment.diagonal().mean())
                                 .reciprocal()
                                 .mean()
                                 .item<double>();
  const Tensor one = torch::eye(12, torch::kFloat64);
  const Tensor white = k.mm(moment + 0.1 * typical * one).mm(k.t());
  EXPECT_LT(distance(white, white[0][0] * one), 1e-9);
  EXPECT_NEAR(k.square().sum().item<double>(), 12, 1e-9) << "moves keep their size";
  const Tensor diagonal = whitening_factor(moment.diagonal().clone());
  EXPECT_EQ(diagonal.dim(), 1);
  EXPECT_NEAR(diagonal.square().sum().item<double>(), 12, 1e-9);
  const double nan = std::nan("");
  EXPECT_THROW(whitening_factor(torch::full({2, 2}, nan, torch::kFloat64)), NumericalError);
}

std::shared_ptr<weights::Weight> random_factors(const weights::Weight& dense, std::int64_t rank) {
  torch::manual_seed(5);
  const Tensor left = torch::randn({dense.outputs(), rank}, torch::kFloat64),
               right = torch::randn({rank, dense.inputs()}, torch::kFloat64);
  const auto own = [&](const Tensor& whole, const weights::RowSplit& split) {
    return whole.narrow(0, split.first(dense.team().rank()), split.count(dense.team().rank()));
  };
  return weights::make_low_rank(dense.team(), dense.split(), own(left, dense.split()),
                                own(right, weights::RowSplit::even(rank, dense.team().size())),
                                torch::kFloat64);
}

/// The rows of a parameter that this rank holds.
Tensor rows_of_rank(const weights::Parameter& parameter, const Tensor& whole) {
  return whole.narrow(0, parameter.first_row, parameter.values.size(0));
}

/// Gradients and moves of own rows are rows of K times, or of what is times K.
TEST(Whitening, ActsOnRowBlocksAsOnWholeFactors) {
  TinyCalibration tiny(tiny_layers(), world().size() > 2 ? 2 : 1, 3, 20);
  const std::vector<std::string> names{tiny.names[0], tiny.names[4], tiny.names[6]};
  ErrorNorm norm{.inputs = InputWeighting::full};
  norm.input_moments = measure_inputs(tiny.model, world(), tiny.teams, names, tiny.batches());
  norm.output_moments = measure_output_gradients(tiny.model, world(), tiny.teams, names,
                                                 tiny.batches(), {.targets = Targets::given});
  const Whitening whitening(tiny.model, world(), names, norm);
  for (const std::string& name : {names[0], names[2]})  // the other one stays dense
    tiny.model.replace_weight(name, random_factors(*weight_of(tiny.model, name), 7));
  const auto coordinates = whitening.of(tiny.model, names);
  ASSERT_EQ(coordinates.size(), 5U);
  EXPECT_FALSE(coordinates[2].gradient) << "of the dense one";
  for (const std::size_t w : {std::size_t{0}, std::size_t{2}}) {
    const std::size_t first = w == 0 ? 0 : 3;
    const auto parameters = weight_of(tiny.model, names[w])->parameters();
    const Tensor outputs = whitening_factor(whole(norm.output_moments[w])),
                 inputs = whitening_factor(
                     whole(norm.input_moments.moments[norm.input_moments.of_weight[w]]));
    const Tensor a = torch::randn({outputs.size(0), 7}, torch::kFloat64),
                 b = torch::randn({7, inputs.size(0)}, torch::kFloat64);
    const auto expect = [&](const auto& map, std::size_t p, const Tensor& x, const Tensor& wanted) {
      const Tensor found = map(rows_of_rank(parameters[p], x));
      EXPECT_LT((found - rows_of_rank(parameters[p], wanted)).norm().item<double>(),
                1e-10 * wanted.norm().item<double>());
    };
    expect(coordinates[first].gradient, 0, a, outputs.mm(a));
    expect(coordinates[first].move, 0, a, outputs.t().mm(a));
    expect(coordinates[first + 1].gradient, 1, b, b.mm(inputs.t()));
    expect(coordinates[first + 1].move, 1, b, b.mm(inputs));
  }
}

}  // namespace
}  // namespace rankine::compress
