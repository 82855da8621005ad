#include "compress/stages/kept_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "compress/job/stages.hpp"
#include "compress/stages/simple_forms.hpp"
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

/// A weight that stays dense changes where it makes up for what others have lost.
bool differs_from_original(const Workbench& bench, const WeightReport& weight) {
  return weight.form != Form::dense || weight.rank < weight.shape.full_rank() ||
         bench.options.fit.is_sequential();
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

bool are_of(const Workbench& bench, std::span<const NamedShape> selected,
            const std::vector<WeightReport>& reports) {
  const auto has_form = [&](const WeightReport& report) {
    const bool is_zero = report.form == Form::low_rank && report.rank == 0;
    return is_zero || report.form == Form::dense || report.form == bench.options.method.form;
  };
  return std::ranges::equal(reports, selected, is_of) && std::ranges::all_of(reports, has_form);
}

/// Before healing a weight has the form that is trained.
bool fits(const weights::Weight& weight, const WeightReport& report) {
  return weight.form() == weights::facts_of(report.form).trained_as &&
         weight.storage() == weights::Storage::exact &&
         (report.form == Form::dense || weight.kept_rank() <= report.rank);
}

/// Collective over the world. Throws InputError on all ranks.
std::vector<NewForm> read_forms(const Workbench& bench, const std::filesystem::path& folder,
                                const std::vector<WeightReport>& reports) {
  const files::SafetensorsReader reader(bench.world, folder);
  const bool is_double = bench.options.scoring.model.precision == models::Precision::float64;
  const auto type = is_double ? torch::kFloat64 : torch::kFloat32;
  return parallel::agree_on_failure(bench.world, [&] {
    std::vector<NewForm> all;
    for (const WeightReport& report : reports) {
      all.push_back({weight_of(bench.model, report.name), report});
      if (!differs_from_original(bench, report)) continue;
      const auto original = all.back().weight;
      all.back().weight = weights::read_form(bench.teams.team(), {.file = reader,
                                                                  .name = report.name,
                                                                  .inputs = original->inputs(),
                                                                  .split = original->split(),
                                                                  .type = type});
      if (!fits(*all.back().weight, report))
        throw InputError(fmt::format(
            "the weight {} is stored in another form than is noted (as {} of rank {}). Remove it.",
            report.name, name(all.back().weight->form()), all.back().weight->kept_rank()));
    }
    return all;
  });
}

}  // namespace

std::optional<std::vector<NewForm>> restore_forms(const Workbench& bench, const run::Stage& stage,
                                                  std::span<const NamedShape> selected) {
  using Reports = std::vector<WeightReport>;
  return bench.stages.restore<Reports>(stage, [&](const Reports& reports) {
    if (!are_of(bench, selected, reports))
      throw InputError("its weights are not the selected ones");
    return bench.stages.read_tensors(stage, [&](const std::filesystem::path& folder) {
      return read_forms(bench, folder, reports);
    });
  });
}

void keep_forms(const Workbench& bench, const run::Stage& stage,
                const std::vector<WeightReport>& reports) {
  if (!bench.stages.is_wanted()) return;
  std::vector<weights::Parameter> tensors;
  for (const WeightReport& report : reports)
    if (differs_from_original(bench, report))
      for (auto& tensor : stored_tensors(*weight_of(bench.model, report.name), report.name))
        tensors.push_back(std::move(tensor));
  weights::write_tensors(bench.world, bench.teams, bench.stages.folder(stage), tensors);
  bench.stages.complete(stage, reports, run::Holds::tensors);
}

bool restore_weights(Workbench& bench) {
  auto known = restore_forms(bench, weights_stage(bench.job), bench.job.selected);
  if (!known) return false;
  put_into_model(bench, std::move(*known));
  log().info("compressed weights taken from run.directory");
  return true;
}

void keep_weights(const Workbench& bench) {
  keep_forms(bench, weights_stage(bench.job), bench.result.weights);
  if (!bench.stages.is_wanted() || !bench.options.fit.is_sequential()) return;
  for (const models::Stage& stage : bench.model.stages())
    bench.stages.remove(fit_stage(bench.job, stage.module));
}

}  // namespace rankine::compress
