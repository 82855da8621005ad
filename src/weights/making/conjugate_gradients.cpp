#include "weights/making/conjugate_gradients.hpp"

#include <algorithm>
#include <cmath>

namespace rankine::weights {

using torch::Tensor;

namespace {

double inner_product(const Tensor& a, const Tensor& b) { return (a * b).sum().item<double>(); }

/// Directions that were taken, and their images under the normal operator. Exact arithmetic would
/// make a new direction conjugate to all of them once it is conjugate to the last. In rounded
/// arithmetic the few large eigenvalues that the preconditioner leaves come back ten times larger
/// with every step, until the result depends on how a machine rounds; the early directions hold
/// them.
class TakenDirections {
 public:
  /// As many early ones of `size` numbers as fit into `room` numbers with their images.
  TakenDirections(std::int64_t size, const DescentLimits& limits)
      : most_(std::clamp<std::int64_t>(limits.room / (2 * size), 1, limits.steps)) {}

  /// `direction` made conjugate to them.
  Tensor conjugate(const Tensor& direction) const {
    Tensor result = direction.flatten();
    if (count_ > 0) {
      const Tensor products = images_.narrow(0, 0, count_).mv(result);
      result = result - directions_.narrow(0, 0, count_).t().mv(products);
    }
    if (last_.direction.defined())
      result = result - last_.direction * inner_product(last_.image, result);
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

}  // namespace

Tensor lower_error(QuadraticError& error, Tensor x, Tensor residual, const DescentLimits& limits,
                   double& squared_error) {
  TakenDirections taken(x.numel(), limits);
  for (int step = 0; step < limits.steps; ++step) {
    const Tensor direction = taken.conjugate(error.precondition(residual));
    const Tensor image = error.image(direction);
    const double product = inner_product(direction, residual);
    const double curvature = inner_product(direction, image);
    if (!(product > 0 && curvature > 0)) break;
    const double length = product / curvature;
    x = x + direction * length;
    residual = residual - image * length;
    error.moved(length);
    const double gain = length * product;
    squared_error -= gain;
    if (!(gain > limits.smallest_gain * squared_error)) break;
    taken.add(direction, image, curvature);
  }
  return x;
}

}  // namespace rankine::weights
