#include "weights/forms/rotated.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr const char* inputs_side = "rotation.inputs.";
constexpr const char* outputs_side = "rotation.outputs.";

void add_numbers(std::vector<Parameter>& all, const std::string& side, const Rotation& rotation) {
  for (std::size_t l = 0; l < rotation.layers().size(); ++l) {
    const Tensor& numbers = rotation.layers()[l].generators;
    all.push_back({side + std::to_string(l), numbers, Placement::copy, 0, numbers.size(0)});
  }
}

void add_strides(std::vector<Parameter>& all, const std::string& side, const Rotation& rotation) {
  if (rotation.is_identity()) return;
  std::vector<std::int64_t> strides;
  for (const RotationLayer& layer : rotation.layers()) strides.push_back(layer.layout.stride);
  const Tensor values = torch::tensor(strides, torch::kInt64).to(torch::kInt32);
  all.push_back({side + "strides", values, Placement::copy, 0, values.size(0)});
}

std::int64_t largest_block(const Rotation& rotation) {
  std::int64_t largest = 0;
  for (const RotationLayer& layer : rotation.layers())
    largest = std::max(largest, layer.layout.size);
  return largest;
}

}  // namespace

Rotated::Rotated(std::shared_ptr<Weight> under, Rotation of_inputs, Rotation of_outputs)
    : Weight(under->team(), under->split()),
      base_(std::move(under)),
      inputs_(std::move(of_inputs)),
      outputs_(std::move(of_outputs)) {
  RANKINE_EXPECTS(!inputs_.is_identity() || !outputs_.is_identity(), "a side has blocks");
}

std::int64_t Rotated::kept_rank() const {
  return std::max(largest_block(inputs_), largest_block(outputs_));
}

void Rotated::set_noise(std::optional<BlockNoise> noise) {
  noise_ = noise;
  noisy_calls_ = 0;
}

BlockCircuit Rotated::shared_circuit(const Rotation& rotation) const {
  BlockCircuit circuit = rotation.circuit();
  for (BlockLayer& layer : circuit) layer.blocks = share_input(team(), layer.blocks);
  return circuit;
}

Tensor Rotated::through(const Rotation& rotation, const Tensor& x) const {
  if (!noise_) return apply_circuit(shared_circuit(rotation), x);
  RANKINE_EXPECTS(!torch::GradMode::is_enabled(), "noisy blocks have no gradients");
  return apply_noisy_circuit(rotation.circuit(), x, *noise_, noisy_calls_++);
}

Tensor Rotated::forward(const Tensor& x) const {
  const Tensor own = base_->forward(inputs_.is_identity() ? x : through(inputs_, x));
  if (outputs_.is_identity()) return own;
  const Tensor whole = gather_columns(team(), own, split(), Gradient::shares);
  return through(outputs_, whole).narrow(1, own_first(), own_count());
}

Tensor Rotated::look_up(const Tensor& ids) const {
  if (!outputs_.is_identity()) return Weight::look_up(ids);
  return apply_transposed_circuit(shared_circuit(inputs_), base_->look_up(ids));
}

Tensor Rotated::own_rows() const {
  const Tensor rows =
      apply_transposed_circuit(shared_circuit(inputs_), base_->own_rows());  // of W R_in
  if (outputs_.is_identity()) return rows;
  // The circuit mixes rows of all ranks, of which no rank has memory for more than a few columns.
  constexpr std::int64_t piece = 256;
  const BlockCircuit circuit = shared_circuit(outputs_);
  std::vector<Tensor> pieces;
  for (std::int64_t first = 0; first < inputs(); first += piece) {
    const Tensor columns = rows.narrow(1, first, std::min(piece, inputs() - first));
    const Tensor whole = gather_columns(team(), columns.t(), split(), Gradient::shares);
    pieces.push_back(apply_circuit(circuit, whole).narrow(1, own_first(), own_count()).t());
  }
  return torch::cat(pieces, 1);
}

std::vector<Parameter> Rotated::parameters() const {
  std::vector<Parameter> all;
  add_numbers(all, inputs_side, inputs_);
  add_numbers(all, outputs_side, outputs_);
  return all;
}

std::vector<Parameter> Rotated::indices() const {
  std::vector<Parameter> all;
  add_strides(all, inputs_side, inputs_);
  add_strides(all, outputs_side, outputs_);
  return all;
}

namespace {

RotationLayer read_layer(const StoredTensors& tensors, const std::string& part, std::int64_t width,
                         std::int64_t stride) {
  const auto shape = tensors.shape(part);
  tensors.require(part, shape.size() == 2 && shape[0] > 0 && width % shape[0] == 0, "its shape");
  RotationLayer layer{.layout = {width, width / shape[0], stride}, .generators = {}};
  const std::int64_t size = layer.layout.size;
  if (shape[1] == numbers_of_block(BlockGenerator::free, size))
    layer.generator = BlockGenerator::free;
  else
    tensors.require(part, shape[1] > 0 && shape[1] == numbers_of_block(layer.generator, size),
                    "its shape");
  tensors.require(part, stride > 0 && stride <= width && width % (size * stride) == 0,
                  "blocks of another stride");
  layer.generators = tensors.all(part);
  return layer;
}

Rotation read_rotation(const StoredTensors& tensors, const std::string& side, std::int64_t width) {
  const std::string strides_of = side + "strides";
  if (!tensors.has(strides_of)) return {};
  const std::int64_t count = tensors.length(strides_of);
  tensors.require(strides_of, count > 0, "there are no layers");
  const Tensor strides = tensors.integers(strides_of, 0, count);
  std::vector<RotationLayer> layers;
  for (std::int64_t l = 0; l < count; ++l)
    layers.push_back(
        read_layer(tensors, side + std::to_string(l), width, strides[l].item<std::int64_t>()));
  return Rotation(std::move(layers));
}

}  // namespace

std::unique_ptr<Weight> read_rotated(std::shared_ptr<Weight> base, const DenseSource&,
                                     const StoredTensors& tensors) {
  Rotation inputs = read_rotation(tensors, inputs_side, base->inputs());
  Rotation outputs = read_rotation(tensors, outputs_side, base->outputs());
  return std::make_unique<Rotated>(std::move(base), std::move(inputs), std::move(outputs));
}

}  // namespace rankine::weights
