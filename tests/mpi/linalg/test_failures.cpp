// What one rank alone notices, all ranks hear; nothing hangs.
#include <gmock/gmock.h>

#include "core/errors.hpp"
#include "dist_testing.hpp"
#include "linalg/distributed/collective_call.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/distributed/interpolation.hpp"
#include "linalg/svd/svd.hpp"

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

/// A routine that wants this much workspace and reports this on the ranks that enter it.
template <class T>
struct FakeRoutine {
  double wanted;
  int info;
  int* entered;
  int operator()(const Workspace<T>& space) const {
    if (space.size == -1) {
      *space.work = static_cast<T>(wanted);
      return 0;
    }
    ++*entered;
    EXPECT_GE(space.size, wanted);
    world().barrier();  // as a solver would: it must be entered by all ranks or none
    return info;
  }
};

TYPED_TEST(Failures, WorkspaceThatLacksOnOneRankKeepsAllFromEntering) {
  using T = TypeParam;
  const bool last = world().rank() == world().size() - 1;
  int entered = 0;
  EXPECT_THROW(call_with_workspace<T>(this->layouts_.rows, "fake", 0,
                                      FakeRoutine<T>{last ? 0x1p45 : 10, 0, &entered}),
               ResourceError);
  EXPECT_EQ(entered, 0);
  EXPECT_EQ(call_with_workspace<T>(this->layouts_.rows, "fake", 7, FakeRoutine<T>{10, 0, &entered}),
            0);
  EXPECT_EQ(entered, 1);
}

TYPED_TEST(Failures, InfoOfOneRankIsThatOfAll) {
  using T = TypeParam;
  int entered = 0;
  const bool last = world().rank() == world().size() - 1;
  EXPECT_EQ(call_with_workspace<T>(this->layouts_.rows, "fake", 0,
                                   FakeRoutine<T>{10, last ? 5 : 0, &entered}),
            5);
  // An argument error is no success, whatever the other ranks say.
  for (const int others : {0, 5})
    EXPECT_THROW(call_with_workspace<T>(this->layouts_.rows, "fake", 0,
                                        FakeRoutine<T>{10, last ? -3 : others, &entered}),
                 LibraryError);
}

TYPED_TEST(Failures, AnArgumentThatCholeskyRefusesIsNoSuccess) {
  using T = TypeParam;
  // Blocks that are not square, on one rank: the others have nothing to do and report 0.
  const ProcessGrid single(world(), 1, 1);
  const auto a = spread(random_matrix<T>(12, 12, 1), single, Distribution({12, 4, 1}, {12, 8, 1}));
  DistMatrix<T> copy_of_a(single, a.distribution());
  copy<T>(Op::none, a.view(), copy_of_a.view());
  EXPECT_THROW(cholesky(copy_of_a.view()), LibraryError);
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
