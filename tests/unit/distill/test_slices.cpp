// How stages become slices: by layer, by block, by list, by number; what is refused, in which
// words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "distill/slices.hpp"

namespace rankine::distill {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Of a residual network whose kernels are all replaced, but that of its linear layer.
std::vector<StageLayout> stages() {
  std::vector<StageLayout> all{
      {.module = "conv1", .inner = {"conv1", "bn1"}, .weights = {"conv1"}}};
  for (const char* block : {"layer1.0", "layer1.1", "layer2.0", "layer2.1"}) {
    const std::string name = block;
    all.push_back({.module = name,
                   .is_block = true,
                   .inner = {name + ".conv1", name + ".conv2"},
                   .weights = {name + ".conv1", name + ".conv2"}});
  }
  all.push_back({.module = "global-pool"});
  all.push_back({.module = "linear", .inner = {"linear"}});
  for (StageLayout& stage : all) stage.cost = 1;
  return all;
}

std::vector<std::string> names_of(const std::vector<Slice>& slices) {
  std::vector<std::string> names;
  for (const Slice& slice : slices) names.push_back(slice.name);
  return names;
}

std::vector<std::string> names_of(const SliceOptions& options) {
  return names_of(plan_slices(stages(), options));
}

std::string refusal_of(const SliceOptions& options,
                       const std::vector<StageLayout>& layout = stages()) {
  try {
    plan_slices(layout, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

SliceOptions listed(std::vector<std::string> list) {
  return {.by = SlicesBy::list, .list = std::move(list)};
}

TEST(Slices, ByLayerAreAllStagesWithWeights) {
  const auto slices = plan_slices(stages(), {.by = SlicesBy::layer});
  EXPECT_THAT(names_of(slices),
              ElementsAre("conv1", "layer1.0", "layer1.1", "layer2.0", "layer2.1"));
  EXPECT_EQ(slices[1].first_stage, 1u);
  EXPECT_EQ(slices[1].end_stage, 2u);
  EXPECT_THAT(slices[1].weights, ElementsAre("layer1.0.conv1", "layer1.0.conv2"));
}

TEST(Slices, ByBlockAreBlocksAlone) {
  EXPECT_THAT(names_of({.by = SlicesBy::block}),
              ElementsAre("layer1.0", "layer1.1", "layer2.0", "layer2.1"));
  EXPECT_THAT(refusal_of({.by = SlicesBy::block}, {{.module = "conv1", .weights = {"conv1"}}}),
              AllOf(HasSubstr("without residual blocks"), HasSubstr("slices.by = \"layer\"")));
}

TEST(Slices, OfAListStandInTheOrderOfTheNetwork) {
  const auto slices =
      plan_slices(stages(), listed({"layer2.0..linear", "conv1", "layer1.0..layer1.1"}));
  EXPECT_THAT(names_of(slices), ElementsAre("conv1", "layer1.0-layer1.1", "layer2.0-linear"));
  EXPECT_EQ(slices[2].end_stage, 7u);
  EXPECT_EQ(slices[2].weights.size(), 4u);
  EXPECT_EQ(slices[2].cost, 4);
}

TEST(Slices, OfAListThatCannotBeAreRefusedByName) {
  EXPECT_THAT(refusal_of(listed({"layer3.0"})),
              AllOf(HasSubstr("slices.list names layer3.0, which is no part of the network"),
                    HasSubstr("it has 7 parts, from conv1 to linear"), HasSubstr("Did you mean")));
  EXPECT_THAT(refusal_of(listed({"something else"})), HasSubstr("Correct the name."));
  EXPECT_THAT(refusal_of(listed({"layer1.0.conv1"})),
              HasSubstr("a border behind it would cut the skip connection of layer1.0"));
  EXPECT_THAT(refusal_of(listed({"conv1..layer1.1.bn2"})),
              HasSubstr("would cut the skip connection of layer1.1"));
  EXPECT_THAT(refusal_of(listed({"bn1"})),
              HasSubstr("a border behind it would stand within the layer conv1"));
  EXPECT_THAT(refusal_of(listed({"layer2.0", "layer1.1..layer2.0"})),
              HasSubstr("the slices layer1.1..layer2.0 and layer2.0 of slices.list overlap (both "
                        "have layer2.0)"));
  EXPECT_THAT(refusal_of(listed({"conv1", "conv1"})), HasSubstr("overlap"));
  EXPECT_THAT(refusal_of(listed({"layer2.0..layer1.0"})),
              HasSubstr("slices.list has layer2.0..layer1.0 (the network has layer1.0 before "
                        "layer2.0)"));
  EXPECT_THAT(refusal_of(listed({"global-pool..linear"})),
              HasSubstr("none of its weights is replaced"));
  EXPECT_NE(refusal_of(listed({"conv1.."})), "");
  EXPECT_NE(refusal_of(listed({""})), "");
}

TEST(Slices, OfANumberCostAsLittleAsCanBe) {
  auto layout = stages();
  for (std::size_t s = 0; s < layout.size(); ++s) layout[s].cost = s < 3 ? 1 : 3;
  const auto slices = plan_slices(layout, {.count = 3});
  EXPECT_THAT(names_of(slices), ElementsAre("conv1-layer1.1", "layer2.0", "layer2.1"));
  EXPECT_EQ(slices[0].cost, 3);
  EXPECT_THAT(names_of(SliceOptions{.count = 1}), ElementsAre("conv1-layer2.1"));
  EXPECT_EQ(names_of(SliceOptions{.count = 5}), names_of(SliceOptions{}));
  EXPECT_THAT(refusal_of({.count = 6}),
              AllOf(HasSubstr("slices.count = 6 is more than there are (5 parts"),
                    HasSubstr("Choose at most 5.")));
  EXPECT_THAT(refusal_of({.by = SlicesBy::block, .count = 5}), HasSubstr("Choose at most 4."));
}

/// Against all ways to put borders.
TEST(Slices, OfANumberAreBalancedAsByTryingAll) {
  std::vector<StageLayout> layout;
  const double costs[] = {5, 1, 1, 7, 2, 2, 3, 1, 4, 6};
  for (const double cost : costs)
    layout.push_back({.module = std::to_string(layout.size()), .weights = {"w"}, .cost = cost});
  for (std::int64_t count = 1; count <= 10; ++count) {
    double best = 1e9;
    for (unsigned borders = 0; borders < 512; ++borders) {
      if (__builtin_popcount(borders) != count - 1) continue;
      double largest = 0, sum = 0;
      for (unsigned s = 0; s < 10; ++s) {
        sum += costs[s];
        largest = std::max(largest, sum);
        if (s < 9 && (borders >> s & 1u)) sum = 0;
      }
      best = std::min(best, largest);
    }
    const auto slices = plan_slices(layout, {.count = count});
    ASSERT_EQ(std::ssize(slices), count);
    double largest = 0;
    for (const Slice& slice : slices) largest = std::max(largest, slice.cost);
    EXPECT_EQ(largest, best) << count;
    EXPECT_EQ(slices.front().first_stage, 0u);
    EXPECT_EQ(slices.back().end_stage, 10u);
    for (std::size_t s = 1; s < slices.size(); ++s)
      EXPECT_EQ(slices[s].first_stage, slices[s - 1].end_stage);
  }
}

TEST(Slices, ForTrainingHaveARateEachAndSomethingToTrain) {
  DistillOptions options;
  const auto refusal = [&](const std::vector<StageLayout>& layout, std::int64_t samples) {
    try {
      slices_for(layout, options, samples);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal(stages(), 2), "");
  EXPECT_THAT(refusal(stages(), 1), HasSubstr("there is 1 sample to train slices on"));
  EXPECT_THAT(refusal({{.module = "conv1"}}, 100), HasSubstr("there is no slice to train"));
  options.distill.learning_rates = {1e-3, 1e-4};
  EXPECT_THAT(refusal(stages(), 100),
              HasSubstr("distill.learning_rates has 2 numbers (there are 5 slices, from conv1 to "
                        "layer2.1)"));
  options.distill.mode = Mode::fit_only;
  EXPECT_EQ(refusal(stages(), 0), "");
}

}  // namespace
}  // namespace rankine::distill
