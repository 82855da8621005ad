#include "compress/stages/clustered_stage.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "compress/stages/codebook_stage.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

using parallel::Communicator;
using torch::Tensor;

namespace {

/// Diagonals of the second moments of a weight on the calibration text, on every rank; undefined
/// where nothing is weighted.
struct WeightMoments {
  Tensor inputs;   ///< n
  Tensor outputs;  ///< m
};

struct DirectForm {
  std::shared_ptr<weights::Clustered> weight;
  double weighted_error = 0;  ///< relative, in the norm the form was made in
};

std::optional<Tensor> sensitivity(Weighting weighting, const WeightMoments& moments,
                                  const Communicator& team, const weights::Weight& dense) {
  if (weighting == Weighting::none) return std::nullopt;
  const std::int64_t first = dense.split().first(team.rank());
  const std::int64_t count = dense.split().count(team.rank());
  const Tensor of_inputs = moments.inputs.unsqueeze(0);
  if (weighting == Weighting::diagonal)
    return of_inputs.expand({count, of_inputs.size(1)}).contiguous();
  return moments.outputs.narrow(0, first, count).unsqueeze(1) * of_inputs;
}

/// sqrt(sum s (w - w')^2 / sum s w^2) over all ranks.
double entrywise_error(const Communicator& team, const Tensor& w, const Tensor& approximation,
                       const std::optional<Tensor>& s) {
  const auto weighted = [&](const Tensor& values) {
    const Tensor squares = values.to(torch::kFloat64).square();
    return team.sum((s ? squares * *s : squares).sum().item<double>());
  };
  const double all = weighted(w);
  return all > 0 ? std::sqrt(weighted(w - approximation) / all) : 0;
}

std::shared_ptr<weights::Clustered> cluster(const Communicator& team, const weights::Weight& dense,
                                            const weights::ClusterOptions& how) {
  const Tensor rows = dense.own_rows();
  return weights::make_clustered(team, dense.split(), rows, how, rows.scalar_type());
}

DirectForm make_clustered_form(const CompressOptions& options, const Communicator& team,
                               const weights::Weight& dense, const WeightMoments& moments) {
  const Tensor rows = dense.own_rows();
  const auto objective = sensitivity(options.method.weighting, moments, team, dense);
  DirectForm form{.weight = cluster(team, dense,
                                    {.clusters = options.method.clusters,
                                     .outliers = options.method.outliers_of(rows.numel()),
                                     .sensitivity = objective})};
  form.weighted_error = entrywise_error(team, rows, form.weight->own_rows(), objective);
  return form;
}

WeightMoments moments_of(const Workbench& bench, const ErrorNorm& norm, std::size_t w) {
  WeightMoments moments;
  const InputMoments& inputs = norm.input_moments;
  if (bench.options.method.needs_inputs())
    moments.inputs = inputs.moments[inputs.of_weight[w]].diagonal(bench.world);
  if (bench.options.needs_gradients())
    moments.outputs = norm.output_moments[w].diagonal(bench.world);
  return moments;
}

WeightReport replace_weight(Workbench& bench, const ErrorNorm& norm, std::size_t w) {
  const auto dense = weight_of(bench.model, bench.names[w]);
  const WeightMoments moments = moments_of(bench, norm, w);
  const parallel::Communicator& team = bench.teams.team();
  const DirectForm form = make_clustered_form(bench.options, team, *dense, moments);
  bench.model.replace_weight(bench.names[w], form.weight);
  WeightReport report;
  report.name = bench.names[w];
  report.shape = bench.job.selected[w].shape;
  report.form = form.weight->form();
  report.rank = form.weight->kept_rank();
  report.numbers = form.weight->stored_numbers();
  report.bytes = form.weight->stored_bytes();
  report.weighted_error = form.weighted_error;
  return report;
}

}  // namespace

std::shared_ptr<weights::Clustered> make_clustered_weight(const Workbench& bench,
                                                          const ErrorNorm& norm, std::size_t w,
                                                          std::int64_t clusters) {
  const auto dense = weight_of(bench.model, bench.names[w]);
  const MethodOptions& method = bench.options.method;
  const Communicator& team = bench.teams.team();
  return cluster(
      team, *dense,
      {.clusters = clusters,
       .outliers = method.outliers,
       .sensitivity = sensitivity(method.weighting, moments_of(bench, norm, w), team, *dense)});
}

void compress_by_clusters(Workbench& bench, ErrorNorm norm) {
  if (bench.options.method.has_books()) return compress_by_codebooks(bench, std::move(norm));
  const std::size_t count = bench.names.size();
  ProgressLine progress(bench.progress());
  bench.timed("replacement", bench.result.seconds.conversion, [&] {
    for (std::size_t w = 0; w < count; ++w) {
      bench.result.weights.push_back(replace_weight(bench, norm, w));
      progress.update(
          static_cast<double>(w + 1) / static_cast<double>(count),
          fmt::format("converted {} of {}", w + 1, counted(std::ssize(bench.names), "weight")));
      bench.stop_if_asked();
    }
  });
}

}  // namespace rankine::compress
