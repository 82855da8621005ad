#include "compress/stages/matrix_product_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <span>

#include "compress/allocation/allocation.hpp"
#include "compress/decomposition/decomposition_task.hpp"
#include "compress/job/bond_dimension.hpp"
#include "compress/stages/simple_forms.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/matrix_product_factorisation.hpp"
#include "weights/making/ridge.hpp"

namespace rankine::compress {

using torch::Tensor;
using weights::MatrixProductOptions;
using weights::MomentNorm;

namespace {

/// A weight whole on this rank, and how its operator is made.
struct WholeWeight {
  std::size_t index;
  Tensor w;  ///< float64
  MatrixProductOptions how;
  bool has_errors = true;  ///< false where inputs or output gradients are zeros
};

/// Puts a moment with its ridge into the norm; one of zeros makes every error zero, and leaves what
/// the operator is to the weight itself.
void weigh(WholeWeight& weight, Tensor& side, const Tensor& moment, double ridge) {
  if (weights::is_zero(moment)) {
    weight.has_errors = false;
    return;
  }
  weights::add_ridge(moment, ridge);
  side = moment.dim() == 1 ? torch::diag(moment) : moment;
}

/// Weight `w` with its moments, whole on rank `owner` of the world; nothing elsewhere. Collective
/// over the world.
std::optional<WholeWeight> assemble_weight(const Workbench& bench, const ErrorNorm& norm,
                                           std::size_t w, int owner) {
  const int sites = static_cast<int>(bench.options.method.sites);
  const auto dense = weight_of(bench.model, bench.names[w]);
  const torch::ScalarType type = dense->own_rows().scalar_type();
  WholeWeight whole{.index = w,
                    .w = whole_matrix_on(*dense, bench.world, bench.teams, owner, type),
                    .how = {.row_legs = weights::balanced_legs(dense->outputs(), sites),
                            .column_legs = weights::balanced_legs(dense->inputs(), sites),
                            .sweeps = static_cast<int>(bench.options.method.sweeps)}};
  Tensor inputs, outputs;
  if (norm.inputs != InputWeighting::none)
    inputs =
        norm.input_moments.moments[norm.input_moments.of_weight[w]].assemble_on(bench.world, owner);
  if (!norm.output_moments.empty())
    outputs = norm.output_moments[w].assemble_on(bench.world, owner);
  if (bench.world.rank() != owner) return std::nullopt;
  const auto ridge = [&](double wanted, std::int64_t size) {
    return weights::ridge_above_rounding(wanted, size, type);
  };
  if (inputs.defined())
    weigh(whole, whole.how.norm.inputs, inputs, ridge(weights::input_ridge, dense->inputs()));
  if (outputs.defined())
    weigh(whole, whole.how.norm.outputs, outputs, ridge(norm.ridge, dense->outputs()));
  return whole;
}

/// Rank p of the world gets the p-th weight of the batch. Collective over the world.
std::optional<WholeWeight> deal(const Workbench& bench, const ErrorNorm& norm,
                                std::span<const std::size_t> batch) {
  std::optional<WholeWeight> mine;
  for (std::size_t p = 0; p < batch.size(); ++p)
    if (auto whole = assemble_weight(bench, norm, batch[p], static_cast<int>(p)))
      mine = std::move(whole);
  return mine;
}

/// `chosen`, the largest matrices first, a batch for all ranks at a time: `work` on the own weight
/// of a batch, then `share` with its root, collective, for every weight.
void for_each_weight(const Workbench& bench, const ErrorNorm& norm, std::vector<std::size_t> chosen,
                     const std::string& what, const std::function<void(const WholeWeight&)>& work,
                     const std::function<void(std::size_t index, int root)>& share) {
  std::ranges::stable_sort(chosen, std::greater<>(), [&](std::size_t w) {
    return bench.job.selected[w].shape.dense_numbers();
  });
  const auto ranks = static_cast<std::size_t>(bench.world.size());
  ProgressLine progress(bench.progress());
  for (std::size_t first = 0; first < chosen.size(); first += ranks) {
    const auto batch = std::span(chosen).subspan(first, std::min(ranks, chosen.size() - first));
    const std::optional<WholeWeight> mine = deal(bench, norm, batch);
    parallel::agree_on_failure(bench.world, [&] {
      if (mine) work(*mine);
    });
    for (std::size_t p = 0; p < batch.size(); ++p) share(batch[p], static_cast<int>(p));
    bench.stop_if_asked();
    const std::size_t done = first + batch.size();
    progress.update(
        static_cast<double>(done) / static_cast<double>(chosen.size()),
        fmt::format("{} of {} of {}", what, done, counted(std::ssize(chosen), "weight")));
  }
}

std::vector<std::size_t> all_weights(const Workbench& bench) {
  std::vector<std::size_t> all(bench.names.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

/// Cores of a weight, and its relative error.
struct Made {
  std::vector<Tensor> cores;
  double error = 0;
};

Made make(const WholeWeight& weight, std::int64_t bond_dimension) {
  MatrixProductOptions how = weight.how;
  how.bond_dimension = bond_dimension;
  weights::MatrixProductReport report;
  Made made{.cores = weights::make_cores(weight.w, how, &report)};
  const double whole = weight.has_errors ? std::sqrt(how.norm.squared(weight.w)) : 0;
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
  for_each_weight(
      bench, norm, all_weights(bench), "spectra",
      [&](const WholeWeight& weight) {
        errors[weight.index] = weights::bond_errors(weight.w, weight.how);
        if (!weight.has_errors) std::ranges::fill(errors[weight.index], 0.0);
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

/// Operators of all selected weights, in the norm of the deck, with these bond dimensions; a bond
/// dimension of 0 leaves the weight as it is. Whole matrices are dealt out to the ranks, the most
/// expensive first. Collective over the world.
std::vector<NewForm> make_operators(const Workbench& bench, const ErrorNorm& norm,
                                    const std::vector<std::int64_t>& bond_dimensions) {
  std::vector<NewForm> forms(bench.names.size());
  std::vector<std::size_t> chosen;
  for (std::size_t w = 0; w < forms.size(); ++w)
    if (bond_dimensions[w] == 0)
      forms[w] = present_form(bench, w);
    else if (is_zero_weight(bench, w))
      forms[w] = zero_form(bench, w);
    else
      chosen.push_back(w);
  Made mine;
  for_each_weight(
      bench, norm, chosen, "operators",
      [&](const WholeWeight& weight) { mine = make(weight, bond_dimensions[weight.index]); },
      [&](std::size_t w, int root) {
        Made made;
        if (bench.world.rank() == root) made = std::move(mine);
        made.cores =
            weights::broadcast_cores(bench.world, std::move(made.cores),
                                     static_cast<std::size_t>(bench.options.method.sites), root);
        bench.world.broadcast(std::span(&made.error, 1), root);
        forms[w] = operator_form(bench, w, made, bond_dimensions[w]);
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
    return make_operators(bench, norm,
                          std::vector<std::int64_t>(bench.names.size(), bond_dimension));
  };
}

void compress_by_operators(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  const auto bonds = bench.timed(seconds.allocation, [&] { return allocate_bonds(bench, norm); });
  bench.timed(seconds.conversion, [&] {
    for (NewForm& form : make_operators(bench, norm, bonds)) {
      bench.model.replace_weight(form.report.name, std::move(form.weight));
      bench.result.weights.push_back(std::move(form.report));
    }
  });
  log().info("{} made in {}", counted(std::ssize(bench.names), "operator"),
             format_duration(seconds.conversion));
}

}  // namespace rankine::compress
