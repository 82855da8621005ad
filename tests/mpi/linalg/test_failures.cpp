// What one rank alone notices, all ranks hear; nothing hangs.
#include <gmock/gmock.h>

#include "core/errors.hpp"
#include "dist_testing.hpp"
#include "linalg/dist_factorisations.hpp"
#include "linalg/interpolation.hpp"
#include "linalg/svd.hpp"

namespace rankine::testing {
namespace {

template <class T>
class Failures : public ::testing::Test {
 protected:
  Layouts layouts_;
};
TYPED_TEST_SUITE(Failures, Scalars);

TYPED_TEST(Failures, NanOrInfinityOnOneRankIsAnErrorOnAll) {
  using T = TypeParam;
  for (const Real<T> bad :
       {std::numeric_limits<Real<T>>::quiet_NaN(), std::numeric_limits<Real<T>>::infinity()}) {
    auto a = random_matrix<T>(12, 5, 1);
    a(11, 4) = bad;
    const auto d = spread(a, this->layouts_.rows, this->layouts_.row_blocks(12, 5));
    for (const SvdMethod method : {SvdMethod::automatic, SvdMethod::lapack, SvdMethod::scalapack,
                                   SvdMethod::gram, SvdMethod::randomized, SvdMethod::trlanczos})
      EXPECT_THROW(svd(d.view(), {.max_rank = 2}, {.method = method}), NumericalError);
    EXPECT_THROW(tsqr_factor(d.view()), NumericalError);
    EXPECT_THROW(interpolative_rows(d.view(), 2), NumericalError);
  }
}

TYPED_TEST(Failures, MemoryThatLacksOnOneRankIsAnErrorOnAll) {
  using T = TypeParam;
  // One block, so one owner: far beyond what any machine has, nothing on the others.
  const std::int64_t huge = std::int64_t{1} << 45;
  EXPECT_THROW(DistMatrix<T>(this->layouts_.rows,
                             Distribution({huge, huge, this->layouts_.rows.rows()}, {1, 1, 1})),
               ResourceError);
}

TYPED_TEST(Failures, DimensionsBeyond32BitsAreNamed) {
  using T = TypeParam;
  // Nothing is allocated: the descriptor is refused before the data are touched.
  const std::int64_t beyond = std::int64_t{1} << 31;
  const DistView<T> wide{{nullptr, 0, 0},
                         &this->layouts_.rows,
                         Distribution::row_blocks(beyond, 1, this->layouts_.rows.rows()),
                         0,
                         0,
                         beyond,
                         1};
  try {
    gram<T>(wide, DistView<T>{{nullptr, 0, 0},
                              &this->layouts_.rows,
                              Distribution::row_blocks(1, 1, this->layouts_.rows.rows()),
                              0,
                              0,
                              1,
                              1});
    FAIL() << "no error";
  } catch (const ResourceError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("2147483647"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("Use more ranks"));
  }
}

TYPED_TEST(Failures, SlepcOptionsThatNothingUsesAreRefusedAndUsedOnesAct) {
  using T = TypeParam;
  const auto d =
      spread(random_matrix<T>(40, 30, 1), this->layouts_.rows, this->layouts_.row_blocks(40, 30));
  SvdOptions options{.method = SvdMethod::trlanczos, .tolerance = 1e-5};
  options.slepc_options = "-svd_ncv 20 -svd_nvc 3";
  try {
    svd(d.view(), {.max_rank = 2}, options);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("-svd_nvc"));
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("-svd_ncv")));
  }
  options.slepc_options = "-svd_ncv 20";
  EXPECT_EQ(svd(d.view(), {.max_rank = 2}, options).rank(), 2);
  // Too few iterations: SLEPc itself says nothing, the door does.
  options = {.method = SvdMethod::trlanczos, .tolerance = 1e-14, .slepc_options = "-svd_max_it 1"};
  EXPECT_THROW(svd(d.view(), {.max_rank = 10}, options), NumericalError);
}

}  // namespace
}  // namespace rankine::testing
