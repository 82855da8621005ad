// Which weights a sensitivity profile looks at together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/experiments/sensitivity_groups.hpp"

namespace rankine::compress {
namespace {

using testing::ElementsAre;

const std::vector<std::string> names{
    "model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj",
    "model.layers.11.self_attn.q_proj", "model.layers.11.mlp.up_proj"};

TEST(SensitivityGroups, LayersAndKindsShareTheWeights) {
  const auto groups = group_weights(names, {GroupBy::kind, GroupBy::layer});
  ASSERT_EQ(groups.size(), 4);
  EXPECT_EQ(groups[0].name, "layer 0");
  EXPECT_EQ(groups[0].by, GroupBy::layer);
  EXPECT_THAT(groups[0].weights, ElementsAre(0, 1));
  EXPECT_EQ(groups[1].name, "layer 11");
  EXPECT_THAT(groups[1].weights, ElementsAre(2, 3));
  EXPECT_EQ(groups[2].name, "self_attn.q_proj");
  EXPECT_EQ(groups[2].by, GroupBy::kind);
  EXPECT_THAT(groups[2].weights, ElementsAre(0, 2));
  EXPECT_EQ(groups[3].name, "mlp.up_proj");
  EXPECT_THAT(groups[3].weights, ElementsAre(1, 3));
}

TEST(SensitivityGroups, EveryWeightByItself) {
  const auto groups = group_weights(names, {GroupBy::weight});
  ASSERT_EQ(groups.size(), names.size());
  for (std::size_t w = 0; w < names.size(); ++w) {
    EXPECT_EQ(groups[w].name, names[w]);
    EXPECT_THAT(groups[w].weights, ElementsAre(w));
  }
}

TEST(SensitivityGroups, NumbersWithinWordsAreNoLayers) {
  const auto groups =
      group_weights({"h.3.attn.c_attn", "layers.3.attention.w1"}, {GroupBy::layer, GroupBy::kind});
  ASSERT_EQ(groups.size(), 3);
  EXPECT_EQ(groups[0].name, "layer 3");
  EXPECT_EQ(groups[1].name, "attn.c_attn");
  EXPECT_EQ(groups[2].name, "attention.w1");
}

}  // namespace
}  // namespace rankine::compress
