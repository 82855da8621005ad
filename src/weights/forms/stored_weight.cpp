#include "weights/forms/stored_weight.hpp"

#include "weights/forms/weight.hpp"
#include "weights/storage/rounding.hpp"

namespace rankine::weights {

namespace {

files::DataType stored_type(const Parameter& tensor, files::DataType of_exact_numbers) {
  switch (tensor.values.scalar_type()) {
    case torch::kUInt8:
      return files::DataType::uint8;
    case torch::kInt16:
      return files::DataType::int16;
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

files::DataType computed_type(const Parameter& tensor) {
  return tensor.values.scalar_type() == torch::kFloat64 ? files::DataType::float64
                                                        : files::DataType::float32;
}

}  // namespace

Storage StoredWeight::storage() const {
  const auto under = base();
  return under ? under->storage() : storage_;
}

std::vector<Parameter> StoredWeight::stored_tensors() const {
  std::vector<Parameter> all = storage_ == Storage::exact ? parameters() : rounded_;
  for (Parameter& index : indices()) all.push_back(std::move(index));
  return all;
}

std::int64_t StoredWeight::stored_numbers() const {
  const auto under = base();
  std::int64_t numbers = under ? under->stored_numbers() : 0;
  for (const Parameter& parameter : parameters()) numbers += whole_numel(parameter);
  return numbers;
}

std::int64_t StoredWeight::stored_bytes() const {
  const auto under = base();
  std::int64_t bytes = under ? under->stored_bytes() : 0;
  for (const Parameter& tensor : stored_tensors()) bytes += whole_bytes(tensor);
  return bytes;
}

void StoredWeight::round_to(Storage storage) {
  if (const auto under = base()) return under->round_to(storage);
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
  const auto under = base();
  std::vector<files::TensorPlan> tensors;
  if (under) tensors = under->plan(name, type);
  for (const Parameter& tensor : stored_tensors())
    tensors.push_back({name + "." + tensor.name,
                       stored_type(tensor, under ? computed_type(tensor) : type),
                       whole_shape(tensor)});
  return tensors;
}

void StoredWeight::write(files::SafetensorsWriter& writer, const std::string& name) const {
  if (const auto under = base()) under->write(writer, name);
  for (const Parameter& tensor : stored_tensors())
    write_parameter(writer, name + "." + tensor.name, tensor, team_->rank());
}

}  // namespace rankine::weights
