#include "weights/making/operator_core.hpp"

#include <torch/linalg.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include "core/contracts.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Rounds of power iteration until the norm stands still, at most, and the relative change of the
/// norm that ends them.
constexpr int most_rounds = 40;
constexpr double still = 1e-9;

std::span<double> numbers_of(const Tensor& values) {
  return {values.data_ptr<double>(), static_cast<std::size_t>(values.numel())};
}

/// Numbers in [-1, 1) that are the same everywhere (a linear congruential generator).
Tensor arbitrary(std::int64_t rows, std::int64_t columns) {
  Tensor matrix = torch::empty({rows, columns}, torch::kFloat64);
  std::uint64_t state = 1;
  for (double& value : numbers_of(matrix)) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<double>(state >> 11) * 0x1p-52 - 1;
  }
  return matrix;
}

}  // namespace

OperatorCore::OperatorCore(const parallel::Communicator& team, std::int64_t rows,
                           std::int64_t columns, std::int64_t bond_dimension,
                           torch::ScalarType type)
    : team_(&team),
      rows_(cut_legs(rows)),
      columns_(cut_legs(columns)),
      own_rows_(RowSplit::even(rows, team.size(), rows_.second)),
      own_columns_(RowSplit::even(columns, team.size(), columns_.second)),
      type_(type) {
  const std::int64_t first = rows_.first * columns_.first, second = rows_.second * columns_.second;
  const std::int64_t bond = std::min({bond_dimension, first, second});
  p_ = torch::zeros({rows_.first, columns_.first, bond}, torch::kFloat64);
  q_ = arbitrary(bond, second);
}

Tensor OperatorCore::across(const Tensor& own, WholeAxis whole) const {
  const auto [m1, m2] = rows_;
  const auto [n1, n2] = columns_;
  if (whole == WholeAxis::rows)
    return own.reshape({m1, m2, -1, n2}).transpose(1, 2).reshape({-1, m2 * n2});
  return own.reshape({n1, n2, -1, m2}).permute({2, 0, 3, 1}).reshape({-1, m2 * n2});
}

Tensor OperatorCore::own_part_of_p(WholeAxis whole) const {
  const int rank = team_->rank();
  return whole == WholeAxis::rows ? p_.narrow(1, own_columns_.first(rank) / columns_.second,
                                              own_columns_.count(rank) / columns_.second)
                                  : p_.narrow(0, own_rows_.first(rank) / rows_.second,
                                              own_rows_.count(rank) / rows_.second);
}

Tensor OperatorCore::basis_of(const Tensor& columns) const {
  Tensor basis = torch::empty_like(columns, at::MemoryFormat::Contiguous);
  parallel::agree_on_failure(*team_, [&] {
    if (team_->rank() == 0) basis.copy_(std::get<0>(torch::linalg_qr(columns)));
  });
  team_->broadcast(numbers_of(basis), 0);
  return basis;
}

void OperatorCore::follow(const Tensor& own, WholeAxis whole, int rounds) {
  const Tensor cut = across(own, whole);
  for (int round = 0; round < rounds; ++round) {
    const Tensor along = basis_of(q_.t().contiguous()).to(type_);
    const Tensor images = times(cut, along);
    Tensor all = torch::zeros_like(p_);
    p_ = all;
    Tensor mine = own_part_of_p(whole);
    mine.copy_(images.view(mine.sizes()));
    team_->sum(numbers_of(all));
    p_ = basis_of(all.view({-1, all.size(2)})).view(all.sizes());
    const Tensor part = own_part_of_p(whole).reshape({-1, p_.size(2)}).to(type_);
    q_ = transposed_times(part, cut).to(torch::kFloat64);
    team_->sum(numbers_of(q_));
  }
}

void OperatorCore::diagonalise(const Tensor& cut) {
  Tensor gram = transposed_times(cut, cut).to(torch::kFloat64);
  team_->sum(numbers_of(gram));
  spectrum_.resize(static_cast<std::size_t>(gram.size(0)));
  parallel::agree_on_failure(*team_, [&] {
    if (team_->rank() > 0) return;
    const auto [values, vectors] = torch::linalg_eigh(gram, "L");
    const Tensor descending = values.flip(0).clamp_min(0).contiguous();
    std::ranges::copy(numbers_of(descending), spectrum_.begin());
    q_ = vectors.flip(1).narrow(1, 0, q_.size(0)).t().contiguous();
  });
  team_->broadcast(std::span(spectrum_), 0);
  team_->broadcast(numbers_of(q_), 0);
}

void OperatorCore::converge(const Tensor& own, WholeAxis whole) {
  if (q_.size(1) <= most_exact_columns) {
    diagonalise(across(own, whole));
    return follow(own, whole, 1);
  }
  double before = -1;
  for (int round = 0; round < most_rounds; ++round) {
    follow(own, whole, 1);
    const double now = norm();
    if (now - before <= still * now) return;
    before = now;
  }
}

double OperatorCore::norm() const { return std::sqrt(q_.square().sum().item<double>()); }

Tensor OperatorCore::expand(const Tensor& right, WholeAxis whole) const {
  const auto [m1, m2] = rows_;
  const auto [n1, n2] = columns_;
  const Tensor left = own_part_of_p(whole).reshape({-1, p_.size(2)}).to(type_);
  const Tensor cut = times(left, right.to(type_));
  if (whole == WholeAxis::rows)
    return cut.view({m1, -1, m2, n2}).transpose(1, 2).reshape({m1 * m2, -1});
  return cut.view({-1, n1, m2, n2}).permute({1, 3, 0, 2}).reshape({n1 * n2, -1});
}

Tensor OperatorCore::purity_gradient(WholeAxis whole) const {
  return expand(torch::mm(torch::mm(q_, q_.t()), q_) / q_.square().sum(), whole);
}

std::vector<Tensor> OperatorCore::cores() const {
  const std::int64_t bond = bond_dimension();
  return {p_.unsqueeze(0).to(type_).clone(at::MemoryFormat::Contiguous),
          q_.view({bond, rows_.second, columns_.second, 1})
              .to(type_)
              .clone(at::MemoryFormat::Contiguous)};
}

}  // namespace rankine::weights
