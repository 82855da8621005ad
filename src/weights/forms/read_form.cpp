#include "weights/forms/read_form.hpp"

#include "parallel/agreement.hpp"
#include "weights/forms/stored_tensors.hpp"

namespace rankine::weights {

namespace {

/// Where the numbers are stored in few bits, as the tensor `part` tells, so are those of the
/// weight.
void set_storage(Weight& weight, const StoredTensors& tensors, const std::string& part) {
  if (tensors.in_four_bits(part)) {
    std::vector<Parameter> stored;
    for (const Parameter& parameter : weight.parameters())
      for (Parameter& piece : tensors.four_bit_parts(parameter)) stored.push_back(std::move(piece));
    return weight.set_rounded(Storage::four_bits, std::move(stored));
  }
  const auto type = tensors.type(part);
  if (type == files::DataType::bfloat16) weight.round_to(Storage::bfloat16);
  if (type == files::DataType::float16) weight.round_to(Storage::float16);
}

/// The weight without adapters, and its tensors.
struct Matrix {
  std::unique_ptr<Weight> weight;
  std::vector<files::TensorPlan> plan;
};

Matrix read_matrix(const parallel::Communicator& team, const DenseSource& source,
                   const StoredTensors& tensors) {
  for (const FormFacts& form : all_forms())
    for (const FormLayout& layout : form.layouts) {
      const std::string part(layout.tensor);
      if (!tensors.has(part)) continue;
      const auto type = tensors.type(part);
      tensors.require(part, !type || files::is_floating_point(*type), "its type");
      auto weight = layout.read(team, source, tensors);
      if (!source.is_exact) set_storage(*weight, tensors, part);
      auto plan = weight->plan(source.name, type.value_or(files::DataType::float32));
      return {std::move(weight), std::move(plan)};
    }
  // Says which tensor there should be.
  return {Dense::read(team, source), {}};
}

/// The tensors of an adapter, whose numbers may have either type that is computed with.
void add_to_plan(std::vector<files::TensorPlan>& plan, const Weight& adapted,
                 const DenseSource& source, const StoredTensors& tensors) {
  for (const Parameter& numbers : adapted.parameters()) {
    const auto type = tensors.type(numbers.name);
    tensors.require(numbers.name,
                    type == files::DataType::float32 || type == files::DataType::float64,
                    "its type");
    plan.push_back({source.name + "." + numbers.name, *type, whole_shape(numbers)});
  }
  for (const Parameter& index : adapted.indices())
    plan.push_back({source.name + "." + index.name, files::DataType::int32, whole_shape(index)});
}

std::unique_ptr<Weight> read_adapted(const parallel::Communicator& team, const DenseSource& source,
                                     const StoredTensors& tensors) {
  auto [weight, plan] = read_matrix(team, source, tensors);
  for (const FormFacts& form : all_forms())
    for (const AdapterLayout& layout : form.adapters)
      if (!weight->base() && tensors.has(std::string(layout.tensor))) {
        weight = layout.read(std::move(weight), source, tensors);
        add_to_plan(plan, *weight, source, tensors);
      }
  tensors.require_just(plan);
  return std::move(weight);
}

}  // namespace

std::unique_ptr<Weight> read_form(const parallel::Communicator& team, const DenseSource& source) {
  return parallel::agree_on_failure(team, [&] {
    return read_adapted(team, source, {source, team.rank()});
  });
}

}  // namespace rankine::weights
