#include "compress/decomposition/weighted_svd.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/factorisations.hpp"
#include "linalg/svd/svd.hpp"

namespace rankine::compress {

using linalg::Matrix;
using torch::Tensor;

namespace {

/// A column-major copy of a row-major tensor.
template <class T>
Matrix<T> as_matrix(const Tensor& values) {
  const Tensor transposed = values.t().to(c10::CppTypeToScalarType<T>::value).contiguous();
  Matrix<T> matrix(values.size(0), values.size(1));
  std::copy_n(transposed.data_ptr<T>(), transposed.numel(), matrix.data());
  return matrix;
}

/// U (m x k) and the singular values of a matrix A.
struct LeftVectors {
  Tensor u;
  std::vector<double> singular_values;
};

LeftVectors left_vectors(const Tensor& a) {
  auto svd = linalg::svd(as_matrix<double>(a), linalg::Truncation{});
  const Tensor transposed =
      torch::from_blob(svd.u.data(), {svd.rank(), svd.u.rows()}, torch::kFloat64);
  return {transposed.t().clone(), {svd.singular_values.begin(), svd.singular_values.end()}};
}

/// From A A^T.
LeftVectors left_vectors_of_moment(const Tensor& moment) {
  Matrix<double> vectors = as_matrix<double>(moment);
  const std::vector<double> ascending = linalg::hermitian_eigen(vectors);
  LeftVectors result;
  for (auto value = ascending.rbegin(); value != ascending.rend(); ++value)
    result.singular_values.push_back(std::sqrt(std::max(0.0, *value)));
  result.u = torch::from_blob(vectors.data(), {vectors.columns(), vectors.rows()}, torch::kFloat64)
                 .flip(0)
                 .t();
  return result;
}

/// S G S^T.
Tensor moment_of_outputs(const Tensor& s, const Tensor& inputs) {
  if (!inputs.defined()) return s.matmul(s.t());
  return (inputs.dim() == 1 ? s * inputs : s.matmul(inputs)).matmul(s.t());
}

/// U of S L and U^T S.
struct Projection {
  LeftVectors vectors;
  Tensor right;
};

Projection project_by_svd(const Tensor& s, const Tensor& inputs) {
  Tensor target = s;
  if (inputs.defined())
    target = inputs.dim() == 1 ? s * inputs.sqrt() : s.matmul(factor_of_moment(inputs));
  LeftVectors vectors = left_vectors(target);
  return {vectors, vectors.u.t().matmul(s)};
}

Projection project_by_moment(const Tensor& s, const Tensor& inputs) {
  if (s.size(0) <= s.size(1)) {
    LeftVectors vectors = left_vectors_of_moment(moment_of_outputs(s, inputs));
    vectors.u = vectors.u.to(torch::kFloat32).contiguous();
    return {vectors, vectors.u.t().matmul(s.to(torch::kFloat32))};
  }
  const auto [q, r] = torch::linalg_qr(s.to(torch::kFloat32));
  Projection reduced = project_by_moment(r.to(torch::kFloat64), inputs);
  reduced.vectors.u = q.matmul(reduced.vectors.u);
  return reduced;
}

}  // namespace

WeightedComponents weighted_svd(const Tensor& w, const MatrixNorm& norm, torch::ScalarType type) {
  const Tensor s = norm.outputs.defined() ? norm.outputs.t().matmul(w) : w;
  const Projection projection =
      type == torch::kFloat64 ? project_by_svd(s, norm.inputs) : project_by_moment(s, norm.inputs);
  Tensor left = projection.vectors.u;
  if (norm.outputs.defined())
    left = torch::linalg_solve_triangular(norm.outputs.t(), left.to(torch::kFloat64), true);
  return {left.to(type).contiguous(), projection.right.to(type).contiguous(),
          projection.vectors.singular_values};
}

Tensor factor_of_moment(const Tensor& moment) {
  // A rank-deficient moment has a factor of fewer rows; column-major, it is L row by row.
  Matrix<double> factor = linalg::gram_factor(as_matrix<double>(moment));
  return torch::from_blob(factor.data(), {factor.columns(), factor.rows()}, torch::kFloat64)
      .clone();
}

}  // namespace rankine::compress
