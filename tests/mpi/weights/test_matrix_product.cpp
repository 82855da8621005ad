// Matrix-product operators against the singular values of the regrouped matrix.
#include <gtest/gtest.h>

#include <limits>

#include "core/errors.hpp"
#include "forms_testing.hpp"
#include "weights/making/matrix_product_factorisation.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

constexpr std::int64_t rows = 24, columns = 36;

/// A matrix whose regrouped spectra decay.
Tensor smooth_matrix() {
  const Tensor i = torch::arange(rows, torch::kFloat64).view({rows, 1});
  const Tensor j = torch::arange(columns, torch::kFloat64).view({1, columns});
  return ((i * 0.37 - j * 0.11).cos() / (1 + (i - j * 0.6).abs())) +
         0.05 * random_matrix(rows, columns, 9);
}

/// The legs (i_1 j_1 ... i_k j_k) of the first `sites` pairs as rows, the others as columns.
Tensor regrouped(const Tensor& w, const std::vector<std::int64_t>& row_legs,
                 const std::vector<std::int64_t>& column_legs, std::int64_t sites) {
  std::vector<std::int64_t> shape = row_legs, order;
  shape.insert(shape.end(), column_legs.begin(), column_legs.end());
  const auto n = std::ssize(row_legs);
  std::int64_t first = 1;
  for (std::int64_t k = 0; k < n; ++k) {
    order.push_back(k);
    order.push_back(n + k);
    if (k < sites)
      first *= row_legs[static_cast<std::size_t>(k)] * column_legs[static_cast<std::size_t>(k)];
  }
  return w.reshape(shape).permute(order).reshape({first, -1});
}

TEST(MatrixProduct, OfTwoSitesIsTheTruncatedSvdOfTheRegroupedMatrix) {
  const Tensor w = smooth_matrix();
  const RowSplit split = RowSplit::even(rows, world().size());
  const std::vector<std::int64_t> m{4, 6}, n{6, 6};
  const Tensor matrix = regrouped(w, m, n, 1);
  const auto [u, s, vh] = at::linalg_svd(matrix, false);
  for (const std::int64_t bond : {1, 5, 13, 24}) {
    MatrixProductReport report;
    const auto weight = make_matrix_product(
        world(), split, own_part(w, split),
        {.row_legs = m, .column_legs = n, .bond_dimension = bond}, torch::kFloat64, &report);
    const Tensor best =
        u.narrow(1, 0, bond).mm(torch::diag(s.narrow(0, 0, bond))).mm(vh.narrow(0, 0, bond));
    const Tensor found = regrouped(whole_of(*weight), m, n, 1);
    EXPECT_LT(distance(found, best), 1e-11) << bond;
    const double tail = s.narrow(0, bond, s.size(0) - bond).square().sum().item<double>();
    EXPECT_NEAR(report.discarded.at(0), tail, 1e-11 * w.square().sum().item<double>());
    EXPECT_EQ(weight->stored_numbers(), bond * (24 + 36));
  }
}

TEST(MatrixProduct, StaysWithinTheDiscardedWeightOfItsCuts) {
  const Tensor w = smooth_matrix();
  const double norm = w.square().sum().item<double>();
  const RowSplit split = RowSplit::even(rows, world().size());
  const std::vector<std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> all_legs{
      {{2, 3, 4}, {3, 3, 4}}, {{4, 2, 3}, {1, 6, 6}}, {{2, 2, 2, 3}, {2, 3, 3, 2}}};
  for (const auto& [m, n] : all_legs)
    for (const std::int64_t bond : {1, 3, 8, 200}) {
      MatrixProductReport report;
      const auto weight = make_matrix_product(
          world(), split, own_part(w, split),
          {.row_legs = m, .column_legs = n, .bond_dimension = bond}, torch::kFloat64, &report);
      double bound = 0, reported = 0;
      for (std::size_t cut = 1; cut < m.size(); ++cut) {
        const auto s = at::linalg_svdvals(regrouped(w, m, n, static_cast<std::int64_t>(cut)));
        const std::int64_t kept = std::min(bond, s.size(0));
        bound += s.narrow(0, kept, s.size(0) - kept).square().sum().item<double>();
        reported += report.discarded.at(cut - 1);
      }
      const double error = (whole_of(*weight) - w).square().sum().item<double>();
      EXPECT_LE(error, bound + 1e-12 * norm);
      EXPECT_NEAR(error, reported, 1e-12 * norm);
      EXPECT_EQ(weight->stored_numbers(), stored_numbers_for(m, n, bond));
    }
}

/// Moments of activations that live mostly in few directions.
Tensor steep_moment(std::int64_t n, int seed) {
  const Tensor s = random_matrix(n, n, seed) * torch::exp(-0.3 * torch::arange(n, torch::kFloat64));
  return s.mm(s.t());
}

/// ||R^T E L||_F by Cholesky factors of the moments, another way than the code goes.
double norm_by_factors(const MomentNorm& norm, const Tensor& error) {
  const auto factor = [](const Tensor& moment) {
    return torch::linalg_cholesky(moment + 1e-13 * moment.diagonal().mean() *
                                               torch::eye(moment.size(0), torch::kFloat64));
  };
  Tensor weighed = error;
  if (norm.inputs.defined()) weighed = weighed.mm(factor(norm.inputs));
  if (norm.outputs.defined()) weighed = factor(norm.outputs).t().mm(weighed);
  return weighed.norm().item<double>();
}

MatrixProductOptions balanced_options(int sites, const MomentNorm& norm) {
  return {.row_legs = balanced_legs(rows, sites),
          .column_legs = balanced_legs(columns, sites),
          .bond_dimension = 6,
          .norm = norm};
}

TEST(MatrixProduct, IsBetterInTheNormItIsMadeFor) {
  const Tensor w = smooth_matrix();
  const RowSplit split = RowSplit::even(rows, world().size());
  const Tensor g = steep_moment(columns, 5), c = steep_moment(rows, 6);
  const Tensor sizes = torch::exp(-0.2 * torch::arange(columns, torch::kFloat64));
  for (const MomentNorm& norm : {MomentNorm{.inputs = g}, MomentNorm{.inputs = g, .outputs = c},
                                 MomentNorm{.inputs = torch::diag(sizes)}})
    for (const int sites : {2, 3}) {
      const auto error_of = [&](const MomentNorm& made_for, MatrixProductReport* report = nullptr) {
        const auto weight =
            make_matrix_product(world(), split, own_part(w, split),
                                balanced_options(sites, made_for), torch::kFloat64, report);
        return norm_by_factors(norm, w - whole_of(*weight));
      };
      MatrixProductReport report;
      const double aware = error_of(norm, &report);
      EXPECT_LT(aware, 0.8 * error_of({}));
      if (norm.outputs.defined()) EXPECT_LT(aware, error_of({.inputs = g}));
      EXPECT_NEAR(report.weighted_errors.back(), aware, 1e-6 * norm_by_factors(norm, w));
      for (std::size_t i = 1; i < report.weighted_errors.size(); ++i)
        EXPECT_LE(report.weighted_errors[i], report.weighted_errors[i - 1]);
    }
}

TEST(MatrixProduct, IsOptimalAtOnceInANormThatIsAProductOverSites) {
  const Tensor w = smooth_matrix();
  const std::vector<std::int64_t> m{4, 6}, n{6, 6};
  const Tensor g1 = steep_moment(6, 1) + 0.1 * torch::eye(6, torch::kFloat64),
               g2 = steep_moment(6, 2) + 0.1 * torch::eye(6, torch::kFloat64),
               c1 = steep_moment(4, 3) + 0.1 * torch::eye(4, torch::kFloat64),
               c2 = steep_moment(6, 4) + 0.1 * torch::eye(6, torch::kFloat64);
  const MomentNorm norm{.inputs = torch::kron(g1, g2), .outputs = torch::kron(c1, c2)};
  // The best error is the tail of the whitened, regrouped matrix (Eckart and Young).
  const auto factor = [](const Tensor& moment) { return torch::linalg_cholesky(moment); };
  const Tensor whitened =
      torch::kron(factor(c1), factor(c2)).t().mm(w).mm(torch::kron(factor(g1), factor(g2)));
  const Tensor s = at::linalg_svdvals(regrouped(whitened, m, n, 1));
  MatrixProductReport report;
  make_cores(w, {.row_legs = m, .column_legs = n, .bond_dimension = 5, .norm = norm}, &report);
  const double best = s.narrow(0, 5, s.size(0) - 5).norm().item<double>();
  for (const double error : report.weighted_errors) EXPECT_NEAR(error, best, 1e-4 * best);
  const auto errors = bond_errors(w, {.row_legs = m, .column_legs = n, .norm = norm});
  for (const std::int64_t bond : {0, 5, 20}) {
    const Tensor tail = s.narrow(0, bond, s.size(0) - bond).square().sum();
    EXPECT_NEAR(errors.at(static_cast<std::size_t>(bond)), tail.item<double>(),
                1e-4 * errors.front());
  }
  EXPECT_NEAR(errors.back(), 0, 1e-12 * errors.front());
}

TEST(MatrixProduct, ErrorsOfItsBondsAreBounds) {
  const Tensor w = smooth_matrix();
  for (const int sites : {2, 3}) {
    MatrixProductOptions options = balanced_options(sites, {});
    const auto errors = bond_errors(w, options);
    EXPECT_NEAR(errors.front(), w.square().sum().item<double>(), 1e-10);
    for (const std::int64_t bond : {1, 4, 9}) {
      options.bond_dimension = bond;
      const auto cores = make_cores(w, options);
      const double error = (w - contract_rows(cores, 0, rows)).square().sum().item<double>();
      EXPECT_LE(error, errors.at(static_cast<std::size_t>(bond)) * (1 + 1e-9));
      EXPECT_GE(error, errors.at(static_cast<std::size_t>(bond)) / (sites - 1) * (1 - 1e-9));
    }
  }
}

TEST(MatrixProduct, RefusesAMomentThatIsNotFinite) {
  const RowSplit split = RowSplit::even(rows, world().size());
  Tensor moment = torch::eye(columns, torch::kFloat64);
  moment[3][3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(make_matrix_product(world(), split, own_part(smooth_matrix(), split),
                                   balanced_options(2, {.inputs = moment}), torch::kFloat64),
               NumericalError);
}

TEST(MatrixProduct, AgreesOnLegsThatDoNotFit) {
  const RowSplit split = RowSplit::even(6, world().size());
  const Tensor own = own_part(random_matrix(6, 4, 1), split);
  const auto make = [&](std::vector<std::int64_t> m, std::vector<std::int64_t> n,
                        std::int64_t bond) {
    make_matrix_product(
        world(), split, own,
        {.row_legs = std::move(m), .column_legs = std::move(n), .bond_dimension = bond},
        torch::kFloat64);
  };
  EXPECT_THROW(make({2, 4}, {2, 2}, 1), InputError);
  EXPECT_THROW(make({2, 3}, {4}, 1), InputError);
  EXPECT_THROW(make({2, 3}, {2, 2}, 0), InputError);
  EXPECT_THROW(make({}, {}, 2), InputError);
}

}  // namespace
}  // namespace rankine::weights
