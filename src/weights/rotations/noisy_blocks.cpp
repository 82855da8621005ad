#include "weights/rotations/noisy_blocks.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include "core/random_stream.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// |x_g| of every group and row, to be multiplied with rows x outer x size x stride.
Tensor norms_of_groups(const Tensor& grouped) {
  return torch::linalg_vector_norm(grouped, 2, {2}, true);
}

Tensor read_with_errors(const Tensor& x, const BlockLayer& layer, const BlockNoise& noise,
                        std::uint64_t stream) {
  const BlockLayout& layout = layer.layout;
  const std::vector<std::int64_t> groups{x.size(0), layout.groups() / layout.stride, layout.size,
                                         layout.stride};
  const Tensor exact = apply_blocks(x, layer.blocks, layout).mul_(noise.contrast);
  if (noise.deviation == 0) return exact;
  auto generator = at::detail::createCPUGenerator(stream);
  const Tensor errors = torch::randn(groups, generator, x.options());
  errors.mul_(norms_of_groups(x.reshape(groups))).mul_(noise.deviation);
  return exact.add_(errors.view(exact.sizes()));
}

}  // namespace

Tensor apply_noisy_circuit(const BlockCircuit& circuit, Tensor x, const BlockNoise& noise,
                           std::uint64_t call) {
  const torch::NoGradGuard no_gradients;
  RandomStream streams({noise.seed, call});
  for (const BlockLayer& layer : circuit)
    x = read_with_errors(x, layer, noise, streams.below(std::uint64_t{1} << 62));
  return x;
}

}  // namespace rankine::weights
