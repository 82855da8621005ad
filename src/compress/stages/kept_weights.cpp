#include "compress/stages/kept_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "files/safetensors/safetensors.hpp"
#include "parallel/agreement.hpp"
#include "weights/forms/read_form.hpp"
#include "weights/storage/tensor_folder.hpp"

namespace rankine::weights {

inline void to_json(nlohmann::json& json, Form form) { json = name(form); }

inline void from_json(const nlohmann::json& json, Form& form) {
  const auto known = value_named(all_forms(), json.get<std::string>());
  if (!known) throw InputError(fmt::format("there is no form {} of weights", json.dump()));
  form = *known;
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MatrixShape, rows, columns)

}  // namespace rankine::weights

namespace rankine::compress {

using weights::Form;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GateReport, numbers, overlap_alone, overlaps, entropies)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WeightReport, name, shape, form, rank, numbers, bytes,
                                   weighted_error, spectrum, gates)

namespace {

bool differs_from_original(const WeightReport& weight) {
  return weight.form != Form::dense || weight.rank < weight.shape.full_rank();
}

/// The stored tensors of a weight under names that tell weights apart.
std::vector<weights::Parameter> stored_tensors(const weights::Weight& weight,
                                               const std::string& name) {
  std::vector<weights::Parameter> all = weight.parameters();
  for (weights::Parameter& index : weight.indices()) all.push_back(std::move(index));
  for (weights::Parameter& tensor : all) tensor.name = name + "." + tensor.name;
  return all;
}

bool is_of(const WeightReport& report, const NamedShape& selected) {
  const std::int64_t full = selected.shape.full_rank();
  const bool is_rank = weights::facts_of(report.form).sized_by == weights::SizedBy::components;
  return report.name == selected.name && report.shape.rows == selected.shape.rows &&
         report.shape.columns == selected.shape.columns && report.rank >= 0 &&
         (!is_rank || report.rank <= full) && report.numbers >= 0 && report.bytes >= 0 &&
         std::ssize(report.spectrum) <= full;
}

bool are_of(const Workbench& bench, const std::vector<WeightReport>& reports) {
  const auto has_form = [&](const WeightReport& report) {
    const bool is_zero = report.form == Form::low_rank && report.rank == 0;
    return is_zero || report.form == Form::dense || report.form == bench.options.method.form;
  };
  return std::ranges::equal(reports, bench.job.selected, is_of) &&
         std::ranges::all_of(reports, has_form);
}

/// Before healing a weight has the form that is trained.
bool fits(const weights::Weight& weight, const WeightReport& report) {
  return weight.form() == weights::facts_of(report.form).trained_as &&
         weight.storage() == weights::Storage::exact &&
         (report.form == Form::dense || weight.kept_rank() <= report.rank);
}

using NamedWeight = std::pair<std::string, std::shared_ptr<weights::Weight>>;

/// Those that differ from the original. Collective over the world. Throws InputError on all ranks.
std::vector<NamedWeight> read_weights(const Workbench& bench, const std::filesystem::path& folder,
                                      const std::vector<WeightReport>& reports) {
  const files::SafetensorsReader reader(bench.world, folder);
  const bool is_double = bench.options.scoring.model.precision == models::Precision::float64;
  const auto type = is_double ? torch::kFloat64 : torch::kFloat32;
  return parallel::agree_on_failure(bench.world, [&] {
    std::vector<NamedWeight> all;
    for (const WeightReport& report : reports) {
      if (!differs_from_original(report)) continue;
      const auto original = weight_of(bench.model, report.name);
      all.emplace_back(report.name,
                       weights::read_form(bench.teams.team(), {.file = reader,
                                                               .name = report.name,
                                                               .inputs = original->inputs(),
                                                               .split = original->split(),
                                                               .type = type}));
      if (!fits(*all.back().second, report))
        throw InputError(fmt::format(
            "the weight {} is stored in another form than is noted (as {} of rank {}). Remove it.",
            report.name, name(all.back().second->form()), all.back().second->kept_rank()));
    }
    return all;
  });
}

}  // namespace

bool restore_weights(Workbench& bench) {
  const run::Stage stage = weights_stage(bench.job);
  using Reports = std::vector<WeightReport>;
  auto known = bench.stages.restore<Reports>(stage, [&](const Reports& reports) {
    if (!are_of(bench, reports)) throw InputError("its weights are not the selected ones");
    auto weights = bench.stages.read_tensors(stage, [&](const std::filesystem::path& folder) {
      return read_weights(bench, folder, reports);
    });
    return std::pair(reports, std::move(weights));
  });
  if (!known) return false;
  auto& [reports, weights] = *known;
  for (auto& [name, weight] : weights) bench.model.replace_weight(name, std::move(weight));
  bench.result.weights = std::move(reports);
  log().info("compressed weights taken from run.directory");
  return true;
}

void keep_weights(const Workbench& bench) {
  if (!bench.stages.is_wanted()) return;
  std::vector<weights::Parameter> tensors;
  for (const WeightReport& report : bench.result.weights)
    if (differs_from_original(report))
      for (auto& tensor : stored_tensors(*weight_of(bench.model, report.name), report.name))
        tensors.push_back(std::move(tensor));
  const run::Stage stage = weights_stage(bench.job);
  weights::write_tensors(bench.world, bench.teams, bench.stages.folder(stage), tensors);
  bench.stages.complete(stage, bench.result.weights, run::Holds::tensors);
}

}  // namespace rankine::compress
