#include "weights/rows/product.hpp"

#include <omp.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "linalg/blas.hpp"
#include "linalg/matrix_vector.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/single_threaded_blas.hpp"

namespace rankine::weights {

using linalg::ConstView;
using linalg::Op;
using linalg::View;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

/// The rows (op none) or columns (op transpose) of an operand that make columns [first, first +
/// count) of the product.
template <class T>
ConstView<T> part_of_columns(Op op, ConstView<T> b, std::int64_t first, std::int64_t count) {
  return op == Op::none ? ConstView<T>{b.data + first * b.leading, b.rows, count, b.leading}
                        : ConstView<T>{b.data + first, count, b.columns, b.leading};
}
template <class T>
ConstView<T> part_of_rows(Op op, ConstView<T> a, std::int64_t first, std::int64_t count) {
  return op == Op::none ? ConstView<T>{a.data + first, count, a.columns, a.leading}
                        : ConstView<T>{a.data + first * a.leading, a.rows, count, a.leading};
}

/// C = op(A) op(B), its larger side shared by the threads in multiples of the BLAS kernel's tile.
template <class T>
void multiply(Op op_a, ConstView<T> a, Op op_b, ConstView<T> b, View<T> c) {
  if (c.rows == 0 || c.columns == 0) return;
  constexpr std::int64_t tile = 16;
  const bool share_columns = c.columns >= c.rows;
  const std::int64_t extent = share_columns ? c.columns : c.rows;
  const std::int64_t n_threads = omp_get_max_threads();
  const std::int64_t share = ((extent + n_threads - 1) / n_threads + tile - 1) / tile * tile;
  const SingleThreadedBlas guard;
  const bool is_vector = c.columns == 1 && op_b == Op::none;  // one token: a matter of memory
#pragma omp parallel for schedule(static, 1)
  for (std::int64_t first = 0; first < extent; first += share) {
    const std::int64_t count = std::min(share, extent - first);
    if (is_vector)
      linalg::gemv<T>(op_a, part_of_rows(op_a, a, first, count), b.data, c.data + first);
    else if (share_columns)
      linalg::gemm<T>(op_a, op_b, T(1), a, part_of_columns(op_b, b, first, count), T(0),
                      {c.data + first * c.leading, c.rows, count, c.leading});
    else
      linalg::gemm<T>(op_a, op_b, T(1), part_of_rows(op_a, a, first, count), b, T(0),
                      {c.data + first, count, c.columns, c.leading});
  }
}

/// A row-major tensor seen by column-major BLAS: its transpose.
template <class T>
View<T> transposed_view(const Tensor& matrix) {
  return {matrix.data_ptr<T>(), matrix.size(1), matrix.size(0)};
}

/// Result of the given shape; zero where the inner dimension is 0.
Tensor product(Op op_a, const Tensor& a, Op op_b, const Tensor& b, std::int64_t rows,
               std::int64_t columns) {
  const std::int64_t inner = op_a == Op::none ? a.size(0) : a.size(1);
  if (inner == 0) return torch::zeros({rows, columns}, a.options());
  Tensor result = torch::empty({rows, columns}, a.options());
  with_element_type(a, [&]<class T>(T) {
    multiply<T>(op_a, transposed_view<T>(a), op_b, transposed_view<T>(b),
                transposed_view<T>(result));
  });
  return result;
}

struct TimesTransposed : Function<TimesTransposed> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& w) {
    context->save_for_backward({x, w});
    return product(Op::transpose, w, Op::none, x, x.size(0), w.size(0));
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &w = saved[1];
    const Tensor dy = gradients[0].contiguous();
    Tensor dx, dw;
    if (context->needs_input_grad(0))
      dx = product(Op::none, w, Op::none, dy, dy.size(0), w.size(1));
    if (context->needs_input_grad(1))
      dw = product(Op::none, x, Op::transpose, dy, dy.size(1), x.size(1));
    return {dx, dw};
  }
};

}  // namespace

Tensor times_transposed(const Tensor& x, const Tensor& w) {
  RANKINE_EXPECTS(x.dim() == 2 && w.dim() == 2 && x.size(1) == w.size(1), "x and w share inputs");
  RANKINE_EXPECTS(x.scalar_type() == w.scalar_type(), "x and w have one element type");
  return TimesTransposed::apply(x.contiguous(), w.contiguous());
}

Tensor times(const Tensor& x, const Tensor& y) {
  RANKINE_EXPECTS(x.dim() == 2 && y.dim() == 2 && x.size(1) == y.size(0), "x and y share an axis");
  return product(Op::none, y.contiguous(), Op::none, x.contiguous(), x.size(0), y.size(1));
}

Tensor transposed_times(const Tensor& x, const Tensor& y) {
  RANKINE_EXPECTS(x.dim() == 2 && y.dim() == 2 && x.size(0) == y.size(0), "x and y share an axis");
  return product(Op::none, y.contiguous(), Op::transpose, x.contiguous(), x.size(1), y.size(1));
}

}  // namespace rankine::weights
