// Moves between layouts, grids and teams, against the global index of every element.
#include "core/errors.hpp"
#include "dist_testing.hpp"
#include "parallel/teams.hpp"

namespace rankine::testing {
namespace {

template <class T>
T marked(std::int64_t i, std::int64_t j) {
  return from_complex<T>({static_cast<double>(100 * i + j), static_cast<double>(i - j)});
}

template <class T>
class Redistribute : public ::testing::Test {};
TYPED_TEST_SUITE(Redistribute, Scalars);

template <class T>
void expect_marked(const DistMatrix<T>& matrix, Op op) {
  matrix.view().for_each_local([&](std::int64_t i, std::int64_t j, const T& value) {
    const T expected = op == Op::none        ? marked<T>(i, j)
                       : op == Op::transpose ? marked<T>(j, i)
                                             : conjugate(marked<T>(j, i));
    EXPECT_EQ(value, expected) << i << ", " << j;
  });
}

TYPED_TEST(Redistribute, AnyLayoutToAnyOther) {
  using T = TypeParam;
  const Layouts layouts;
  const ProcessGrid one(world(), 1, 1), flat(world(), 1, world().size());
  for (const auto [m, n] : {std::pair<int, int>{13, 7}, {2, 11}, {1, 1}}) {
    const std::vector<std::pair<const ProcessGrid*, Distribution>> kinds{
        {&layouts.rows, layouts.row_blocks(m, n)},
        {&layouts.square, layouts.cyclic(m, n, 3)},
        {&layouts.square, layouts.cyclic(m, n, 1)},
        {&flat, Distribution::block_cyclic(m, n, 2, 1, world().size())},
        {&one, Distribution::row_blocks(m, n, 1)}};
    for (const auto& [from_grid, from] : kinds) {
      DistMatrix<T> source(*from_grid, from);
      source.fill_from(marked<T>);
      for (const auto& [to_grid, to] : kinds) {
        DistMatrix<T> target(*to_grid, to);
        redistribute<T>(source.view(), target.view());
        expect_marked(target, Op::none);
        DistMatrix<T> turned(*to_grid, to.reshaped(n, m));
        for (const Op op : {Op::transpose, Op::adjoint}) {
          redistribute<T>(world(), op, source.view(), turned.view());
          expect_marked(turned, op);
        }
      }
    }
  }
}

TYPED_TEST(Redistribute, PartsOfMatrices) {
  using T = TypeParam;
  const Layouts layouts;
  DistMatrix<T> source(layouts.square, layouts.cyclic(12, 9, 2)),
      target(layouts.rows, layouts.row_blocks(10, 10));
  source.fill_from(marked<T>);
  target.fill_from([](std::int64_t, std::int64_t) { return T(-1); });
  redistribute<T>(source.view().part(3, 2, 5, 4), target.view().part(1, 6, 5, 4));
  const Matrix<T> whole = all_gather(std::as_const(target).view());
  for (std::int64_t i = 0; i < 10; ++i)
    for (std::int64_t j = 0; j < 10; ++j) {
      const bool inside = i >= 1 && i < 6 && j >= 6;
      EXPECT_EQ(whole(i, j), inside ? marked<T>(i + 2, j - 4) : T(-1));
    }
}

TYPED_TEST(Redistribute, BetweenTeams) {
  using T = TypeParam;
  if (world().size() == 1) {
    // One rank is one team: the move is a copy, covered above. The split itself must still work.
    EXPECT_EQ(parallel::Teams(world(), 1).count(), 1);
    return;
  }
  const parallel::Teams teams(world(), 2);
  const ProcessGrid grid(teams.team(), teams.team().size(), 1);
  const Distribution layout = Distribution::row_blocks(11, 5, teams.team().size());
  DistMatrix<T> mine(grid, layout);
  mine.fill_from(marked<T>);
  const auto source = teams.index() == 0 ? std::as_const(mine).view() : DistView<const T>{};
  DistMatrix<T> other(grid, layout);
  other.fill_from([](std::int64_t, std::int64_t) { return T(0); });
  redistribute<T>(world(), Op::none, source, teams.index() == 1 ? other.view() : DistView<T>{});
  if (teams.index() == 1) expect_marked(other, Op::none);
}

TYPED_TEST(Redistribute, GatherAndScatterAtEveryRoot) {
  using T = TypeParam;
  const Layouts layouts;
  DistMatrix<T> matrix(layouts.square, layouts.cyclic(6, 5, 2));
  matrix.fill_from(marked<T>);
  for (int root = 0; root < world().size(); ++root) {
    const Matrix<T> whole = gather(std::as_const(matrix).view(), root);
    EXPECT_EQ(whole.size(), world().rank() == root ? 30 : 0);
    DistMatrix<T> back(layouts.rows, layouts.row_blocks(6, 5));
    scatter<T>(whole.view(), root, back.view());
    expect_marked(back, Op::none);
  }
}

}  // namespace
}  // namespace rankine::testing
