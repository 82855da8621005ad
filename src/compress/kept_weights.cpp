#include "compress/kept_weights.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "compress/kept_tensors.hpp"
#include "compress/watched_weight.hpp"
#include "core/log.hpp"
#include "files/safetensors.hpp"
#include "weights/read_form.hpp"

namespace rankine::compress {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MatrixShape, rows, columns)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WeightReport, name, shape, form, rank, numbers, bytes,
                                   weighted_error, spectrum)

namespace {

Stage stage_of(const Workbench& bench) {
  return {"weights", fingerprint_of_weights(bench).value()};
}

bool differs_from_original(const WeightReport& weight) {
  return weight.form != "dense" || weight.rank < weight.shape.full_rank();
}

/// The stored tensors of a weight under their names in the checkpoint.
std::vector<weights::Parameter> stored_tensors(const weights::Weight& weight,
                                               const std::string& name) {
  std::vector<weights::Parameter> all = weight.parameters();
  for (weights::Parameter& index : weight.indices()) all.push_back(std::move(index));
  for (weights::Parameter& tensor : all) tensor.name = name + "." + tensor.name;
  return all;
}

}  // namespace

Fingerprint fingerprint_of_weights(const Workbench& bench) {
  const MethodOptions& method = bench.options.method;
  const RankOptions& ranks = bench.options.ranks;
  Fingerprint print = bench.of_model;
  print.add(method.form).add(method.weighting).add(bench.options.calibration.gradient_targets);
  print.add(bench.options.calibration.ridge);
  for (const std::int64_t number : {method.sites, method.sweeps, method.clusters, method.outliers})
    print.add(static_cast<std::uint64_t>(number));
  print.add(ranks.allocation).add(ranks.error_weights).add(ranks.parameter_ratio);
  for (const std::int64_t number : {ranks.bond_dimension, ranks.fermi_steps})
    print.add(static_cast<std::uint64_t>(number));
  const CompressionJob& job = bench.job;
  for (const auto* windows : {&job.calibration_windows, &job.gradient_windows, &job.fermi_windows})
    for (const auto& window : *windows) print.add(window);
  if (!job.fermi_windows.empty()) print.add(static_cast<std::uint64_t>(bench.teams.count()));
  return print;
}

bool restore_weights(Workbench& bench) {
  const Stage stage = stage_of(bench);
  auto reports = bench.checkpoint.find<std::vector<WeightReport>>(stage);
  if (!reports) return false;
  if (!std::ranges::equal(*reports, bench.names, {}, &WeightReport::name))
    bench.checkpoint.refuse(stage, "its weights are not the selected ones");
  const files::SafetensorsReader reader(bench.world, bench.checkpoint.folder(stage));
  for (const WeightReport& report : *reports) {
    if (!differs_from_original(report)) continue;
    const auto original = weight_of(bench.model, report.name);
    bench.model.replace_weight(
        report.name,
        weights::read_form(bench.teams.team(), {.file = reader,
                                                .name = report.name,
                                                .inputs = original->inputs(),
                                                .split = original->split(),
                                                .type = original->own_rows().scalar_type()}));
  }
  bench.result.weights = std::move(*reports);
  log().info("compressed weights taken from the checkpoint");
  return true;
}

void keep_weights(const Workbench& bench) {
  if (!bench.checkpoint.is_wanted()) return;
  std::vector<weights::Parameter> tensors;
  for (const WeightReport& report : bench.result.weights)
    if (differs_from_original(report))
      for (auto& tensor : stored_tensors(*weight_of(bench.model, report.name), report.name))
        tensors.push_back(std::move(tensor));
  const Stage stage = stage_of(bench);
  write_tensors(bench.world, bench.teams, bench.checkpoint.folder(stage), tensors);
  bench.checkpoint.complete(stage, bench.result.weights);
}

}  // namespace rankine::compress
