// A network of another family than language models: calibration, replacement of weights and
// decomposition run on it, and give what formulas do.
#include <gtest/gtest.h>

#include "compress/calibration/moments.hpp"
#include "core/errors.hpp"
#include "tiny_calibration.hpp"
#include "two_layer_perceptron.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;

std::vector<int> perceptron_teams() {
  return world().size() > 1 ? std::vector<int>{1, 2} : std::vector<int>{1};
}

/// A perceptron on each team with data for it, as whole matrices.
class PerceptronCase {
  at::Generator random_ = at::detail::createCPUGenerator(11);
  Tensor normal(at::IntArrayRef shape) {
    return at::normal(0.0, 1.0, shape, random_, torch::TensorOptions(torch::kFloat64));
  }

 public:
  parallel::Teams teams;
  Tensor w = normal({7, 5}), b = normal({7}), v = normal({3, 7});
  TwoLayerPerceptron network{teams.team(), w, b, v};
  std::vector<models::Batch> batches{{normal({4, 5}), normal({4, 3})},
                                     {normal({6, 5}), normal({6, 3})},
                                     {normal({1, 5}), normal({1, 3})}};
  Tensor x, t;  ///< of all batches

  explicit PerceptronCase(int n_teams) : teams(world(), n_teams) {
    std::vector<Tensor> inputs, targets;
    for (const models::Batch& batch : batches) {
      inputs.push_back(batch.inputs);
      targets.push_back(batch.targets);
    }
    x = torch::cat(inputs);
    t = torch::cat(targets);
  }

  Tensor hidden() const { return torch::relu(x.mm(w.t()) + b); }
  Tensor outputs() const { return hidden().mm(v.t()); }
};

TEST(Perceptron, MomentsAreThoseOfFormulas) {
  for (const int n_teams : perceptron_teams()) {
    PerceptronCase perceptron(n_teams);
    const std::vector<std::string> names{"hidden", "output"};
    const InputMoments inputs =
        measure_inputs(perceptron.network, world(), perceptron.teams, names, perceptron.batches);
    const Tensor h = perceptron.hidden();
    ASSERT_EQ(inputs.moments.size(), 2U);
    EXPECT_LT(distance(whole(inputs.moments[0]), perceptron.x.t().mm(perceptron.x)), 1e-13);
    EXPECT_LT(distance(whole(inputs.moments[1]), h.t().mm(h)), 1e-13);
    const auto gradients = measure_output_gradients(perceptron.network, world(), perceptron.teams,
                                                    names, perceptron.batches, {});
    const Tensor of_outputs = perceptron.outputs() - perceptron.t;
    const Tensor of_hidden = of_outputs.mm(perceptron.v) * (h > 0);
    EXPECT_LT(distance(whole(gradients[0]), of_hidden.t().mm(of_hidden)), 1e-13);
    EXPECT_LT(distance(whole(gradients[1]), of_outputs.t().mm(of_outputs)), 1e-13);
  }
}

TEST(Perceptron, ObserversAreGoneAfterwards) {
  PerceptronCase perceptron(1);
  const std::vector<std::string> names{"output"};
  const auto first = measure_output_gradients(perceptron.network, world(), perceptron.teams, names,
                                              perceptron.batches, {});
  const Tensor before = whole(first[0]).clone();
  for (const models::Slot* slot : perceptron.network.slots()) EXPECT_FALSE(slot->is_observed());
  const Tensor outputs = perceptron.network.forward(perceptron.x);
  EXPECT_FALSE(outputs.requires_grad()) << "nobody asks for its gradient any more";
  EXPECT_TRUE(torch::equal(whole(first[0]), before));
  EXPECT_LT(distance(outputs, perceptron.outputs()), 1e-13);
}

TEST(Perceptron, WeightsAreReplacedForAWhile) {
  PerceptronCase perceptron(1);
  models::Network& network = perceptron.network;
  const auto original = weight_of(network, "hidden");
  const auto half = std::make_shared<weights::Dense>(perceptron.teams.team(), original->split(),
                                                     0.5 * original->own_rows());
  {
    models::TemporaryWeights temporary(network);
    temporary.replace("hidden", half);
    const Tensor h = torch::relu(0.5 * perceptron.x.mm(perceptron.w.t()) + perceptron.b);
    EXPECT_LT(distance(network.forward(perceptron.x), h.mm(perceptron.v.t())), 1e-13);
    EXPECT_THROW(temporary.replace("output", half), InputError) << "another shape";
    EXPECT_THROW(temporary.replace("hiden", half), InputError);
  }
  EXPECT_EQ(weight_of(network, "hidden"), original);
  EXPECT_LT(distance(network.forward(perceptron.x), perceptron.outputs()), 1e-13);
}

TEST(Perceptron, DecompositionTakesIt) {
  PerceptronCase perceptron(perceptron_teams().back());
  const std::vector<std::string> names{"hidden", "output"};
  ErrorNorm norm{.inputs = InputWeighting::full};
  norm.input_moments =
      measure_inputs(perceptron.network, world(), perceptron.teams, names, perceptron.batches);
  const auto factors =
      decompose(perceptron.network, world(), perceptron.teams, names, std::move(norm));
  const Tensor expected = std::get<1>(torch::linalg_svd(perceptron.w.mm(perceptron.x.t()), false));
  ASSERT_EQ(factors[0].singular_values.size(), 5U);
  for (std::int64_t i = 0; i < 5; ++i)
    EXPECT_NEAR(factors[0].singular_values[static_cast<std::size_t>(i)], expected[i].item<double>(),
                1e-5 * expected[0].item<double>());
}

}  // namespace
}  // namespace rankine::compress
