#include "weights/making/gate_sweep.hpp"

#include <torch/linalg.h>

#include <algorithm>
#include <span>
#include <utility>

#include "core/contracts.hpp"
#include "linalg/blas.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/single_threaded_blas.hpp"

namespace rankine::weights {

using linalg::ConstView;
using linalg::Op;
using linalg::View;
using torch::Tensor;

namespace {

/// Numbers of a panel: the rows that a gate acts on, in as many columns as stay in the first cache.
constexpr std::int64_t panel_numbers = 4096;
constexpr std::int64_t fewest_columns = 64;

/// Calls work(place of the first number, columns) for all panels of size x columns numbers, whose
/// rows lie `stride` x (columns of the matrix) apart.
template <class Work>
void for_each_panel(const BlockLayout& layout, std::int64_t columns, Work&& work) {
  const std::int64_t length = layout.stride * columns;
  const std::int64_t at_most = std::max(fewest_columns, panel_numbers / layout.size);
  for (std::int64_t outer = 0; outer < layout.groups() / layout.stride; ++outer)
    for (std::int64_t first = 0; first < length; first += at_most)
      work(outer * layout.size * length + first, std::min(at_most, length - first));
}

/// gate x in place; `gate` is row-major in the type of x. In memory a panel is its transpose,
/// column-major.
void apply_gate(const Tensor& x, const Tensor& gate, const BlockLayout& layout) {
  const SingleThreadedBlas one_thread;
  const std::int64_t size = layout.size, apart = layout.stride * x.size(1);
  const Tensor matrix = gate.to(x.scalar_type()).contiguous();
  with_element_type(x, [&]<class T>(T) {
    std::vector<T> image(static_cast<std::size_t>(std::max(panel_numbers, fewest_columns * size)));
    T* values = x.data_ptr<T>();
    const ConstView<T> factor{matrix.data_ptr<T>(), size, size, size};
    for_each_panel(layout, x.size(1), [&](std::int64_t first, std::int64_t columns) {
      linalg::gemm<T>(Op::none, Op::none, T(1), {values + first, columns, size, apart}, factor,
                      T(0), {image.data(), columns, size, columns});
      for (std::int64_t row = 0; row < size; ++row)
        std::copy_n(image.data() + row * columns, columns, values + first + row * apart);
    });
  });
}

/// sum A B^T over the groups, of own columns; panels are added up in float64.
Tensor own_environment(const Tensor& a, const Tensor& b, const BlockLayout& layout) {
  const SingleThreadedBlas one_thread;
  const std::int64_t size = layout.size, apart = layout.stride * a.size(1);
  Tensor sum = torch::zeros({size, size}, torch::kFloat64);
  with_element_type(a, [&]<class T>(T) {
    std::vector<T> part(static_cast<std::size_t>(size * size));
    const T *left = a.data_ptr<T>(), *right = b.data_ptr<T>();
    double* total = sum.data_ptr<double>();
    for_each_panel(layout, a.size(1), [&](std::int64_t first, std::int64_t columns) {
      linalg::gemm<T>(Op::adjoint, Op::none, T(1), {right + first, columns, size, apart},
                      {left + first, columns, size, apart}, T(0), {part.data(), size, size, size});
      for (std::size_t i = 0; i < part.size(); ++i) total[i] += static_cast<double>(part[i]);
    });
  });
  return sum;
}

}  // namespace

GateSweep::GateSweep(const parallel::Communicator& team, std::vector<BlockLayout> layouts)
    : team_(&team), layouts_(std::move(layouts)) {
  for (const BlockLayout& layout : layouts_)
    gates_.push_back(torch::eye(layout.size, torch::kFloat64));
}

void GateSweep::improve(std::size_t gate, const Tensor& a, const Tensor& b) {
  Tensor sum = own_environment(a, b, layouts_[gate]);
  const std::span values(sum.data_ptr<double>(), static_cast<std::size_t>(sum.numel()));
  team_->sum(values);
  parallel::agree_on_failure(*team_, [&] {
    if (team_->rank() > 0) return;
    const auto [u, s, vh] = torch::linalg_svd(sum, false, {});
    sum.copy_(torch::mm(u, vh));
  });
  team_->broadcast(values, 0);
  gates_[gate] = sum;
}

void GateSweep::outward(Tensor& a, Tensor& b) {
  RANKINE_EXPECTS(a.is_contiguous() && b.is_contiguous(), "matrices are changed in place");
  for (std::size_t g = 0; g < gates_.size(); ++g) {
    apply_gate(a, gates_[g], layouts_[g]);
    improve(g, a, b);
    apply_gate(b, gates_[g], layouts_[g]);
  }
}

void GateSweep::inward(Tensor& a, Tensor& b) {
  RANKINE_EXPECTS(a.is_contiguous() && b.is_contiguous(), "matrices are changed in place");
  for (std::size_t g = gates_.size(); g-- > 0;) {
    apply_gate(b, gates_[g].t(), layouts_[g]);
    improve(g, a, b);
    apply_gate(a, gates_[g].t(), layouts_[g]);
  }
}

void GateSweep::undo(Tensor& a) const {
  for (std::size_t g = gates_.size(); g-- > 0;) apply_gate(a, gates_[g].t(), layouts_[g]);
}

}  // namespace rankine::weights
