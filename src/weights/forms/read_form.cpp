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

}  // namespace

std::unique_ptr<Weight> read_form(const parallel::Communicator& team, const DenseSource& source) {
  return parallel::agree_on_failure(team, [&]() -> std::unique_ptr<Weight> {
    const StoredTensors tensors(source, team.rank());
    for (const FormFacts& form : all_forms())
      for (const FormLayout& layout : form.layouts) {
        const std::string part(layout.tensor);
        if (!tensors.has(part)) continue;
        const auto type = tensors.type(part);
        tensors.require(part, !type || files::is_floating_point(*type), "its type");
        auto weight = layout.read(team, source, tensors);
        set_storage(*weight, tensors, part);
        tensors.require_just(weight->plan(source.name, type.value_or(files::DataType::float32)));
        return weight;
      }
    // Says which tensor there should be.
    return Dense::read(team, source);
  });
}

}  // namespace rankine::weights
