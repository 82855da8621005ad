#include "weights/forms/stored_weight.hpp"

#include "weights/storage/rounding.hpp"

namespace rankine::weights {

namespace {

files::DataType stored_type(const Parameter& tensor, files::DataType of_exact_numbers) {
  switch (tensor.values.scalar_type()) {
    case torch::kUInt8:
      return files::DataType::uint8;
    case torch::kInt32:
      return files::DataType::int32;
    case torch::kBFloat16:
      return files::DataType::bfloat16;
    case torch::kFloat16:
      return files::DataType::float16;
    default:
      return of_exact_numbers;
  }
}

}  // namespace

std::vector<Parameter> StoredWeight::stored_tensors() const {
  std::vector<Parameter> all = storage_ == Storage::exact ? parameters() : rounded_;
  for (Parameter& index : indices()) all.push_back(std::move(index));
  return all;
}

std::int64_t StoredWeight::stored_numbers() const {
  std::int64_t numbers = 0;
  for (const Parameter& parameter : parameters()) numbers += whole_numel(parameter);
  return numbers;
}

std::int64_t StoredWeight::stored_bytes() const {
  std::int64_t bytes = 0;
  for (const Parameter& tensor : stored_tensors()) bytes += whole_bytes(tensor);
  return bytes;
}

void StoredWeight::round_to(Storage storage) {
  const torch::NoGradGuard no_gradients;
  std::vector<Parameter> rounded;
  for (const Parameter& parameter : parameters())
    for (Parameter& part : round_in_place(parameter, storage)) rounded.push_back(std::move(part));
  set_rounded(storage, std::move(rounded));
}

void StoredWeight::set_rounded(Storage storage, std::vector<Parameter> rounded) {
  storage_ = storage;
  rounded_ = std::move(rounded);
}

std::vector<files::TensorPlan> StoredWeight::plan(const std::string& name,
                                                  files::DataType type) const {
  std::vector<files::TensorPlan> tensors;
  for (const Parameter& tensor : stored_tensors())
    tensors.push_back({name + "." + tensor.name, stored_type(tensor, type), whole_shape(tensor)});
  return tensors;
}

void StoredWeight::write(files::SafetensorsWriter& writer, const std::string& name) const {
  for (const Parameter& tensor : stored_tensors())
    write_parameter(writer, name + "." + tensor.name, tensor, team_->rank());
}

}  // namespace rankine::weights
