#include "compress/kept_tensors.hpp"

#include <fmt/format.h>

#include <span>

#include "core/errors.hpp"
#include "files/safetensors.hpp"
#include "parallel/agreement.hpp"
#include "weights/element_type.hpp"
#include "weights/form.hpp"

namespace rankine::compress {

using weights::Parameter;

namespace {

files::DataType file_type(const torch::Tensor& values) {
  switch (values.scalar_type()) {
    case torch::kFloat64:
      return files::DataType::float64;
    case torch::kUInt8:
      return files::DataType::uint8;
    case torch::kInt32:
      return files::DataType::int32;
    default:
      return files::DataType::float32;
  }
}

}  // namespace

void write_tensors(const parallel::Communicator& world, const parallel::Teams& teams,
                   const std::filesystem::path& folder, const std::vector<Parameter>& tensors) {
  std::vector<files::TensorPlan> plan;
  for (const Parameter& tensor : tensors)
    plan.push_back({tensor.name, file_type(tensor.values), weights::whole_shape(tensor)});
  files::SafetensorsWriter writer(world, folder, std::move(plan));
  parallel::agree_on_failure(world, [&] {
    if (teams.index() != 0) return;
    for (const Parameter& tensor : tensors)
      weights::write_parameter(writer, tensor.name, tensor, teams.team().rank());
  });
  writer.complete();
}

void read_tensors(const parallel::Communicator& world, const std::filesystem::path& folder,
                  const std::vector<Parameter>& tensors) {
  const files::SafetensorsReader reader(world, folder);
  parallel::agree_on_failure(world, [&] {
    const torch::NoGradGuard no_gradients;
    for (const Parameter& tensor : tensors) {
      const files::TensorEntry& entry = reader.at(tensor.name);
      if (entry.shape != weights::whole_shape(tensor))
        throw InputError(fmt::format(
            "the tensor {} in the checkpoint has another shape (it belongs to another run). Remove "
            "the folder {}.",
            tensor.name, folder.filename().string()));
      torch::Tensor values = torch::empty_like(tensor.values, at::MemoryFormat::Contiguous);
      weights::with_element_type(values, [&]<class T>(T) {
        reader.read_rows(entry, tensor.first_row, values.size(0),
                         std::span(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())));
      });
      torch::Tensor(tensor.values).copy_(values);
    }
  });
}

}  // namespace rankine::compress
