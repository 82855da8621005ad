// Image networks: logits over ranks, layers, and batch norm over ranks against the whole batch.
#include <gtest/gtest.h>

#include <algorithm>

#include "image_testing.hpp"
#include "models/image/image_batch.hpp"
#include "models/image/image_network_reader.hpp"
#include "models/image/image_scoring.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::models {
namespace {

using parallel::Communicator;
using torch::Tensor;

TEST(ScoredImages, HaveTheSameLogitsAtAnyNumberOfRanks) {
  const ImageSet set = striped_images(23);
  const ImageNetwork network =
      draw_image_network(alone().team(), cifar_resnet(8, set.shape(), 3), 1, Precision::float32);
  EXPECT_EQ(score_images(network, set, 5, world()), score_images(network, set, 5, alone().team()));
}

/// What the only stage without weights makes of x.
Tensor made_by(const std::string& layer, const ImageShape& input, const Tensor& x) {
  const NetworkPlan plan =
      parse_plan(nlohmann::json::parse(R"({"layers": [)" + layer + R"(, {"type": "flatten"}]})"),
                 "one", input);
  return draw_image_network(alone().team(), plan, 1, Precision::float64).logits(x);
}

TEST(ImageLayers, MakeImagesOfThePlannedSizes) {
  const char* layers = R"({"layers": [
    {"type": "convolution", "name": "a", "outputs": 6, "kernel": [3, 5], "stride": [2, 1],
     "padding": [1, 2], "dilation": [1, 2], "groups": 3},
    {"type": "max-pool", "kernel": 2, "stride": 1, "padding": [0, 1], "ceil_mode": true},
    {"type": "convolution", "name": "b", "outputs": 4, "kernel": 1, "stride": 2},
    {"type": "max-pool", "kernel": 2, "stride": 2, "padding": 1, "ceil_mode": true},
    {"type": "average-pool", "kernel": 2, "stride": 1, "padding": [1, 0]}, {"type": "flatten"}]})";
  for (const std::int64_t height : {9, 10, 14})
    for (const std::int64_t width : {9, 11, 12}) {
      const NetworkPlan plan =
          parse_plan(nlohmann::json::parse(layers), "many.json", {3, height, width});
      const ImageNetwork network = draw_image_network(alone().team(), plan, 1, Precision::float64);
      Tensor x = waves({2, 3, height, width}, 1);
      for (std::size_t l = 0; l < plan.layers.size(); ++l) {
        x = network.layers()[l]->forward(x);
        EXPECT_EQ(x[0].numel(), plan.layers[l].outputs.size()) << "layer " << l;
        if (x.dim() == 4) EXPECT_EQ(x.size(2), plan.layers[l].outputs.height) << "layer " << l;
      }
    }
}

TEST(ImageLayers, FlattenInEitherOrderAndPadChannelsOnBothSides) {
  const Tensor x = waves({2, 3, 4, 4}, 1);
  EXPECT_TRUE(torch::equal(made_by(R"({"type": "flatten", "order": "chw"})", {3, 4, 4}, x),
                           x.reshape({2, 48})));
  EXPECT_TRUE(torch::equal(made_by(R"({"type": "flatten", "order": "hwc"})", {3, 4, 4}, x),
                           x.permute({0, 2, 3, 1}).reshape({2, 48})));
  Tensor expected = torch::zeros({2, 7, 2, 2}, torch::kFloat64);
  for (std::int64_t c = 0; c < 3; ++c)
    expected.select(1, c + 2).copy_(x.select(1, c).slice(1, 0, 4, 2).slice(2, 0, 4, 2));
  EXPECT_TRUE(
      torch::equal(made_by(R"({"type": "subsample", "outputs": 7, "stride": 2})", {3, 4, 4}, x),
                   expected.flatten(1)));
}

TEST(ImageLayers, OverwriteNothingThatOthersHold) {
  const torch::NoGradGuard no_gradients;
  const NetworkPlan plan = parse_plan(nlohmann::json::parse(R"({"layers": [
    {"type": "residual", "body": [{"type": "relu"}, {"type": "batch-norm", "name": "a"},
     {"type": "relu"}]},
    {"type": "batch-norm", "name": "b"}, {"type": "relu"},
    {"type": "residual", "body": []}, {"type": "relu"}, {"type": "flatten"}]})"),
                                      "held.json", {3, 4, 4});
  const ImageNetwork network = draw_image_network(alone().team(), plan, 1, Precision::float64);
  const Tensor given = waves({2, 3, 4, 4}, 1), x = given.clone();
  const double scale = 1 / std::sqrt(1 + 1e-5);  // of a norm that is drawn
  const Tensor expected = 2 * ((given + given.relu() * scale) * scale).relu();
  EXPECT_LT((network.logits(x) - expected.flatten(1)).abs().max().item<double>(), 1e-14);
  EXPECT_TRUE(torch::equal(x, given));
  EXPECT_LT((network.logits(x.narrow(0, 1, 1)) - expected.narrow(0, 1, 1).flatten(1))
                .abs()
                .max()
                .item<double>(),
            1e-14);
  EXPECT_TRUE(torch::equal(x, given)) << "a view of it was given";
  for (const Stage& stage : network.stages()) stage.forward(x);
  EXPECT_TRUE(torch::equal(x, given)) << "a stage got it";
}

TEST(ImageNetwork, StagesHaveAllParametersOnceAndMakeWhatItMakes) {
  const ImageNetwork network =
      draw_image_network(alone().team(), small_plan(), 1, Precision::float64);
  std::vector<std::string> of_stages, all, modules;
  Tensor x = waves({3, 2, 8, 8}, 1);
  const Tensor expected = network.logits(x);
  for (const Stage& stage : network.stages()) {
    modules.push_back(stage.module);
    x = stage.forward(x);
    for (const Slot* slot : stage.slots)
      for (const auto& parameter : slot->weight()->parameters())
        of_stages.push_back(slot->name() + "." + parameter.name);
    for (const auto& parameter : stage.parameters) of_stages.push_back(parameter.name);
  }
  EXPECT_TRUE(torch::equal(x, expected));
  EXPECT_EQ(modules, (std::vector<std::string>{"conv1", "conv2", "global-pool", "fc"}));
  for (const auto& parameter : network.parameters()) all.push_back(parameter.name);
  std::ranges::sort(of_stages);
  std::ranges::sort(all);
  EXPECT_EQ(of_stages, all);
}

/// How a batch of 7 is cut into the parts of ranks: evenly, or all on the last rank.
enum class Parts { even, last };

/// First image and number of images of this rank.
std::pair<std::int64_t, std::int64_t> own_part(Parts parts, std::int64_t images) {
  const int rank = world().rank();
  if (parts == Parts::last)
    return rank + 1 == world().size() ? std::pair<std::int64_t, std::int64_t>{0, images}
                                      : std::pair<std::int64_t, std::int64_t>{0, 0};
  const auto split = weights::RowSplit::even(images, world().size());
  return {split.first(rank), split.count(rank)};
}

double sum_over_ranks(const Tensor& x) { return world().sum(x.sum().item<double>()); }

void expect_near(const Tensor& found, const Tensor& expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  if (found.numel() > 0)
    EXPECT_LT((found - expected).abs().max().item<double>(), tolerance) << what;
}

/// A part against the norm of the whole batch, forward and backward.
void compare_with_whole(std::vector<std::int64_t> shape, Parts parts, torch::ScalarType type) {
  const double tolerance = type == torch::kFloat64 ? 1e-12 : 2e-5;
  const auto [first, count] = own_part(parts, shape[0]);
  const auto leaf = [&](const Tensor& values) {
    return values.detach().clone().to(type).set_requires_grad(true);
  };
  const Tensor all = leaf(waves(shape, 0.2) * 3 + 5), own = leaf(all.narrow(0, first, count));
  const std::int64_t channels = shape[1];
  const Tensor weights[2] = {leaf(waves({channels}, 1)), leaf(waves({channels}, 1))};
  const Tensor biases[2] = {leaf(waves({channels}, 2)), leaf(waves({channels}, 2))};
  const Tensor slopes = waves(shape, 3).to(type);

  const Tensor expected = at::batch_norm(all, weights[0], biases[0], {}, {}, true, 0, 1e-5, false);
  (expected * slopes).sum().backward();
  const Tensor found = batch_norm_over_ranks(world(), own, {weights[1], biases[1], {}, {}}, 1e-5);
  (found * slopes.narrow(0, first, count)).sum().backward();

  expect_near(found, expected.narrow(0, first, count), tolerance, "output");
  expect_near(own.grad(), all.grad().narrow(0, first, count), tolerance, "gradient");
  for (std::int64_t c = 0; c < channels; ++c) {
    EXPECT_NEAR(sum_over_ranks(weights[1].grad()[c]), weights[0].grad()[c].item<double>(),
                10 * tolerance);
    EXPECT_NEAR(sum_over_ranks(biases[1].grad()[c]), biases[0].grad()[c].item<double>(),
                10 * tolerance);
  }
}

TEST(BatchNormOverRanks, IsThatOfTheWholeBatch) {
  for (const Parts parts : {Parts::even, Parts::last})
    for (const auto type : {torch::kFloat32, torch::kFloat64}) {
      compare_with_whole({7, 3, 4, 5}, parts, type);
      compare_with_whole({2, 3, 4, 5}, parts, type);  // fewer images than ranks
      compare_with_whole({7, 3}, parts, type);
    }
}

TEST(BatchNormOverRanks, OneValueOrEqualOnesStayFinite) {
  for (const std::int64_t images : {1, 5}) {
    const auto [first, count] = own_part(Parts::even, images);
    const Tensor x = torch::full({count, 2, 1, 1}, 7.25).set_requires_grad(true);
    const Tensor weight = torch::full({2}, 3.0).set_requires_grad(true);
    const Tensor bias = torch::tensor({1.0f, -2.0f}).set_requires_grad(true);
    const Tensor y = batch_norm_over_ranks(world(), x, {weight, bias, {}, {}}, 1e-5);
    y.square().sum().backward();
    expect_near(y, bias.detach().view({1, 2, 1, 1}).expand({count, 2, 1, 1}), 1e-3, "output");
    for (const Tensor& leaf : {x, weight, bias})
      EXPECT_TRUE(leaf.grad().isfinite().all().item<bool>());
  }
}

/// The images of this rank in batches of `size`, `whole` of them being all there are.
std::vector<Tensor> own_batches(const Tensor& whole, Parts parts, std::int64_t size) {
  const auto [first, count] = own_part(parts, whole.size(0));
  std::vector<Tensor> batches;
  for (std::int64_t b = 0; b < count; b += size)
    batches.push_back(whole.narrow(0, first + b, std::min(size, count - b)));
  return batches;
}

/// Mean and variance of every norm of the small network, after restoring them.
std::vector<Tensor> restored(const Tensor& whole, Parts parts, std::int64_t size) {
  ImageNetwork network = draw_image_network(alone().team(), small_plan(), 3, Precision::float64);
  restore_norm_statistics(network, world(), own_batches(whole, parts, size));
  std::vector<Tensor> all;
  for (const BatchNorm* norm : network.norms())
    all.insert(all.end(), {norm->tensors().mean.clone(), norm->tensors().variance.clone()});
  return all;
}

TEST(NormStatistics, AreThoseOfAllImagesHoweverTheyAreCut) {
  const torch::NoGradGuard no_gradients;
  const Tensor whole = waves({11, 2, 8, 8}, 0.4) + 100;  // a mean that hides the variance
  // By hand: the norms of the network one after the other.
  ImageNetwork network = draw_image_network(alone().team(), small_plan(), 3, Precision::float64);
  const auto statistics = [](const Tensor& x) {
    return std::pair{x.mean({0, 2, 3}), x.var(at::IntArrayRef{0, 2, 3}, false)};
  };
  const auto kernel = [&](const char* name, const std::vector<std::int64_t>& shape) {
    return network.slot(name).weight()->own_rows().view(shape);
  };
  const auto norm = [](const Tensor& x, const std::pair<Tensor, Tensor>& known) {
    return at::batch_norm(x, {}, {}, known.first, known.second, false, 0, 1e-5, false);
  };
  const Tensor first = at::conv2d(whole, kernel("conv1", {4, 2, 3, 3}), {}, 1, 1);
  const auto of_first = statistics(first);
  const Tensor x = norm(first, of_first).relu();
  const auto of_body = statistics(at::conv2d(x, kernel("conv2", {6, 4, 3, 3}), {}, 2, 1));
  const auto of_shortcut = statistics(at::conv2d(x, kernel("conv3", {6, 4, 1, 1}), {}, 2));
  const std::vector<Tensor> expected{of_first.first, of_first.second,   of_body.first,
                                     of_body.second, of_shortcut.first, of_shortcut.second};
  for (const Parts parts : {Parts::even, Parts::last})
    for (const std::int64_t size : {1, 4, 11}) {
      const auto found = restored(whole, parts, size);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        expect_near(found[i], expected[i], 1e-11, "in batches of " + std::to_string(size));
    }
}

TEST(NormStatistics, StayFiniteWhereAChannelNeverChanges) {
  const torch::NoGradGuard no_gradients;
  ImageNetwork network = draw_image_network(alone().team(), small_plan(), 3, Precision::float32);
  network.slot("conv1").weight()->parameters()[0].values.narrow(0, 1, 2).zero_();
  const Tensor whole = waves({5, 2, 8, 8}, 1).to(torch::kFloat32);
  restore_norm_statistics(network, world(), own_batches(whole, Parts::even, 2));
  EXPECT_EQ(network.norms()[0]->tensors().variance[1].item<float>(), 0);
  EXPECT_TRUE(network.logits(whole).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace rankine::models
