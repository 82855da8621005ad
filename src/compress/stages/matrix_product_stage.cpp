#include "compress/stages/matrix_product_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "compress/allocation/allocation.hpp"
#include "compress/job/bond_dimension.hpp"
#include "compress/stages/dealt_weights.hpp"
#include "compress/stages/sequential_fit.hpp"
#include "compress/stages/simple_forms.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/making/matrix_product_factorisation.hpp"

namespace rankine::compress {

using torch::Tensor;
using weights::MatrixProductOptions;

namespace {

/// How the operator of a weight is made.
MatrixProductOptions how(const Workbench& bench, const DealtWeight& weight) {
  const int sites = static_cast<int>(bench.options.method.sites);
  return {.row_legs = weights::balanced_legs(weight.w.size(0), sites),
          .column_legs = weights::balanced_legs(weight.w.size(1), sites),
          .norm = weight.norm,
          .sweeps = static_cast<int>(bench.options.method.sweeps)};
}

/// Cores of a weight, and its relative error.
struct Made {
  std::vector<Tensor> cores;
  double error = 0;
};

Made make(const DealtWeight& weight, MatrixProductOptions options, std::int64_t bond_dimension) {
  options.bond_dimension = bond_dimension;
  weights::MatrixProductReport report;
  Made made{.cores = weights::make_cores(weight.w, options, &report)};
  const double whole = weight.has_errors ? std::sqrt(weight.norm.squared(weight.w)) : 0;
  const double error =
      report.weighted_errors.empty()
          ? std::sqrt(std::accumulate(report.discarded.begin(), report.discarded.end(), 0.0))
          : report.weighted_errors.back();
  made.error = whole > 0 ? error / whole : 0;
  return made;
}

NewForm operator_form(const Workbench& bench, std::size_t w, const Made& made,
                      std::int64_t bond_dimension) {
  NewForm form = present_form(bench, w);
  std::vector<Tensor> cores;
  for (const Tensor& core : made.cores)
    cores.push_back(
        core.to(form.weight->own_rows().scalar_type()).clone(at::MemoryFormat::Contiguous));
  form.weight = std::make_shared<weights::MatrixProduct>(bench.teams.team(), form.weight->split(),
                                                         std::move(cores));
  form.report.form = form.weight->form();
  form.report.rank = bond_dimension;
  form.report.numbers = form.weight->stored_numbers();
  form.report.bytes = form.weight->stored_bytes();
  form.report.weighted_error = made.error;
  return form;
}

/// Bond dimensions whose operators are smaller than the matrix, then the matrix itself.
std::vector<CurvePoint> curve_of(const std::vector<double>& errors, const MatrixShape& shape,
                                 int sites, double error_weight) {
  const auto row_legs = weights::balanced_legs(shape.rows, sites);
  const auto column_legs = weights::balanced_legs(shape.columns, sites);
  std::vector<CurvePoint> curve;
  for (std::size_t bond = 0; bond < errors.size(); ++bond) {
    const std::int64_t numbers =
        bond == 0
            ? 0
            : weights::stored_numbers_for(row_legs, column_legs, static_cast<std::int64_t>(bond));
    if (numbers >= shape.dense_numbers()) break;
    curve.push_back({numbers, errors[bond] * error_weight});
  }
  curve.push_back({shape.dense_numbers(), 0});
  return curve;
}

std::vector<Candidate> bond_candidates(const Workbench& bench, const ErrorNorm& norm) {
  std::vector<std::vector<double>> errors(bench.names.size());
  const NormedWeights all = all_weights(bench, norm);
  for_each_dealt_weight(
      bench, all, all_places(all), "spectra",
      [&](const DealtWeight& weight) {
        errors[weight.place] = weights::bond_errors(weight.w, how(bench, weight));
        if (!weight.has_errors) std::ranges::fill(errors[weight.place], 0.0);
      },
      [&](std::size_t w, int root) {
        std::int64_t size = std::ssize(errors[w]);
        bench.world.broadcast(std::span(&size, 1), root);
        errors[w].resize(static_cast<std::size_t>(size));
        bench.world.broadcast(std::span(errors[w]), root);
      });
  std::vector<Candidate> candidates;
  for (std::size_t w = 0; w < errors.size(); ++w) {
    const double counts = norm.error_weights.empty() ? 1 : norm.error_weights[w];
    const MatrixShape& shape = bench.job.selected[w].shape;
    candidates.push_back(
        {bench.names[w],
         shape,
         {},
         curve_of(errors[w], shape, static_cast<int>(bench.options.method.sites), counts)});
  }
  return candidates;
}

/// Operators of the weights of a group, with the bond dimensions of all selected weights; one of 0
/// leaves a weight as it is. Whole matrices are dealt out to the ranks, the most expensive first.
/// Collective over the world.
std::vector<NewForm> make_operators(const Workbench& bench, const NormedWeights& group,
                                    const std::vector<std::int64_t>& bond_dimensions) {
  std::vector<NewForm> forms(group.weights.size());
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k < forms.size(); ++k)
    if (const std::size_t w = group.weights[k]; bond_dimensions[w] == 0)
      forms[k] = present_form(bench, w);
    else if (is_zero_weight(bench, w))
      forms[k] = zero_form(bench, w);
    else
      chosen.push_back(k);
  Made mine;
  for_each_dealt_weight(
      bench, group, chosen, "operators",
      [&](const DealtWeight& weight) {
        mine = make(weight, how(bench, weight), bond_dimensions[group.weights[weight.place]]);
      },
      [&](std::size_t place, int root) {
        const std::size_t w = group.weights[place];
        Made made;
        if (bench.world.rank() == root) made = std::move(mine);
        made.cores =
            weights::broadcast_cores(bench.world, std::move(made.cores),
                                     static_cast<std::size_t>(bench.options.method.sites), root);
        bench.world.broadcast(std::span(&made.error, 1), root);
        forms[place] = operator_form(bench, w, made, bond_dimensions[w]);
      });
  return forms;
}

/// Bond dimensions as the deck asks: the same share of each weight, or the least sum of errors
/// (additive_ranks along weights::bond_errors; 0 where the dense matrix is worth its numbers).
/// Collective over the world.
std::vector<std::int64_t> allocate_bonds(const Workbench& bench, const ErrorNorm& norm) {
  const RankOptions& ranks = bench.options.ranks;
  std::vector<std::int64_t> bonds;
  if (ranks.bond_dimension > 0 || ranks.allocation == Allocation::uniform) {
    for (const NamedShape& weight : bench.job.selected)
      bonds.push_back(bond_dimension_of(bench.options, weight.shape));
    return bonds;
  }
  const std::vector<Candidate> candidates = bond_candidates(bench, norm);
  // The points of operators say themselves what they cost.
  bonds =
      additive_ranks(candidates, FactorGauge::free, budget_of(candidates, ranks.parameter_ratio));
  for (std::size_t w = 0; w < bonds.size(); ++w)
    if (bonds[w] == candidates[w].full_rank()) bonds[w] = 0;
  return bonds;
}

}  // namespace

FormsOfSize operators_of_size(Workbench& bench, ErrorNorm norm) {
  return [&bench, norm = std::move(norm)](std::int64_t bond_dimension) {
    return make_operators(bench, all_weights(bench, norm),
                          std::vector<std::int64_t>(bench.names.size(), bond_dimension));
  };
}

void compress_by_operators(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  const auto bonds =
      bench.timed("allocation", seconds.allocation, [&] { return allocate_bonds(bench, norm); });
  if (bench.options.fit.is_sequential())
    return fit_in_order(bench, std::move(norm),
                        [&](const std::vector<std::size_t>& group, const ErrorNorm& of_group) {
                          return make_operators(bench, {group, of_group}, bonds);
                        });
  bench.timed("replacement", seconds.conversion, [&] {
    put_into_model(bench, make_operators(bench, all_weights(bench, norm), bonds));
  });
  log().info("{} made in {}", counted(std::ssize(bench.names), "operator"),
             format_duration(seconds.conversion));
}

}  // namespace rankine::compress
