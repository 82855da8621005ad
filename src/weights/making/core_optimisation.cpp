#include "weights/making/core_optimisation.hpp"

#include <algorithm>
#include <cmath>

#include "weights/forms/matrix_product.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

// Conjugate gradients gather speed: many steps on a core are worth more than many sweeps.
constexpr int most_steps_per_core = 24;
/// A step that lowers the squared error by less than this part of it is the last one of its core.
constexpr double smallest_gain = 2e-3;
/// Numbers kept of directions that were taken, in numbers of the matrix.
constexpr std::int64_t room_for_directions = 8;

double sum_of_products(const Tensor& a, const Tensor& b) { return (a * b).sum().item<double>(); }

/// The legs of all sites: how matrices and chains of cores are arranged.
struct Legs {
  std::vector<std::int64_t> rows, columns;

  explicit Legs(const std::vector<Tensor>& cores) {
    for (const Tensor& core : cores) {
      rows.push_back(core.size(1));
      columns.push_back(core.size(2));
    }
  }
};

/// W' as a linear function of the core of one site, the others fixed.
class CoreMap {
 public:
  CoreMap(const Legs& legs, const std::vector<Tensor>& cores, std::size_t site)
      : legs_(legs), shape_(cores[site].sizes().vec()) {
    left_ = torch::ones({1, 1}, cores[site].options());
    for (std::size_t k = 0; k < site; ++k)
      left_ =
          times(left_, cores[k].reshape({cores[k].size(0), -1})).reshape({-1, cores[k].size(3)});
    right_ = torch::ones({1, 1}, cores[site].options());
    for (std::size_t k = cores.size(); k-- > site + 1;)
      right_ =
          times(cores[k].reshape({-1, cores[k].size(3)}), right_).reshape({cores[k].size(0), -1});
  }

  /// Rows x columns.
  Tensor expand(const Tensor& core) const {
    const Tensor begun = times(left_, core.reshape({shape_[0], -1})).reshape({-1, shape_[3]});
    return from_pairs(times(begun, right_));
  }

  /// The transposed map.
  Tensor pull_back(const Tensor& matrix) const {
    const Tensor pairs = paired_legs(matrix, legs_.rows, legs_.columns);
    const Tensor begun = times_transposed(pairs.reshape({-1, right_.size(1)}), right_);
    return transposed_times(left_, begun.reshape({left_.size(0), -1})).reshape(shape_);
  }

 private:
  Tensor from_pairs(const Tensor& chain) const {
    std::vector<std::int64_t> shape, order;
    const std::int64_t sites = std::ssize(legs_.rows);
    std::int64_t rows = 1;
    for (std::size_t k = 0; k < legs_.rows.size(); ++k) {
      shape.insert(shape.end(), {legs_.rows[k], legs_.columns[k]});
      rows *= legs_.rows[k];
    }
    for (std::int64_t k = 0; k < sites; ++k) order.push_back(2 * k);
    for (std::int64_t k = 0; k < sites; ++k) order.push_back(2 * k + 1);
    return chain.reshape(shape).permute(order).reshape({rows, -1});
  }

  const Legs& legs_;
  std::vector<std::int64_t> shape_;
  Tensor left_;   ///< (row and column legs before) x bond
  Tensor right_;  ///< bond x (row and column legs after)
};

/// Inverse of a positive semidefinite matrix, weak directions held back.
Tensor damped_inverse(const Tensor& matrix) {
  const double ridge = 1e-6 * matrix.diagonal().mean().item<double>() + 1e-300;
  return at::cholesky_inverse(
      at::linalg_cholesky(matrix + ridge * torch::eye(matrix.size(0), matrix.options())));
}

/// `matrix` (symmetric, leg x leg; undefined for the identity) on one axis of a core.
Tensor on_axis(const Tensor& core, std::int64_t axis, const Tensor& matrix) {
  if (!matrix.defined()) return core;
  const Tensor last = core.movedim(axis, -1);
  return times_transposed(last.reshape({-1, last.size(-1)}), matrix)
      .reshape(last.sizes())
      .movedim(-1, axis);
}

/// The inverse of the normal operator as it would be in the norm of the sites: then it is one over
/// the left bond, the row leg, the column leg and the right bond.
class Preconditioner {
 public:
  Preconditioner(const SiteNorm& sites, const std::vector<Tensor>& cores, std::size_t site) {
    Tensor left = torch::ones({1, 1}, torch::kFloat64), right = left;
    for (std::size_t k = 0; k < site; ++k) {
      const Tensor weighed = on_axis(weigh(sites, cores[k], k), 0, left);
      left = transposed_times(weighed.reshape({-1, weighed.size(3)}),
                              cores[k].reshape({-1, cores[k].size(3)}));
    }
    for (std::size_t k = cores.size(); k-- > site + 1;) {
      const Tensor weighed = on_axis(weigh(sites, cores[k], k), 3, right);
      right = times_transposed(weighed.reshape({weighed.size(0), -1}),
                               cores[k].reshape({cores[k].size(0), -1}));
    }
    left_ = damped_inverse(left);
    right_ = damped_inverse(right);
    if (sites.row_moment(site).defined()) row_ = damped_inverse(sites.row_moment(site));
    if (sites.column_moment(site).defined()) column_ = damped_inverse(sites.column_moment(site));
  }

  Tensor apply(const Tensor& residual) const {
    const Tensor legs = on_axis(on_axis(residual, 1, row_), 2, column_);
    return on_axis(on_axis(legs, 0, left_), 3, right_).contiguous();
  }

 private:
  static Tensor weigh(const SiteNorm& sites, const Tensor& core, std::size_t k) {
    return on_axis(on_axis(core, 1, sites.row_moment(k)), 2, sites.column_moment(k));
  }

  Tensor left_, row_, column_, right_;
};

/// Directions that were taken, and their images under the normal operator. Exact arithmetic would
/// make a new direction conjugate to all of them once it is conjugate to the last. In rounded
/// arithmetic the few large eigenvalues that the preconditioner leaves come back ten times larger
/// with every step, until the result depends on how a machine rounds; the early directions hold
/// them.
class TakenDirections {
 public:
  /// As many early ones of `size` numbers as fit into `room` numbers with their images.
  TakenDirections(std::int64_t size, std::int64_t room)
      : most_(std::clamp<std::int64_t>(room / (2 * size), 1, most_steps_per_core)) {}

  /// `direction` made conjugate to them.
  Tensor conjugate(const Tensor& direction) const {
    Tensor result = direction.flatten();
    if (count_ > 0) {
      const Tensor products = images_.narrow(0, 0, count_).mv(result);
      result = result - directions_.narrow(0, 0, count_).t().mv(products);
    }
    if (last_.direction.defined())
      result = result - last_.direction * sum_of_products(last_.image, result);
    return result.view(direction.sizes());
  }

  /// direction^T image = `curvature`.
  void add(const Tensor& direction, const Tensor& image, double curvature) {
    const double scale = 1 / std::sqrt(curvature);
    if (count_ == most_) {
      last_ = {direction.flatten() * scale, image.flatten() * scale};
      return;
    }
    if (count_ == 0) {
      directions_ = torch::empty({most_, direction.numel()}, direction.options());
      images_ = torch::empty_like(directions_);
    }
    directions_.select(0, count_).copy_(direction.flatten() * scale);
    images_.select(0, count_).copy_(image.flatten() * scale);
    ++count_;
  }

 private:
  struct Direction {
    Tensor direction, image;
  };

  std::int64_t most_;
  std::int64_t count_ = 0;
  Tensor directions_, images_;  ///< the early ones as rows, of curvature 1
  Direction last_;              ///< where it is not among them
};

/// Conjugate gradients; every step lowers the squared error, wherever they end. `weighed`, of the
/// error at the core, follows.
void improve_core(const CoreMap& map, const MomentNorm& norm, const Preconditioner& preconditioner,
                  Tensor& core, Tensor& weighed, double& squared_error) {
  Tensor residual = map.pull_back(weighed);
  TakenDirections taken(core.numel(), room_for_directions * weighed.numel());
  for (int step = 0; step < most_steps_per_core; ++step) {
    const Tensor direction = taken.conjugate(preconditioner.apply(residual));
    const Tensor moved = norm.weigh(map.expand(direction));
    const Tensor image = map.pull_back(moved);
    const double product = sum_of_products(direction, residual);
    const double curvature = sum_of_products(direction, image);
    if (!(product > 0 && curvature > 0)) break;
    const double length = product / curvature;
    core = core + direction * length;
    weighed.sub_(moved, length);
    residual = residual - image * length;
    const double gain = length * product;
    squared_error -= gain;
    if (!(gain > smallest_gain * squared_error)) break;
    taken.add(direction, image, curvature);
  }
}

}  // namespace

std::vector<double> optimise_cores(const Tensor& w, const MomentNorm& norm, const SiteNorm& sites,
                                   int sweeps, std::vector<Tensor>& cores) {
  const Legs legs(cores);
  std::vector<double> errors;
  double squared = 0;
  Tensor weighed;
  const auto measure = [&] {
    const Tensor error = w - contract_rows(cores, 0, w.size(0));
    weighed = norm.weigh(error);
    squared = std::max(0.0, sum_of_products(error, weighed));
    errors.push_back(std::sqrt(squared));
  };
  measure();
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t site = 0; site < cores.size(); ++site)
      improve_core(CoreMap(legs, cores, site), norm, Preconditioner(sites, cores, site),
                   cores[site], weighed, squared);
    measure();
  }
  return errors;
}

}  // namespace rankine::weights
