#include "weights/rotations/blocks.hpp"

#include <ranges>

#include "core/contracts.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

void expect_fitting([[maybe_unused]] const Tensor& blocks,
                    [[maybe_unused]] const BlockLayout& layout) {
  RANKINE_EXPECTS(layout.width % (layout.size * layout.stride) == 0, "groups fill the axis");
  RANKINE_EXPECTS(blocks.dim() == 3 && blocks.size(1) == layout.size &&
                      blocks.size(2) == layout.size &&
                      (blocks.size(0) == 1 || blocks.size(0) == layout.groups()),
                  "one block, or one for every group");
}

}  // namespace

Tensor apply_blocks(const Tensor& x, const Tensor& blocks, const BlockLayout& layout) {
  expect_fitting(blocks, layout);
  const std::int64_t rows = x.size(0), outer = layout.groups() / layout.stride;
  // A gate on neighbouring indices is one product.
  if (blocks.size(0) == 1 && layout.stride == 1)
    return torch::mm(x.reshape({-1, layout.size}), blocks[0].t()).view({rows, layout.width});
  const Tensor grouped =
      x.reshape({rows, outer, layout.size, layout.stride}).permute({1, 3, 0, 2});  // o, s, row, j
  if (blocks.size(0) == 1)
    return torch::matmul(grouped, blocks[0].t())
        .permute({2, 0, 3, 1})
        .reshape({rows, layout.width});
  return torch::bmm(grouped.reshape({layout.groups(), rows, layout.size}), blocks.transpose(1, 2))
      .view({outer, layout.stride, rows, layout.size})
      .permute({2, 0, 3, 1})
      .reshape({rows, layout.width});
}

Tensor apply_blocks_to_rows(const Tensor& x, const Tensor& blocks, const BlockLayout& layout) {
  expect_fitting(blocks, layout);
  const std::int64_t columns = x.size(1), outer = layout.groups() / layout.stride;
  if (blocks.size(0) == 1)
    return torch::matmul(blocks[0], x.reshape({outer, layout.size, layout.stride * columns}))
        .reshape({layout.width, columns});
  const Tensor grouped = x.reshape({outer, layout.size, layout.stride, columns}).transpose(1, 2);
  return torch::bmm(blocks, grouped.reshape({layout.groups(), layout.size, columns}))
      .view({outer, layout.stride, layout.size, columns})
      .transpose(1, 2)
      .reshape({layout.width, columns});
}

Tensor apply_circuit(const BlockCircuit& circuit, Tensor x) {
  for (const BlockLayer& layer : circuit) x = apply_blocks(x, layer.blocks, layer.layout);
  return x;
}

Tensor apply_transposed_circuit(const BlockCircuit& circuit, Tensor x) {
  for (const BlockLayer& layer : circuit | std::views::reverse)
    x = apply_blocks(x, layer.blocks.transpose(1, 2), layer.layout);
  return x;
}

Tensor apply_circuit_to_rows(const BlockCircuit& circuit, Tensor x) {
  for (const BlockLayer& layer : circuit) x = apply_blocks_to_rows(x, layer.blocks, layer.layout);
  return x;
}

Tensor apply_transposed_circuit_to_rows(const BlockCircuit& circuit, Tensor x) {
  for (const BlockLayer& layer : circuit | std::views::reverse)
    x = apply_blocks_to_rows(x, layer.blocks.transpose(1, 2), layer.layout);
  return x;
}

}  // namespace rankine::weights
