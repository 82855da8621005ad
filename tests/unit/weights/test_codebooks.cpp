// Codebooks of rows: K-means against every partition, and rounds against every assignment, in the
// norm of a moment and against answers that are wanted for what is read.
#include <gtest/gtest.h>

#include <cmath>

#include "weights/making/codebooks.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

double relative_error(const Tensor& w, const RowNorm& norm, const Codebooks& books) {
  return squared_error(w, norm, books).relative();
}

Tensor random_numbers(std::int64_t rows, std::int64_t columns, std::int64_t seed) {
  torch::manual_seed(static_cast<std::uint64_t>(seed));
  return torch::randn({rows, columns}, torch::kFloat64);
}

/// The moment of few correlated vectors, positive definite.
Tensor random_moment(std::int64_t n, std::int64_t seed) {
  const Tensor x = random_numbers(2 * n, n, seed).mm(random_numbers(n, n, seed + 1));
  return x.t().mm(x) / static_cast<double>(n) + 0.01 * torch::eye(n, torch::kFloat64);
}

double error_of(const Tensor& w, const Tensor& moment, const Codebooks& books) {
  return std::pow(relative_error(w, {.moments = {moment}}, books), 2) *
         (w.mm(moment) * w).sum().item<double>();
}

/// The least error of one row in two values, over all assignments.
double least_error(const Tensor& row, const Tensor& moment) {
  const std::int64_t n = row.size(1);
  double least = INFINITY;
  for (std::int64_t codes = 0; codes < std::int64_t{1} << n; ++codes) {
    Tensor members = torch::zeros({n, 2}, torch::kFloat64);
    for (std::int64_t j = 0; j < n; ++j) members.index_put_({j, (codes >> j) & 1}, 1.0);
    const Tensor system =
        members.t().mm(moment).mm(members) + 1e-12 * torch::eye(2, torch::kFloat64);
    const Tensor values = at::linalg_solve(system, members.t().mm(moment).mm(row.t()));
    const Tensor left = row.t() - members.mm(values);
    least = std::min(least, left.t().mm(moment).mm(left).item<double>());
  }
  return least;
}

TEST(Codebooks, OfRowsAreExactKMeans) {
  const Tensor w = random_numbers(9, 7, 1),
               diagonal = random_numbers(1, 7, 2).abs().flatten() + 0.1;
  const Codebooks books = make_codebooks(w, {.moments = {diagonal}}, {.clusters = 2, .rounds = 0});
  ASSERT_EQ(books.values.sizes(), (std::vector<std::int64_t>{9, 2}));
  double least = 0;
  for (std::int64_t row = 0; row < 9; ++row)
    least += least_error(w.narrow(0, row, 1), torch::diag(diagonal));
  EXPECT_NEAR(error_of(w, torch::diag(diagonal), books), least, 1e-5 * least);
}

TEST(Codebooks, RoundsComeNearTheBestOfAllAssignments) {
  int exact = 0;
  double gained = 0, possible = 0;  // over exact K-means under the diagonal
  for (int seed = 0; seed < 16; ++seed) {
    const Tensor w = random_numbers(1, 6, 10 + seed), moment = random_moment(6, 40 + seed);
    const Codebooks books = make_codebooks(w, {.moments = {moment}}, {.clusters = 2, .rounds = 6});
    const double least = least_error(w, moment), found = error_of(w, moment, books);
    EXPECT_GE(found, least * (1 - 1e-4));
    exact += found < least * (1 + 1e-3) ? 1 : 0;
    gained += books.errors.front() - found;
    possible += books.errors.front() - least;
    EXPECT_TRUE(std::ranges::is_sorted(books.errors, std::greater<>()));
  }
  EXPECT_GE(exact, 5) << "a local search";
  EXPECT_GT(gained / possible, 0.7);
}

/// The least error of two rows in two values each that count together, over all assignments.
double least_coupled_error(const Tensor& w, const RowNorm& norm) {
  const std::int64_t n = w.size(1);
  const Tensor metric = torch::kron(norm.outputs, norm.moments.front());
  double least = INFINITY;
  for (std::int64_t codes = 0; codes < std::int64_t{1} << (2 * n); ++codes) {
    Tensor members = torch::zeros({2 * n, 4}, torch::kFloat64);
    for (std::int64_t i = 0; i < 2 * n; ++i)
      members.index_put_({i, i / n * 2 + ((codes >> i) & 1)}, 1.0);
    const Tensor system =
        members.t().mm(metric).mm(members) + 1e-12 * torch::eye(4, torch::kFloat64);
    const Tensor entries = w.flatten().unsqueeze(1);
    const Tensor left =
        entries - members.mm(at::linalg_solve(system, members.t().mm(metric).mm(entries)));
    least = std::min(least, left.t().mm(metric).mm(left).item<double>());
  }
  return least;
}

TEST(Codebooks, OfRowsThatCountTogetherComeNearTheBestOfAllAssignments) {
  double gained = 0, gained_apart = 0, possible = 0;  // over exact K-means
  for (int seed = 0; seed < 8; ++seed) {
    const Tensor w = random_numbers(2, 4, 70 + seed);
    const RowNorm norm{.moments = {random_moment(4, 90 + seed)},
                       .outputs = random_moment(2, 110 + seed)};
    const CodebookOptions options{.clusters = 2, .rounds = 6};
    const Codebooks books = make_codebooks(w, norm, options);
    const double whole = (norm.outputs.mm(w.mm(norm.moments[0])) * w).sum().item<double>();
    const double found = std::pow(relative_error(w, norm, books), 2) * whole;
    const double least = least_coupled_error(w, norm);
    EXPECT_GE(found, least * (1 - 1e-4));
    EXPECT_LE(found, books.errors.back() * (1 + 1e-4));
    EXPECT_TRUE(std::ranges::is_sorted(books.errors, std::greater<>()));
    const RowNorm own{.moments = norm.moments, .row_weights = norm.outputs.diagonal().contiguous()};
    gained_apart += books.errors.front() -
                    std::pow(relative_error(w, norm, make_codebooks(w, own, options)), 2) * whole;
    gained += books.errors.front() - found;
    possible += books.errors.front() - least;
  }
  EXPECT_GT(gained / possible, 0.7);
  EXPECT_GT(gained, 1.02 * gained_apart) << "rows one by one";
}

/// Books of a row, of a few, of more than a tile of rows, and of the whole matrix, with several
/// moments and outliers.
TEST(Codebooks, OfAnyHeightHaveTheBestValuesOfTheirCodes) {
  const std::int64_t rows = 300, n = 40;
  const Tensor w = random_numbers(rows, n, 3), counts = random_numbers(rows, 1, 4).abs() + 0.1;
  const RowNorm apart{.moments = {random_moment(n, 5), random_moment(n, 6)},
                      .row_weights = counts.flatten()};
  const RowNorm together{.moments = {random_moment(n, 5)}, .outputs = random_moment(rows, 9)};
  for (const RowNorm& norm : {apart, together})
    for (const std::int64_t height : {1, 7, 140, 300})
      for (const CodeStart start : {CodeStart::nearest, CodeStart::compensated}) {
        const Codebooks books = make_codebooks(w, norm,
                                               {.clusters = 4,
                                                .rows_per_book = height,
                                                .outliers = 50,
                                                .outlier_choice = OutlierChoice::error,
                                                .rounds = 2,
                                                .start = start});
        EXPECT_EQ(books.outliers.values.size(0), 50);
        EXPECT_TRUE(std::ranges::is_sorted(books.errors, std::greater<>()));
        EXPECT_LT(books.errors.back(), 0.9 * books.errors.front());
        const double found = relative_error(w, norm, books);
        for (std::int64_t k = 0; k < 4; ++k)
          for (const double step : {-0.01, 0.01}) {
            Codebooks other = books;
            other.values = books.values.clone();
            other.values.select(1, k).add_(step);
            EXPECT_LT(found, relative_error(w, norm, other)) << height;
          }
      }
}

/// Tokens, read with errors, and what a matrix answered without.
struct ChangedInputs {
  Tensor w, read, answers;

  ChangedInputs(std::int64_t rows, std::int64_t n, std::int64_t seed)
      : w(random_numbers(rows, n, seed)) {
    const Tensor mixing = random_numbers(n, n, seed + 1);
    const Tensor x = random_numbers(6 * n, n, seed + 2).mm(mixing);
    read = x + 0.5 * random_numbers(6 * n, n, seed + 3).mm(mixing);
    answers = x.mm(w.t());
    original_moment = x.t().mm(x);
  }
  Tensor original_moment;

  Tensor moment() const { return read.t().mm(read); }
  /// The least squares solution.
  Tensor target() const {
    return at::linalg_solve(moment(), read.t().mm(answers)).t().contiguous();
  }
  double missed(const Tensor& approximation, const Tensor& row_weights) const {
    return ((answers - read.mm(approximation.t())).square().sum(0) * row_weights)
        .sum()
        .item<double>();
  }
  /// The least that two values in a row miss, over all assignments.
  double least_missed(std::int64_t row) const {
    const std::int64_t n = w.size(1);
    double least = INFINITY;
    for (std::int64_t codes = 0; codes < std::int64_t{1} << n; ++codes) {
      Tensor members = torch::zeros({n, 2}, torch::kFloat64);
      for (std::int64_t j = 0; j < n; ++j) members.index_put_({j, (codes >> j) & 1}, 1.0);
      const Tensor sums = read.mm(members), wanted = answers.narrow(1, row, 1);
      const auto solution = torch::linalg_lstsq(sums, wanted, c10::nullopt, "gelsd");
      least =
          std::min(least, (wanted - sums.mm(std::get<0>(solution))).square().sum().item<double>());
    }
    return least;
  }
};

Tensor matrix_of(const Codebooks& books, std::int64_t height) {
  Tensor made = torch::zeros(books.codes.sizes(), torch::kFloat64);
  for (std::int64_t row = 0; row < made.size(0); ++row)
    made[row].copy_(books.values[row / height].index_select(0, books.codes[row].to(torch::kInt64)));
  made.index_put_({books.outliers.rows, books.outliers.columns}, books.outliers.values);
  return made;
}

TEST(Codebooks, OfTheLeastSquaresSolutionComeNearTheBestAnswers) {
  int exact = 0;
  double gained = 0, possible = 0;  // over codebooks of the original matrix
  for (int seed = 0; seed < 16; ++seed) {
    const ChangedInputs tokens(1, 6, 100 + 10 * seed);
    const CodebookOptions two{.clusters = 2, .rounds = 6};
    const auto missed_by = [&](const Tensor& w, const Tensor& moment) {
      const Codebooks books = make_codebooks(w, {.moments = {moment}}, two);
      return tokens.missed(matrix_of(books, 1), torch::ones({1}, torch::kFloat64));
    };
    const double least = tokens.least_missed(0);
    const double found = missed_by(tokens.target(), tokens.moment());
    const double before = missed_by(tokens.w, tokens.original_moment);
    EXPECT_GE(found, least * (1 - 1e-5));
    exact += found < least * (1 + 1e-3) ? 1 : 0;
    gained += before - found;
    possible += before - least;
  }
  EXPECT_GE(exact, 5) << "a local search";
  EXPECT_GT(gained / possible, 0.7);
}

/// Values for one row, for a few, and for all.
TEST(Codebooks, OfTheLeastSquaresSolutionMissLessThanThoseOfTheMatrix) {
  for (int seed = 0; seed < 8; ++seed)
    for (const std::int64_t height : {1, 4, 20}) {
      const ChangedInputs tokens(20, 30, 300 + 10 * seed);
      const Tensor counts = random_numbers(20, 1, seed).abs().flatten() + 0.1;
      const auto missed = [&](const Tensor& w, const Tensor& moment) {
        const Codebooks books = make_codebooks(w, {.moments = {moment}, .row_weights = counts},
                                               {.clusters = 8,
                                                .rows_per_book = height,
                                                .outliers = 6,
                                                .outlier_choice = OutlierChoice::error});
        return tokens.missed(matrix_of(books, height), counts);
      };
      const double least = tokens.missed(tokens.target(), counts);
      const double found = missed(tokens.target(), tokens.moment());
      EXPECT_GT(found, least);
      EXPECT_LT(found, missed(tokens.w, tokens.original_moment)) << height;
    }
}

/// Large entries stand in the first rows and the last one alone.
TEST(Codebooks, HaveOutliersWhosePlacesTakeTwoBytes) {
  Tensor w = random_numbers(200, 500, 11);
  w.narrow(0, 0, 2).mul_(100);
  w.narrow(0, 199, 1).mul_(100);
  const auto made = [&](std::int64_t outliers) {
    return make_codebooks(w, {}, {.clusters = 4, .outliers = outliers, .rounds = 0}).outliers;
  };
  const auto places = [](const Outliers& all) { return all.rows * 500 + all.columns; };
  const Outliers many = made(1200), few = made(8);
  EXPECT_LE(places(many).diff().max().item<std::int64_t>(), longest_short_gap);
  EXPECT_GT(many.values.size(0), 1200);
  EXPECT_LE(many.values.size(0), 1200 + 200 * 500 / longest_short_gap);
  EXPECT_EQ(few.values.size(0), 8) << "two bytes each are less than a few outliers more";
  EXPECT_LT((w.index({many.rows, many.columns}) - many.values).abs().max().item<double>(), 1e-4);
  const MatrixShape shape{200, 500};
  const CodebookOptions how{.clusters = 4, .rows_per_book = 3};
  EXPECT_EQ(most_stored_bytes(shape, how, 2), 200 * 125 + 67 * 4 * 2);
}

TEST(Codebooks, OfFewValuesAreExact) {
  const Tensor w = random_numbers(5, 8, 7).sign();
  const Codebooks books = make_codebooks(w, {.moments = {random_moment(8, 8)}}, {.clusters = 4});
  EXPECT_NEAR(relative_error(w, {}, books), 0, 1e-6);
  EXPECT_NEAR(relative_error(torch::zeros_like(w), {}, books), 0, 0);
  EXPECT_EQ(even_book_rows(10, 7), 5);
  EXPECT_EQ(even_book_rows(10, 4), 4);
}

}  // namespace
}  // namespace rankine::weights
