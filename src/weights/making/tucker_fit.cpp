#include "weights/making/tucker_fit.hpp"

#include <algorithm>
#include <array>

#include "core/contracts.hpp"
#include "weights/making/conjugate_gradients.hpp"
#include "weights/making/orthonormal_factors.hpp"
#include "weights/making/ridge.hpp"
#include "weights/making/tucker_factorisation.hpp"
#include "weights/rows/axis_product.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// A sweep that lowers the squared error by less than this part of it is the last one.
constexpr double smallest_gain = 1e-3;
constexpr int start_sweeps = 3;

using Axes = std::array<std::int64_t, 4>;

Tensor product_with(const Tensor& rows, const Tensor& moment) {
  return moment.defined() ? times_transposed(rows, moment) : rows;
}

Tensor orthonormal_basis(const Tensor& columns) {
  return std::get<0>(torch::linalg_qr(columns)).contiguous();
}

/// The targets R^T W in coordinates in which the patches of given bases M of the inputs are white.
struct Targets {
  Tensor lower;        ///< of M Sigma M^T; undefined for the identity
  Tensor coordinates;  ///< ranks of the inputs x outputs
};

/// The least-squares solution A of W ~ A M, and how its rank is best reduced. R^T A M S has
/// orthogonal rows in the basis of the vectors, and their squares are what each of them takes from
/// the squared norm of W.
struct Regression {
  Tensor solution;  ///< (R^T A)^T
  Tensor vectors;   ///< outputs x outputs, the largest square first
  Tensor squares;
};

/// A fit under way, of a kernel with axes o, i, h, w or o, i, (h w) and one of length 1.
class Alternation {
 public:
  Alternation(const WeightedMatrix& kernel, const Axes& lengths)
      : kernel_(kernel),
        lengths_(lengths),
        sites_(kernel.norm, {1, 1, 1, lengths[0]}, {lengths[1], lengths[2], lengths[3], 1}) {}

  /// The HOOI's bases in the product of moments next to the norm.
  void start(const TuckerRanks& ranks);
  /// All inputs, in an order in which the leading ones are a basis in that product.
  void order_inputs();

  Targets targets() const;
  Regression regress() const;
  /// Output factor and core for the present bases; returns the squared error.
  double solve(const Regression& found, std::int64_t output_rank);
  /// A better basis of an axis for the present core.
  void improve(std::int64_t axis, double& squared_error);
  /// One of each axis that is cut.
  void improve_all(double squared_error);

  bool has_bases() const {
    return std::ranges::any_of(bases_, [](const Tensor& basis) { return basis.defined(); });
  }
  TuckerFactors factors() const;

 private:
  Axes shape_of(std::int64_t rows) const { return {rows, lengths_[1], lengths_[2], lengths_[3]}; }
  Tensor whitened() const { return sites_.whiten(kernel_.matrix).view(lengths_); }
  /// From a basis of an axis of the whitened kernel to one of the kernel.
  Tensor unwhitened(const Tensor& basis, std::size_t axis) const;
  /// Rows of input patches in the present bases.
  Tensor project(const Tensor& rows) const;
  Tensor basis(std::int64_t axis) const { return bases_[static_cast<std::size_t>(axis - 1)]; }

  const WeightedMatrix& kernel_;
  Axes lengths_;
  SiteNorm sites_;
  std::array<Tensor, 3> bases_;  ///< of axes 1 to 3; undefined for the identity
  Tensor vectors_;               ///< outputs x r_o, orthonormal; R^T times the output factor
  Tensor core_;
};

/// The error as a function of the basis of one axis, all else fixed.
class BasisError final : public QuadraticError {
 public:
  /// `core` in the bases of all other axes.
  BasisError(const WeightedMatrix& kernel, const SiteNorm& sites, const Axes& shape,
             std::int64_t axis, const Tensor& core)
      : moment_(kernel.patches), shape_(shape), axis_(axis), core_(core) {
    Tensor others = core;
    for (std::int64_t other = 1; other < 4; ++other)
      if (other != axis)
        others =
            along_axis(others, other, sites.column_moment(static_cast<std::size_t>(other - 1)));
    ranks_ = damped_inverse(times_transposed(unfolded(others, axis), unfolded(core, axis)));
    const Tensor own = sites.column_moment(static_cast<std::size_t>(axis - 1));
    if (own.defined()) length_ = damped_inverse(own);
  }

  /// Sigma times the rows that a basis gives, and the adjoint of giving rows.
  Tensor weighed_rows(const Tensor& basis) const {
    const Tensor rows = along_axis(core_, axis_, basis).flatten(1);
    if (!moment_.defined()) return rows;
    return times_transposed(rows.to(moment_.scalar_type()), moment_).to(torch::kFloat64);
  }
  Tensor pull_back(const Tensor& rows) const {
    return times_transposed(unfolded(rows.view(shape_), axis_), unfolded(core_, axis_));
  }

  Tensor image(const Tensor& direction) override { return pull_back(weighed_rows(direction)); }
  Tensor precondition(const Tensor& residual) const override {
    return along_axis(times(residual, ranks_), 0, length_).contiguous();
  }

 private:
  const Tensor& moment_;
  Axes shape_;
  std::int64_t axis_;
  Tensor core_;
  Tensor ranks_, length_;  ///< the preconditioner over ranks and over the length of the axis
};

void Alternation::start(const TuckerRanks& ranks) {
  const TuckerFactors begun = hooi(whitened(), ranks, start_sweeps);
  const std::array found{begun.input, begun.height, begun.width};
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (found[axis].defined()) bases_[axis] = orthonormal_basis(unwhitened(found[axis], axis));
}

Tensor Alternation::unwhitened(const Tensor& basis, std::size_t axis) const {
  return sites_.unwhiten_core(basis.view({1, 1, basis.size(0), -1}), axis).view(basis.sizes());
}

void Alternation::order_inputs() {
  const Tensor rows = unfolded(whitened(), 1);
  const Tensor ordered = leading_eigenvectors(times_transposed(rows, rows), lengths_[1]);
  bases_[0] = orthonormal_basis(unwhitened(ordered, 0));
}

Tensor Alternation::project(const Tensor& rows) const {
  Tensor result = rows.reshape(shape_of(rows.size(0)));
  for (std::int64_t axis = 1; axis < 4; ++axis)
    if (basis(axis).defined()) result = along_axis(result, axis, basis(axis).t());
  return result.flatten(1);
}

Targets Alternation::targets() const {
  const Tensor targets = project(kernel_.weighed).t();  // M Sigma W^T
  const Tensor rooted = kernel_.root.defined() ? targets.matmul(kernel_.root) : targets;
  if (!kernel_.norm.inputs.defined()) return {{}, rooted};  // M M^T is the identity
  const Tensor lower =
      torch::linalg_cholesky(project(project(kernel_.norm.inputs).t().contiguous()));
  return {lower, at::linalg_solve_triangular(lower, rooted, /*upper=*/false)};
}

Regression Alternation::regress() const {
  const auto [lower, z] = targets();
  const Tensor solution =
      lower.defined() ? at::linalg_solve_triangular(lower.t(), z, /*upper=*/true) : z;
  const auto [squares, vectors] = at::linalg_eigh(transposed_times(z, z));
  return {solution, vectors.flip(1), squares.flip(0).clamp_min(0)};
}

double Alternation::solve(const Regression& found, std::int64_t output_rank) {
  vectors_ = found.vectors.narrow(1, 0, output_rank).contiguous();
  Axes ranks{output_rank};
  for (std::int64_t axis = 1; axis < 4; ++axis)
    ranks[static_cast<std::size_t>(axis)] =
        basis(axis).defined() ? basis(axis).size(1) : lengths_[static_cast<std::size_t>(axis)];
  core_ = transposed_times(vectors_, found.solution.t().contiguous()).view(ranks);
  const double taken = found.squares.narrow(0, 0, output_rank).sum().item<double>();
  return std::max(0.0, kernel_.squared_norm - taken);
}

void Alternation::improve(std::int64_t axis, double& squared_error) {
  Tensor core = core_;
  for (std::int64_t other = 1; other < 4; ++other)
    if (other != axis) core = along_axis(core, other, basis(other));
  BasisError error(kernel_, sites_, shape_of(core.size(0)), axis, core);
  // The targets are those of the outputs in the directions that are kept.
  const Tensor rows =
      kernel_.root.defined() ? transposed_times(kernel_.root, kernel_.weighed) : kernel_.weighed;
  const Tensor residual =
      error.pull_back(transposed_times(vectors_, rows) - error.weighed_rows(basis(axis)));
  const DescentLimits limits{
      .steps = 12, .smallest_gain = 1e-3, .room = 8 * kernel_.matrix.numel()};
  bases_[static_cast<std::size_t>(axis - 1)] =
      lower_error(error, basis(axis), residual, limits, squared_error);
}

void Alternation::improve_all(double squared_error) {
  for (std::int64_t axis = 1; axis < 4; ++axis)
    if (basis(axis).defined()) improve(axis, squared_error);
  for (Tensor& basis : bases_)
    if (basis.defined()) basis = orthonormal_basis(basis);
}

TuckerFactors Alternation::factors() const {
  Tensor output = vectors_;
  if (kernel_.root.defined())
    output = at::linalg_solve_triangular(kernel_.root.t(), vectors_, /*upper=*/true);
  TuckerFactors result{core_, output, bases_[0], bases_[1], bases_[2]};
  if (vectors_.size(1) < lengths_[0]) return orthonormal(result);
  result.core = along_axis(core_, 0, output).contiguous();
  result.output = Tensor();
  return result;
}

}  // namespace

WeightedKernel::WeightedKernel(const Tensor& kernel, const MomentNorm& norm,
                               torch::ScalarType products) {
  const torch::NoGradGuard no_gradients;
  RANKINE_EXPECTS(kernel.dim() == 4, "a kernel has four axes");
  kernel_.shape = {kernel.size(0), kernel.size(1), kernel.size(2), kernel.size(3)};
  kernel_.matrix = kernel.detach().to(torch::kFloat64).flatten(1).contiguous();
  kernel_.norm = norm;
  if (norm.inputs.defined()) kernel_.patches = norm.inputs.to(products);
  if (norm.outputs.defined()) kernel_.root = torch::linalg_cholesky(norm.outputs);
  kernel_.weighed = product_with(kernel_.matrix, norm.inputs);
  const Tensor both =
      norm.outputs.defined() ? times(norm.outputs, kernel_.weighed) : kernel_.weighed;
  kernel_.squared_norm = (kernel_.matrix * both).sum().item<double>();
}

double WeightedKernel::squared_error(const Tensor& matrix) const {
  return kernel_.norm.squared(kernel_.matrix - matrix.to(torch::kFloat64));
}

TuckerFit WeightedKernel::fit(const TuckerRanks& ranks, int sweeps) const {
  const torch::NoGradGuard no_gradients;
  const KernelShape& s = kernel_.shape;
  // Pixels that are not cut are one axis.
  const bool cuts_pixels = ranks.height < s.height || ranks.width < s.width;
  const std::int64_t pixels = s.height * s.width;
  Alternation fit(kernel_, cuts_pixels ? Axes{s.outputs, s.inputs, s.height, s.width}
                                       : Axes{s.outputs, s.inputs, pixels, 1});
  fit.start(cuts_pixels ? ranks : TuckerRanks{ranks.output, ranks.input, pixels, 1});
  TuckerFit result{{}, {fit.solve(fit.regress(), ranks.output)}};
  for (int sweep = 0; sweep < sweeps && fit.has_bases(); ++sweep) {
    const double before = result.error();
    fit.improve_all(before);
    result.errors.push_back(fit.solve(fit.regress(), ranks.output));
    if (!(before - result.error() > smallest_gain * before)) break;
  }
  result.factors = fit.factors();
  if (!cuts_pixels)
    result.factors.core = result.factors.core.view({-1, ranks.input, s.height, s.width});
  return result;
}

Tensor WeightedKernel::errors(const std::vector<std::int64_t>& input_ranks) const {
  const torch::NoGradGuard no_gradients;
  RANKINE_EXPECTS(std::ranges::is_sorted(input_ranks), "input ranks rise");
  const KernelShape& s = kernel_.shape;
  const std::int64_t pixels = s.height * s.width;
  Alternation fit(kernel_, {s.outputs, s.inputs, pixels, 1});
  fit.order_inputs();
  // Cholesky factors of leading blocks are leading blocks, so that leading coordinates are those
  // of leading inputs.
  const Tensor z = fit.targets().coordinates;
  Tensor products = torch::zeros({s.outputs, s.outputs}, z.options());
  Tensor errors =
      torch::full({std::ssize(input_ranks), s.outputs + 1}, squared_norm(), torch::kFloat64);
  std::int64_t row = 0, done = 0;
  for (const std::int64_t rank : input_ranks) {
    const Tensor added = z.narrow(0, done, rank * pixels - done);
    products += transposed_times(added, added);
    done = rank * pixels;
    const Tensor taken = at::linalg_eigvalsh(products).flip(0).clamp_min(0).cumsum(0);
    errors.select(0, row++).narrow(0, 1, s.outputs).sub_(taken).clamp_min_(0);
  }
  return errors;
}

}  // namespace rankine::weights
