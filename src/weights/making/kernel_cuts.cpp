#include "weights/making/kernel_cuts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/contracts.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// The axes of a kernel in the order of the cut, as its name has them.
struct Order {
  std::array<std::int64_t, 4> axes;
  std::size_t before;  ///< how many stand before the cut
};

Order order_of(KernelCut cut) {
  constexpr std::string_view letters = "oihw";
  const std::string_view name = name_in(kernel_cut_names, cut);
  Order order{.axes = {}, .before = name.find('|')};
  std::size_t place = 0;
  for (const char letter : name)
    if (letter != '|') order.axes[place++] = static_cast<std::int64_t>(letters.find(letter));
  return order;
}

}  // namespace

MatrixShape cut_shape(KernelCut cut, const KernelShape& shape) {
  const std::array lengths{shape.outputs, shape.inputs, shape.height, shape.width};
  const Order order = order_of(cut);
  MatrixShape matrix{1, 1};
  for (std::size_t place = 0; place < 4; ++place)
    (place < order.before ? matrix.rows : matrix.columns) *=
        lengths[static_cast<std::size_t>(order.axes[place])];
  return matrix;
}

DecomposedKernel::DecomposedKernel(const Tensor& kernel, KernelCut cut)
    : cut_(cut), type_(kernel.scalar_type()) {
  RANKINE_EXPECTS(kernel.dim() == 4 && kernel.numel() > 0, "a kernel has four axes");
  const Tensor folded = kernel.detach().to(torch::kFloat64).permute(order_of(cut).axes);
  folded_ = folded.sizes().vec();
  const MatrixShape matrix =
      cut_shape(cut, {kernel.size(0), kernel.size(1), kernel.size(2), kernel.size(3)});
  svd_ = leading_triplets(folded.reshape({matrix.rows, matrix.columns}), matrix.full_rank());
}

Tensor DecomposedKernel::truncated(std::int64_t rank) const {
  RANKINE_EXPECTS(rank >= 1 && rank <= full_rank(), "a rank of the cut");
  const Order order = order_of(cut_);
  std::array<std::int64_t, 4> back{};
  for (std::size_t place = 0; place < 4; ++place)
    back[static_cast<std::size_t>(order.axes[place])] = static_cast<std::int64_t>(place);
  const Tensor scaled = svd_.u.narrow(1, 0, rank) * svd_.values.narrow(0, 0, rank);
  return scaled.matmul(svd_.v.narrow(0, 0, rank))
      .view(folded_)
      .permute(back)
      .to(type_)
      .contiguous();
}

double DecomposedKernel::norm_loss(std::int64_t rank) const {
  const double whole = svd_.values.square().sum().item<double>();
  const double kept = svd_.values.narrow(0, 0, rank).square().sum().item<double>();
  return whole > 0 ? 1 - std::sqrt(std::min(1.0, kept / whole)) : 0;
}

Tensor truncate_kernel(const Tensor& kernel, KernelCut cut, std::int64_t rank) {
  return DecomposedKernel(kernel, cut).truncated(rank);
}

}  // namespace rankine::weights
