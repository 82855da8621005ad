#include "weights/making/core_optimisation.hpp"

#include <algorithm>
#include <cmath>

#include "weights/forms/matrix_product.hpp"
#include "weights/making/conjugate_gradients.hpp"
#include "weights/making/ridge.hpp"
#include "weights/rows/axis_product.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// In numbers of the matrix.
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

/// The inverse of the normal operator as it would be in the norm of the sites: then it is one over
/// the left bond, the row leg, the column leg and the right bond.
class Preconditioner {
 public:
  Preconditioner(const SiteNorm& sites, const std::vector<Tensor>& cores, std::size_t site) {
    Tensor left = torch::ones({1, 1}, torch::kFloat64), right = left;
    for (std::size_t k = 0; k < site; ++k) {
      const Tensor weighed = along_axis(weigh(sites, cores[k], k), 0, left);
      left = transposed_times(weighed.reshape({-1, weighed.size(3)}),
                              cores[k].reshape({-1, cores[k].size(3)}));
    }
    for (std::size_t k = cores.size(); k-- > site + 1;) {
      const Tensor weighed = along_axis(weigh(sites, cores[k], k), 3, right);
      right = times_transposed(weighed.reshape({weighed.size(0), -1}),
                               cores[k].reshape({cores[k].size(0), -1}));
    }
    left_ = damped_inverse(left);
    right_ = damped_inverse(right);
    if (sites.row_moment(site).defined()) row_ = damped_inverse(sites.row_moment(site));
    if (sites.column_moment(site).defined()) column_ = damped_inverse(sites.column_moment(site));
  }

  Tensor apply(const Tensor& residual) const {
    const Tensor legs = along_axis(along_axis(residual, 1, row_), 2, column_);
    return along_axis(along_axis(legs, 0, left_), 3, right_).contiguous();
  }

 private:
  static Tensor weigh(const SiteNorm& sites, const Tensor& core, std::size_t k) {
    return along_axis(along_axis(core, 1, sites.row_moment(k)), 2, sites.column_moment(k));
  }

  Tensor left_, row_, column_, right_;
};

/// The error as a function of one core; `weighed`, of the error at the core, follows.
class CoreError final : public QuadraticError {
 public:
  CoreError(const CoreMap& map, const MomentNorm& norm, Preconditioner preconditioner,
            Tensor& weighed)
      : map_(map), norm_(norm), preconditioner_(std::move(preconditioner)), weighed_(weighed) {}

  Tensor image(const Tensor& direction) override {
    change_ = norm_.weigh(map_.expand(direction));
    return map_.pull_back(change_);
  }
  Tensor precondition(const Tensor& residual) const override {
    return preconditioner_.apply(residual);
  }
  void moved(double length) override { weighed_.sub_(change_, length); }

 private:
  const CoreMap& map_;
  const MomentNorm& norm_;
  Preconditioner preconditioner_;
  Tensor& weighed_;
  Tensor change_;
};

}  // namespace

std::vector<double> optimise_cores(const Tensor& w, const MomentNorm& norm, const SiteNorm& sites,
                                   int sweeps, std::vector<Tensor>& cores) {
  const Legs legs(cores);
  const DescentLimits limits{.room = room_for_directions * w.numel()};
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
    for (std::size_t site = 0; site < cores.size(); ++site) {
      const CoreMap map(legs, cores, site);
      CoreError error(map, norm, Preconditioner(sites, cores, site), weighed);
      cores[site] = lower_error(error, cores[site], map.pull_back(weighed), limits, squared);
    }
    measure();
  }
  return errors;
}

}  // namespace rankine::weights
