// Stages of image networks before these are loaded: names, borders, weights, costs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "distill/layouts.hpp"

namespace rankine::distill {
namespace {

using testing::Each;
using testing::ElementsAre;

compress::ImageJob job_of(models::NetworkPlan plan, std::vector<std::string> kernels) {
  compress::ImageJob job{.options = {}, .model = {}, .data = {}, .kernels = {}};
  job.options.method.form = weights::Form::tucker;
  job.model.plan = std::move(plan);
  for (std::string& name : kernels)
    job.kernels.push_back({.name = std::move(name), .shape = {1, 1, 1, 1}, .geometry = {}});
  return job;
}

std::vector<std::string> modules_of(const std::vector<StageLayout>& stages) {
  std::vector<std::string> modules;
  for (const StageLayout& stage : stages) modules.push_back(stage.module);
  return modules;
}

TEST(Layouts, OfAResidualNetworkHaveBordersBehindItsBlocks) {
  const auto stages = layout_of(job_of(models::cifar_resnet(8, {3, 32, 32}, 10),
                                       {"conv1", "layer2.0.conv1", "layer2.0.conv2"}));
  EXPECT_THAT(modules_of(stages),
              ElementsAre("conv1", "layer1.0", "layer2.0", "layer3.0", "global-pool", "linear"));
  EXPECT_FALSE(stages[0].is_block);
  EXPECT_TRUE(stages[2].is_block);
  EXPECT_THAT(stages[2].weights, ElementsAre("layer2.0.conv1", "layer2.0.conv2"));
  EXPECT_THAT(stages[2].inner,
              ElementsAre("layer2.0.conv1", "layer2.0.bn1", "layer2.0.conv2", "layer2.0.bn2"));
  EXPECT_EQ(stages[2].inputs, 16 * 32 * 32);
  EXPECT_EQ(stages[2].outputs, 32 * 16 * 16);
  EXPECT_EQ(stages[2].parameters, 32 * 16 * 9 + 32 * 32 * 9);
  EXPECT_GT(stages[2].cost, 16 * 16 * (32 * 16 * 9 + 32 * 32 * 9));
  for (std::size_t s = 1; s < stages.size(); ++s)
    EXPECT_EQ(stages[s].inputs, stages[s - 1].outputs);
  EXPECT_EQ(stages.back().outputs, 10);
}

TEST(Layouts, OfProjectedShortcutsAreBlocksToo) {
  const auto stages =
      layout_of(job_of(models::imagenet_resnet(18, models::Stem::imagenet, {3, 64, 64}, 7), {}));
  EXPECT_EQ(stages.size(), 11u);
  EXPECT_EQ(stages[3].module, "layer2.0");
  EXPECT_THAT(stages[3].inner, testing::Contains("layer2.0.downsample.0"));
}

TEST(Layouts, OfBlocksWithoutACommonNameAreToldApart) {
  const auto residual = [](const char* first, const char* second) {
    const auto layer = [](const char* name) {
      return std::string(R"({"type": "convolution", "name": ")") + name +
             R"(", "outputs": 3, "kernel": 1})";
    };
    return R"({"type": "residual", "body": [)" + layer(first) + "," + layer(second) + "]}";
  };
  const std::string text = R"({"layers": [)" + residual("x", "y") + "," + residual("a.1", "a.2") +
                           "," + residual("a.3", "a.4") + R"(, {"type": "flatten"}]})";
  const auto stages =
      layout_of(job_of(models::parse_plan(nlohmann::json::parse(text), "net.json", {3, 4, 4}), {}));
  EXPECT_THAT(modules_of(stages), ElementsAre("x", "a", "a.3"));
}

}  // namespace
}  // namespace rankine::distill
