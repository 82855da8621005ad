// Each axis of a dataset has the scale a reader of netCDF looks for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "files/hdf5/dimension_scales.hpp"

namespace rankine::files {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

void add(ResultContent& content, const std::string& path, std::vector<std::size_t> shape,
         std::vector<std::string> dims, bool labels_axis = false) {
  const std::size_t values =
      std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  content.datasets[path] = {
      Array<double>{std::move(shape), std::vector<double>(values)},
      {.long_name = "", .units = "1", .dims = std::move(dims), .labels_axis = labels_axis}};
}

TEST(DimensionScales, StandInTheRootUnderNamesWithoutBlanks) {
  ResultContent content;
  add(content, "/results/z", {2, 3}, {"points", "measured steps"});
  add(content, "/results/one", {}, {});
  add(content, "/timing/seconds", {2}, {"points"});
  const DimensionScales scales = dimension_scales(content);
  EXPECT_THAT(scales.lengths, UnorderedElementsAre(Pair("/points", 2), Pair("/measured_steps", 3)));
  EXPECT_THAT(scales.of_dataset.at("/results/z"), ElementsAre("/points", "/measured_steps"));
  EXPECT_FALSE(scales.of_dataset.contains("/results/one"));
}

TEST(DimensionScales, AreDatasetsThatAreNamedLikeTheirAxis) {
  ResultContent content;
  add(content, "/results/noise/error_rates", {4}, {"error rates"});
  add(content, "/results/noise/perplexity", {4}, {"error rates"});
  const DimensionScales scales = dimension_scales(content);
  EXPECT_TRUE(scales.lengths.empty());
  for (const auto& [path, axes] : scales.of_dataset)
    EXPECT_THAT(axes, ElementsAre("/results/noise/error_rates"));
}

TEST(DimensionScales, OfSeveralLengthsStandBesideTheirDatasets) {
  ResultContent content;
  add(content, "/w/a/spectrum", {5}, {"components"});
  add(content, "/w/b/spectrum", {7}, {"components"});
  add(content, "/w/b/tail", {0}, {"components"});
  const DimensionScales scales = dimension_scales(content);
  EXPECT_THAT(scales.lengths,
              UnorderedElementsAre(Pair("/w/a/components", 5), Pair("/w/b/components", 7),
                                   Pair("/w/b/components_0", 0)));
  EXPECT_THAT(scales.of_dataset.at("/w/b/tail"), ElementsAre("/w/b/components_0"));
}

TEST(DimensionScales, DoNotTakeTheNameOfAnythingElse) {
  ResultContent content;
  add(content, "/inputs/edges", {3, 4}, {"edges", "sites"});
  add(content, "/results/steps/x", {4}, {"results"});
  const DimensionScales scales = dimension_scales(content);
  EXPECT_THAT(scales.of_dataset.at("/inputs/edges"), ElementsAre("/edges_axis", "/sites"));
  EXPECT_THAT(scales.of_dataset.at("/results/steps/x"), ElementsAre("/results_4"));
}

TEST(Coordinates, AreTheLabelsOfTheAxesInTheSameGroup) {
  ResultContent content;
  add(content, "/results/theta_h", {2}, {"points"}, true);
  add(content, "/results/steps", {3}, {"measured steps"}, true);
  add(content, "/results/z", {2, 3}, {"points", "measured steps"});
  add(content, "/results/more/z", {2}, {"points"});
  add(content, "/timing/seconds", {2}, {"points"});
  EXPECT_EQ(coordinates(content, "/results/z"), "steps theta_h");
  EXPECT_EQ(coordinates(content, "/results/theta_h"), "");
  EXPECT_EQ(coordinates(content, "/results/more/z"), "");
  EXPECT_EQ(coordinates(content, "/timing/seconds"), "");
}

}  // namespace
}  // namespace rankine::files
