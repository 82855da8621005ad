#include "weights/forms/quantized.hpp"

#include <fmt/format.h>

#include <array>

#include "core/errors.hpp"
#include "weights/storage/four_bits.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

struct StorageFacts {
  Storage storage;
  std::string_view name;
  torch::ScalarType type;
};
constexpr std::array<StorageFacts, 3> all_storages = {{
    {Storage::bfloat16, "bfloat16", torch::kBFloat16},
    {Storage::float16, "float16", torch::kFloat16},
    {Storage::four_bits, "4-bit", torch::kUInt8},
}};

const StorageFacts& facts_of(Storage storage) {
  return all_storages[static_cast<std::size_t>(storage)];
}

files::DataType file_type(torch::ScalarType type) {
  switch (type) {
    case torch::kBFloat16:
      return files::DataType::bfloat16;
    case torch::kFloat16:
      return files::DataType::float16;
    case torch::kUInt8:
      return files::DataType::uint8;
    default:
      return files::DataType::int32;
  }
}

/// A tensor as the matrix whose rows hold the blocks: own rows stay rows.
Tensor as_matrix(const Parameter& parameter) {
  const Tensor& values = parameter.values;
  if (values.dim() == 2) return values;
  return values.dim() == 1 ? values.view({1, -1}) : values.view({values.size(0), -1});
}

/// Rounds the parameter in place and returns what is stored of it.
std::vector<Parameter> round_to_four_bits(const Parameter& parameter) {
  const Tensor matrix = as_matrix(parameter);
  const FourBitBlocks blocks = four_bit_blocks(matrix);
  Tensor values = parameter.values;
  values.copy_(values_of(blocks, matrix.size(1), matrix.scalar_type()).view(values.sizes()));
  const std::int64_t rows =
      parameter.placement == Placement::rows ? parameter.total_rows : matrix.size(0);
  const auto shape = whole_shape(parameter);
  const Tensor lengths = torch::tensor(shape, torch::kInt64).to(torch::kInt32);
  const auto part = [&](const char* name, const Tensor& stored) {
    return Parameter{parameter.name + "." + name, stored, parameter.placement, parameter.first_row,
                     rows};
  };
  return {part("codes", blocks.codes),
          part("minima", blocks.minima),
          part("steps", blocks.steps),
          {parameter.name + ".shape", lengths, Placement::copy, 0, lengths.size(0)}};
}

std::vector<Parameter> round_to_short_floats(const Parameter& parameter, torch::ScalarType type) {
  Parameter stored = parameter;
  stored.values = parameter.values.detach().to(type);
  Tensor values = parameter.values;
  values.copy_(stored.values);
  return {stored};
}

}  // namespace

std::string_view name(Storage storage) { return facts_of(storage).name; }

Storage storage_named(std::string_view name) {
  for (const StorageFacts& facts : all_storages)
    if (facts.name == name) return facts.storage;
  throw InputError(fmt::format(
      "Unknown storage '{}' (there are bfloat16, float16 and 4-bit). Choose one of them.", name));
}

Quantized::Quantized(const parallel::Communicator& team, std::shared_ptr<Weight> inner,
                     Storage storage)
    : rank_(team.rank()), inner_(std::move(inner)), storage_(storage) {
  round();
}

Quantized::Quantized(const parallel::Communicator& team, std::shared_ptr<Weight> inner,
                     Storage storage, std::vector<Parameter> stored)
    : rank_(team.rank()), inner_(std::move(inner)), storage_(storage), stored_(std::move(stored)) {
  for (Parameter& index : inner_->indices()) stored_.push_back(std::move(index));
}

void Quantized::round() {
  const torch::NoGradGuard no_gradients;
  stored_.clear();
  for (const Parameter& parameter : inner_->parameters())
    for (Parameter& part : storage_ == Storage::four_bits
                               ? round_to_four_bits(parameter)
                               : round_to_short_floats(parameter, facts_of(storage_).type))
      stored_.push_back(std::move(part));
  for (Parameter& index : inner_->indices()) stored_.push_back(std::move(index));
}

std::int64_t Quantized::stored_bytes() const {
  std::int64_t bytes = 0;
  for (const Parameter& part : stored_)
    bytes += whole_numel(part) * static_cast<std::int64_t>(part.values.element_size());
  return bytes;
}

std::vector<files::TensorPlan> Quantized::plan(const std::string& name, files::DataType) const {
  std::vector<files::TensorPlan> tensors;
  for (const Parameter& part : stored_)
    tensors.push_back(
        {name + "." + part.name, file_type(part.values.scalar_type()), whole_shape(part)});
  return tensors;
}

void Quantized::write(files::SafetensorsWriter& writer, const std::string& name) const {
  for (const Parameter& part : stored_)
    write_parameter(writer, name + "." + part.name, part, rank_);
}

std::unique_ptr<Weight> make_quantized(const parallel::Communicator& team,
                                       std::shared_ptr<Weight> form, Storage storage) {
  return std::make_unique<Quantized>(team, std::move(form), storage);
}

}  // namespace rankine::weights
