// The automatic choice follows shape, wanted rank and rank count.
#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "linalg/svd/cost_model.hpp"

namespace rankine::linalg {
namespace {

SvdMethod chosen(std::int64_t m, std::int64_t n, std::int64_t wanted, int ranks) {
  return choose_method({.rows = m, .columns = n, .wanted = wanted, .ranks = ranks}, {}).method;
}

TEST(CostModel, SmallMatricesGoToOneRankLargeOnesToAll) {
  EXPECT_EQ(chosen(16, 16, 16, 4), SvdMethod::lapack);
  EXPECT_EQ(chosen(2048, 2048, 2048, 2), SvdMethod::gram);
  EXPECT_EQ(chosen(4096, 4096, 32, 2), SvdMethod::randomized);
}

TEST(CostModel, SlepcTakesFewTripletsOfWhatFitsTheCacheWhereItRuns) {
  SvdTask task{.rows = 1024, .columns = 1024, .wanted = 64, .ranks = 2};
  EXPECT_NE(choose_method(task, {}).method, SvdMethod::trlanczos);
  task.slepc = true;
  EXPECT_EQ(choose_method(task, {}).method, SvdMethod::trlanczos);
  task.rows = task.columns = 4096;
  EXPECT_EQ(choose_method(task, {}).method, SvdMethod::randomized);
}

TEST(CostModel, ANamedMethodIsTakenAsItIs) {
  EXPECT_EQ(
      choose_method({.rows = 10, .columns = 10, .wanted = 10}, {.method = SvdMethod::scalapack})
          .method,
      SvdMethod::scalapack);
}

TEST(CostModel, ShapeMattersNotItsOrientation) {
  for (const SvdMethod method : {SvdMethod::lapack, SvdMethod::gram, SvdMethod::randomized})
    EXPECT_EQ(expected_seconds(method, {.rows = 900, .columns = 300, .wanted = 20}, {}),
              expected_seconds(method, {.rows = 300, .columns = 900, .wanted = 20}, {}));
}

TEST(SvdMethodNames, GoBothWays) {
  for (const std::string& text : svd_method_names()) EXPECT_EQ(name(svd_method(text)), text);
  EXPECT_THROW(svd_method("grm"), InputError);
}

}  // namespace
}  // namespace rankine::linalg
