#include "models/export/export_plan.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace rankine::models {

using files::DataType;
using files::TensorPlan;
using torch::Tensor;

namespace {

std::map<std::string, const weights::Weight*> weights_by_name(const LanguageModel& model) {
  std::map<std::string, const weights::Weight*> all;
  for (const auto& slots : {model.slots(), model.outer_slots()})
    for (const Slot* slot : slots) all[slot->name()] = slot->weight().get();
  return all;
}

/// Whether `tensor` belongs to one of the weights: "NAME.left.codes" to "NAME".
bool belongs_to(const std::set<std::string>& weights, const std::string& tensor) {
  for (auto end = tensor.rfind('.'); end != std::string::npos && end > 0;
       end = tensor.rfind('.', end - 1))
    if (weights.contains(tensor.substr(0, end))) return tensor.substr(end) != ".bias";
  return false;
}

/// The type of the original where it holds a dense weight's numbers exactly, else the type they are
/// computed in; of an adapter that of its base. Collective over the team.
DataType stored_type(const weights::Weight& weight, DataType original,
                     const parallel::Communicator& team) {
  if (const auto base = weight.base()) return stored_type(*base, original, team);
  const Tensor values = weight.parameters()[0].values.detach();
  const DataType computed =
      values.scalar_type() == torch::kFloat64 ? DataType::float64 : DataType::float32;
  if (weight.form() != weights::Form::dense || weight.storage() != weights::Storage::exact)
    return computed;
  const std::map<DataType, torch::ScalarType> types{{DataType::bfloat16, torch::kBFloat16},
                                                    {DataType::float16, torch::kFloat16},
                                                    {DataType::float32, torch::kFloat32},
                                                    {DataType::float64, torch::kFloat64}};
  const auto type = types.find(original);
  const bool is_exact =
      type != types.end() && torch::equal(values.to(type->second).to(values.scalar_type()), values);
  return team.min(is_exact ? 1 : 0) == 1 ? original : computed;
}

bool keeps_form(const weights::Weight& weight, const LayerWeight& place, ExportFormat format) {
  return format == ExportFormat::native ||
         (format == ExportFormat::factorised && has_modelling_class(weight.form()) &&
          place.is_linear_module());
}

}  // namespace

std::int64_t TensorGroup::outputs() const {
  std::int64_t sum = 0;
  for (const LayerWeight& place : places) sum += place.outputs;
  return sum;
}

TensorPlan TensorGroup::dense_plan() const {
  if (is_narrow) return {places[0].tensor(), dense_type, whole_shape(weights[0]->parameters()[0])};
  const std::int64_t inputs = places[0].inputs;
  if (places[0].stored == LayerWeight::Stored::rows)
    return {places[0].tensor(), dense_type, {outputs(), inputs}};
  return {places[0].tensor(), dense_type, {inputs, outputs()}};
}

std::vector<TensorPlan> CheckpointPlan::tensors() const {
  std::vector<TensorPlan> all;
  for (const files::TensorEntry& entry : copied)
    all.push_back({entry.name, entry.type, entry.shape});
  for (const TensorGroup& group : groups) {
    if (!group.keeps_forms) all.push_back(group.dense_plan());
    for (std::size_t w = 0; w < group.stored_types.size(); ++w)
      for (TensorPlan& tensor : group.weights[w]->plan(group.places[w].name, group.stored_types[w]))
        all.push_back(std::move(tensor));
  }
  std::ranges::sort(all, {}, &TensorPlan::name);
  return all;
}

namespace {

bool is_of_mlp(const LayerWeight& place) {
  return place.part == Part::gate || place.part == Part::up || place.part == Part::down;
}

/// The number of hidden units left in every MLP, where all matrices of all MLPs are narrowed to it
/// and each has a tensor of its own, outputs x inputs, without bias; else nothing.
std::optional<std::int64_t> common_width(const std::vector<TensorGroup>& groups) {
  std::optional<std::int64_t> width;
  for (const TensorGroup& group : groups) {
    if (!is_of_mlp(group.places[0])) continue;
    const weights::Weight& weight = *group.weights[0];
    if (weight.form() != weights::Form::narrowed || group.keeps_forms ||
        !group.places[0].is_linear_module() || group.places[0].has_bias)
      return std::nullopt;
    if (width.value_or(weight.kept_rank()) != weight.kept_rank()) return std::nullopt;
    width = weight.kept_rank();
  }
  return width;
}

std::vector<LayerWeight> all_places(const ModelConfig& config, const CheckpointNames& names) {
  std::vector<LayerWeight> places = layer_weights(config, names);
  for (LayerWeight& place : vocabulary_weights(config, names)) places.push_back(std::move(place));
  return places;
}

/// A weight that is dense in a factorised folder has the type of its tensor.
DataType dense_type_of(const Manifest& manifest, const LayerWeight& place,
                       const files::SafetensorsReader& reader) {
  const bool is_listed = manifest.weights.contains(place.name);
  return is_listed ? manifest.form_of(place.name).dense_type : reader.at(place.tensor()).type;
}

}  // namespace

CheckpointPlan plan_checkpoint(const LanguageModel& model, const files::SafetensorsReader& reader,
                               const std::optional<Manifest>& manifest, ExportFormat format) {
  const auto weights = weights_by_name(model);
  const auto names = find_names(model.config(), reader.entries());
  CheckpointPlan plan;
  std::set<std::string> owners{names.head};  // of a tied model too, which does without
  for (const LayerWeight& place : all_places(model.config(), names)) {
    const weights::Weight& weight = *weights.at(place.name);
    owners.insert(place.name);
    owners.insert(place.module);
    if (plan.groups.empty() || plan.groups.back().places[0].module != place.module)
      plan.groups.push_back({.places = {},
                             .weights = {},
                             .dense_type = manifest ? dense_type_of(*manifest, place, reader)
                                                    : reader.at(place.tensor()).type,
                             .keeps_forms = keeps_form(weight, place, format)});
    TensorGroup& group = plan.groups.back();
    group.places.push_back(place);
    group.weights.push_back(&weight);
    if (group.keeps_forms)
      group.stored_types.push_back(stored_type(weight, group.dense_type, model.team()));
  }
  plan.hidden = common_width(plan.groups);
  for (TensorGroup& group : plan.groups)
    group.is_narrow = plan.hidden && is_of_mlp(group.places[0]);
  std::ranges::copy_if(reader.entries(), std::back_inserter(plan.copied),
                       [&](const files::TensorEntry& entry) {
                         return !belongs_to(owners, entry.name) && !follows_from_config(entry.name);
                       });
  return plan;
}

std::map<std::string, StoredForm> stored_forms(const CheckpointPlan& plan) {
  std::map<std::string, StoredForm> forms;
  for (const TensorGroup& group : plan.groups)
    for (std::size_t w = 0; w < group.weights.size(); ++w)
      forms[group.places[w].name] = {.form = group.weights[w]->form(),
                                     .rank = group.weights[w]->kept_rank(),
                                     .storage = group.weights[w]->storage(),
                                     .dense_type = group.dense_type};
  return forms;
}

}  // namespace rankine::models
