// The layers of image networks as data: JSON and back, sizes, refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "models/image/network_plan.hpp"

namespace rankine::models {
namespace {

using nlohmann::json;
using testing::HasSubstr;

NetworkPlan plan_of(const std::string& layers, const ImageShape& input = {3, 8, 8}) {
  return parse_plan(json::parse(R"({"layers": [)" + layers + "]}"), "net.json", input);
}

std::string refusal_of(const std::string& layers, const ImageShape& input = {3, 8, 8}) {
  try {
    plan_of(layers, input);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Of the only layer before a flatten.
ImageShape made_by(const std::string& layer, const ImageShape& input) {
  return plan_of(layer + R"(, {"type": "flatten"})", input).layers[0].outputs;
}

constexpr const char* every_kind = R"(
  {"type": "convolution", "name": "a", "outputs": 6, "kernel": [3, 5], "stride": [2, 1],
   "padding": [1, 2], "dilation": [1, 2], "groups": 3, "bias": false},
  {"type": "batch-norm", "name": "b", "epsilon": 1e-3},
  {"type": "prelu", "name": "c", "slopes": 6},
  {"type": "max-pool", "kernel": 2, "stride": 1, "padding": [0, 1], "ceil_mode": true},
  {"type": "residual", "body": [{"type": "convolution", "name": "d", "outputs": 8, "kernel": 3,
   "padding": 1, "stride": 2}, {"type": "relu"}], "shortcut": [{"type": "subsample", "outputs": 8,
   "stride": 2}]},
  {"type": "average-pool", "kernel": 2, "stride": 1, "padding": [1, 0]},
  {"type": "flatten", "order": "hwc"},
  {"type": "linear", "name": "e", "outputs": 5, "bias": true})";

TEST(NetworkPlan, GoesToJsonAndBack) {
  for (const NetworkPlan& plan : {plan_of(every_kind, {3, 9, 9}), cifar_resnet(20, {3, 32, 32}, 10),
                                  imagenet_resnet(50, Stem::imagenet, {3, 64, 64}, 7),
                                  imagenet_resnet(18, Stem::cifar, {1, 32, 32}, 6)}) {
    const json text = to_json(plan);
    const NetworkPlan again = parse_plan(text, "net.json", plan.input);
    EXPECT_EQ(to_json(again), text);
    EXPECT_EQ(again.classes, plan.classes);
    EXPECT_EQ(again.parameters(), plan.parameters());
  }
}

TEST(NetworkPlan, ReadsEveryKey) {
  const NetworkPlan plan = plan_of(every_kind, {3, 9, 9});
  const LayerPlan& convolution = plan.layers[0];
  EXPECT_EQ(
      convolution.geometry,
      (weights::ConvolutionGeometry{
          .kernel = {3, 5}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 3}));
  EXPECT_FALSE(convolution.has_bias);
  EXPECT_EQ(convolution.outputs, (ImageShape{6, 5, 5}));
  EXPECT_DOUBLE_EQ(plan.layers[1].epsilon, 1e-3);
  EXPECT_EQ(plan.layers[2].slopes, 6);
  EXPECT_TRUE(plan.layers[3].has_ceil_mode);
  EXPECT_EQ(plan.layers[3].outputs, (ImageShape{6, 4, 6}));
  EXPECT_EQ(plan.layers[4].outputs, (ImageShape{8, 2, 3}));
  EXPECT_EQ(plan.layers[5].outputs, (ImageShape{8, 3, 2}));
  EXPECT_EQ(plan.layers[6].order, FlattenOrder::channels_last);
  EXPECT_EQ(plan.classes, 5);
  // 6 x 1 x 15, 2 x 6, 6, 8 x 6 x 9 + 8, 5 x 48 + 5
  EXPECT_EQ(plan.parameters(), 90 + 12 + 6 + 440 + 245);
}

TEST(NetworkPlan, OptionAPadsChannelsAndTakesEverySecondPixel) {
  const NetworkPlan plan = cifar_resnet(20, {3, 32, 32}, 10);
  std::vector<std::pair<ImageShape, ImageShape>> shortcuts;
  for (const LayerPlan& layer : plan.layers)
    if (!layer.shortcut.empty())
      shortcuts.emplace_back(layer.shortcut.front().inputs, layer.shortcut.front().outputs);
  EXPECT_EQ(shortcuts, (std::vector<std::pair<ImageShape, ImageShape>>{
                           {{16, 32, 32}, {32, 16, 16}}, {{32, 16, 16}, {64, 8, 8}}}));
  EXPECT_EQ(plan.parameters(), 269722);
  EXPECT_EQ(cifar_resnet(56, {3, 32, 32}, 10).parameters(), 853018);
}

TEST(NetworkPlan, NetworksOfTheImageNetFamilyHaveTheirNumbers) {
  const ImageShape input{3, 224, 224};
  EXPECT_EQ(imagenet_resnet(18, Stem::imagenet, input, 1000).parameters(), 11689512);
  EXPECT_EQ(imagenet_resnet(34, Stem::imagenet, input, 1000).parameters(), 21797672);
  EXPECT_EQ(imagenet_resnet(50, Stem::imagenet, input, 1000).parameters(), 25557032);
}

TEST(NetworkPlan, PoolsCountAsPyTorchDoes) {
  const auto pool = [](const std::string& rest, const ImageShape& input) {
    return made_by(R"({"type": "max-pool", )" + rest + "}", input);
  };
  EXPECT_EQ(pool(R"("kernel": 2)", {1, 5, 6}), (ImageShape{1, 2, 3}));
  EXPECT_EQ(pool(R"("kernel": 2, "ceil_mode": true)", {1, 5, 6}), (ImageShape{1, 3, 3}));
  EXPECT_EQ(pool(R"("kernel": 3, "stride": 2, "ceil_mode": true)", {1, 6, 7}),
            (ImageShape{1, 3, 3}));
  // The last window would begin in the padding on the right: it does not count.
  EXPECT_EQ(pool(R"("kernel": 2, "stride": 2, "padding": 1, "ceil_mode": true)", {1, 3, 4}),
            (ImageShape{1, 2, 3}));
  EXPECT_EQ(pool(R"("kernel": 1, "stride": 3, "ceil_mode": true)", {1, 6, 7}),
            (ImageShape{1, 2, 3}));
}

TEST(NetworkPlan, RefusesLayersThatAreNoneAndSaysWhere) {
  EXPECT_THAT(refusal_of(R"({"type": "relu6"})"),
              testing::AllOf(HasSubstr("net.json"), HasSubstr("layers"), HasSubstr("relu6"),
                             HasSubstr("batch-norm")));
  EXPECT_THAT(refusal_of(R"({"type": "relu", "slope": 1})"), HasSubstr("no key \"slope\""));
  EXPECT_THAT(refusal_of(R"({"name": "x"})"), HasSubstr("type"));
  EXPECT_THAT(refusal_of(R"({"type": "convolution", "outputs": 1, "kernel": 1})"),
              HasSubstr("name"));
  EXPECT_THAT(refusal_of(R"({"type": "convolution", "name": "a", "kernel": 1})"),
              HasSubstr("outputs"));
  EXPECT_THAT(refusal_of(R"({"type": "convolution", "name": "a", "outputs": 1})"),
              HasSubstr("\"kernel\" is missing"));
  EXPECT_THAT(refusal_of(""), HasSubstr("no layers"));
}

TEST(NetworkPlan, RefusesValuesThatAreNone) {
  const auto convolution = [](const std::string& rest) {
    return refusal_of(R"({"type": "convolution", "name": "a", "outputs": 6, )" + rest + "}");
  };
  EXPECT_THAT(convolution(R"("kernel": [1, 2, 3])"), HasSubstr("one number or two"));
  EXPECT_THAT(convolution(R"("kernel": 0)"), HasSubstr("kernel"));
  EXPECT_THAT(convolution(R"("kernel": 3, "stride": 0)"), HasSubstr("stride"));
  EXPECT_THAT(convolution(R"("kernel": 3, "padding": -1)"), HasSubstr("padding"));
  EXPECT_THAT(convolution(R"("kernel": 3, "dilation": 0)"), HasSubstr("dilation"));
  EXPECT_THAT(convolution(R"("kernel": 3, "groups": 2)"),
              HasSubstr("3 input and 6 output channels are not divisible by 2 groups"));
  EXPECT_THAT(convolution(R"("kernel": 9)"), HasSubstr("larger than the image of 3 x 8 x 8"));
  EXPECT_THAT(refusal_of(R"({"type": "max-pool", "kernel": 2, "padding": 2})"),
              HasSubstr("at most half the kernel"));
  EXPECT_THAT(refusal_of(R"({"type": "batch-norm", "name": "a", "epsilon": -1})"),
              HasSubstr("epsilon"));
  EXPECT_THAT(refusal_of(R"({"type": "flatten", "order": "cwh"})"), HasSubstr("\"hwc\""));
  EXPECT_THAT(refusal_of(R"({"type": "prelu", "name": "a", "slopes": 2})"),
              HasSubstr("2 slopes for 3 channels"));
}

TEST(NetworkPlan, RefusesLayersThatDoNotFitTogether) {
  EXPECT_THAT(refusal_of(R"({"type": "linear", "name": "a", "outputs": 2})"),
              HasSubstr("Put a flatten or global-pool layer before it"));
  EXPECT_THAT(refusal_of(R"({"type": "relu"})"), HasSubstr("makes 3 x 8 x 8"));
  EXPECT_THAT(refusal_of(R"({"type": "residual", "body": [{"type": "convolution", "name": "a",
                             "outputs": 4, "kernel": 1}]})"),
              HasSubstr("its body makes 4 x 8 x 8 and its shortcut 3 x 8 x 8"));
  EXPECT_THAT(refusal_of(R"({"type": "residual", "body": [], "shortcut": [{"type": "max-pool",
                             "kernel": 2}]})"),
              HasSubstr("its shortcut 3 x 4 x 4"));
  const std::string twice = R"({"type": "convolution", "name": "a", "outputs": 3, "kernel": 1})";
  EXPECT_THAT(refusal_of(twice + "," + twice + R"(, {"type": "global-pool"})"),
              HasSubstr("two layers called a"));
}

TEST(NetworkPlan, RefusesDepthsThatDoNotExist) {
  for (const std::int64_t depth : {2, 7, 9, 21})
    EXPECT_THROW(cifar_resnet(depth, {3, 32, 32}, 10), InputError) << depth;
  EXPECT_NO_THROW(cifar_resnet(8, {3, 32, 32}, 10));
}

}  // namespace
}  // namespace rankine::models
