#include "weights/storage/tensor_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>
#include <string>

#include "core/errors.hpp"
#include "core/profile.hpp"
#include "files/safetensors/safetensors.hpp"
#include "parallel/agreement.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::weights {

namespace {

files::DataType file_type(const torch::Tensor& values) {
  switch (values.scalar_type()) {
    case torch::kFloat64:
      return files::DataType::float64;
    case torch::kUInt8:
      return files::DataType::uint8;
    case torch::kInt16:
      return files::DataType::int16;
    case torch::kInt32:
      return files::DataType::int32;
    default:
      return files::DataType::float32;
  }
}

std::vector<files::TensorPlan> plan_of(const std::vector<Parameter>& tensors) {
  std::vector<files::TensorPlan> plan;
  for (const Parameter& tensor : tensors)
    plan.push_back({tensor.name, file_type(tensor.values), whole_shape(tensor)});
  return plan;
}

/// "F32 [3, 4]"
std::string kind_of(files::DataType type, const std::vector<std::int64_t>& shape) {
  return fmt::format("{} [{}]", files::name_of(type), fmt::join(shape, ", "));
}

}  // namespace

void write_tensors(const parallel::Communicator& world, const parallel::Teams& teams,
                   const std::filesystem::path& folder, const std::vector<Parameter>& tensors) {
  const ProfileStage stage("checkpoint", Flops::counted);
  files::SafetensorsWriter writer(world, folder, plan_of(tensors));
  parallel::agree_on_failure(world, [&] {
    if (teams.index() != 0) return;
    for (const Parameter& tensor : tensors)
      write_parameter(writer, tensor.name, tensor, teams.team().rank());
  });
  writer.complete();
}

void require_tensors(const files::SafetensorsReader& file,
                     const std::vector<files::TensorPlan>& plan) {
  for (const files::TensorPlan& tensor : plan) {
    const files::TensorEntry& entry = file.at(tensor.name);
    if (entry.type != tensor.type || entry.shape != tensor.shape)
      throw InputError(fmt::format("the tensor {} does not fit (it is {}, and not {}). Remove it.",
                                   tensor.name, kind_of(entry.type, entry.shape),
                                   kind_of(tensor.type, tensor.shape)));
  }
  if (file.entries().size() != plan.size())
    throw InputError(fmt::format("there are {} tensors (and not {}). Remove the others.",
                                 file.entries().size(), plan.size()));
}

void read_tensors(const parallel::Communicator& world, const std::filesystem::path& folder,
                  const std::vector<Parameter>& tensors) {
  const ProfileStage stage("checkpoint", Flops::counted);
  const files::SafetensorsReader reader(world, folder);
  const torch::NoGradGuard no_gradients;
  const auto found = parallel::agree_on_failure(world, [&] {
    require_tensors(reader, plan_of(tensors));
    std::vector<torch::Tensor> all;
    for (const Parameter& tensor : tensors) {
      const torch::Tensor& values =
          all.emplace_back(torch::empty_like(tensor.values, at::MemoryFormat::Contiguous));
      with_element_type(values, [&]<class T>(T) {
        reader.read_rows(reader.at(tensor.name), tensor.first_row, values.size(0),
                         std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())));
      });
    }
    return all;
  });
  for (std::size_t t = 0; t < tensors.size(); ++t) torch::Tensor(tensors[t].values).copy_(found[t]);
}

}  // namespace rankine::weights
