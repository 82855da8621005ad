#include "compress/stages/low_rank_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compress/allocation/allocation.hpp"
#include "compress/allocation/fermi_loss.hpp"
#include "compress/decomposition/row_decomposition.hpp"
#include "compress/job/forecast.hpp"
#include "compress/stages/kept_fermi.hpp"
#include "compress/stages/kept_weights.hpp"
#include "compress/stages/measured_errors.hpp"
#include "compress/stages/sequential_fit.hpp"
#include "compress/stages/simple_forms.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text_format.hpp"
#include "parallel/node.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::compress {

using torch::Tensor;

namespace {

using Ranks = std::vector<std::int64_t>;

std::vector<Candidate> candidates_of(const Workbench& bench,
                                     const std::vector<WeightFactors>& factors) {
  std::vector<Candidate> candidates;
  for (std::size_t w = 0; w < factors.size(); ++w)
    candidates.push_back({.name = bench.names[w],
                          .shape = bench.job.selected[w].shape,
                          .singular_values = factors[w].singular_values,
                          .multiple_of = bench.options.ranks.multiple_of});
  return candidates;
}

/// Squared errors times what they count; nothing for no weights.
void weigh_errors(std::vector<Candidate>& candidates, const std::vector<double>& error_weights) {
  for (std::size_t w = 0; w < error_weights.size(); ++w)
    for (double& value : candidates[w].singular_values) value *= std::sqrt(error_weights[w]);
}

Ranks refine_by_gradient(Workbench& bench, const std::vector<Candidate>& candidates,
                         const std::vector<WeightFactors>& factors, std::int64_t budget,
                         Ranks first) {
  MaskedModel masked(bench.model, bench.world, bench.teams, factors,
                     models::token_batches(bench.job.fermi_windows));
  ProgressLine progress(bench.progress());
  const std::int64_t steps = bench.options.ranks.fermi_steps;
  const auto gradient = [&](std::int64_t step, const Components& masks) {
    auto found = masked.gradient(step, masks);
    progress.update(static_cast<double>(step + 1) / static_cast<double>(steps),
                    fmt::format("FermiGrad: step {} of {}", step + 1, steps));
    return found;
  };
  return fermi_ranks(candidates, bench.options.method.gauge(), budget, std::move(first),
                     {.steps = steps}, gradient, fermi_checkpoint(bench, candidates));
}

Ranks allocate(Workbench& bench, const std::vector<Candidate>& candidates,
               const std::vector<WeightFactors>& factors) {
  const RankOptions& how = bench.options.ranks;
  const FactorGauge gauge = bench.options.method.gauge();
  if (how.bond_dimension > 0) return Ranks(candidates.size(), how.bond_dimension);
  if (how.allocation == Allocation::uniform)
    return uniform_ranks(candidates, gauge, how.parameter_ratio);
  const std::int64_t budget = budget_of(candidates, how.parameter_ratio);
  Ranks ranks = additive_ranks(candidates, gauge, budget);
  if (how.allocation != Allocation::fermi) return ranks;
  return refine_by_gradient(bench, candidates, factors, budget, std::move(ranks));
}

double relative_tail(const Candidate& candidate, std::int64_t rank) {
  const std::vector<double> tails = candidate.tails();
  const auto index = std::min(static_cast<std::size_t>(rank), tails.size() - 1);
  return tails[0] > 0 ? std::sqrt(tails[index] / tails[0]) : 0;
}

/// Squares of the norms of L's columns, or of R's rows, on all ranks.
Tensor sum_over_team(const parallel::Communicator& team, const Tensor& own, std::int64_t first,
                     std::int64_t size) {
  const Tensor all = torch::zeros({size}, own.options());
  all.narrow(0, first, own.size(0)).copy_(own);
  return weights::sum_over_ranks(team, all);
}

/// Columns of the left factor and rows of the right one get equal norms, which training likes.
std::shared_ptr<weights::Weight> make_balanced_low_rank(const parallel::Communicator& team,
                                                        const weights::RowSplit& split,
                                                        const weights::FactorRows& factors) {
  const std::int64_t kept_rank = factors.right_split.total();
  const std::int64_t first = factors.right_split.first(team.rank());
  const Tensor left = sum_over_team(team, factors.left.square().sum(0), 0, kept_rank);
  const Tensor right = sum_over_team(team, factors.right.square().sum(1), first, kept_rank);
  const Tensor scale = (right.sqrt() / left.sqrt()).clamp_min(1e-30).sqrt();
  const Tensor own = scale.narrow(0, first, factors.right.size(0)).unsqueeze(1);
  return weights::make_low_rank(team, split, factors.left * scale, factors.right / own,
                                factors.left.scalar_type());
}

std::shared_ptr<weights::Weight> make_form(const Workbench& bench, const WeightFactors& components,
                                           WeightReport& report) {
  const auto dense = weight_of(bench.model, report.name);
  const weights::RowSplit& split = dense->split();
  const parallel::Communicator& team = bench.teams.team();
  const std::int64_t kept = std::min<std::int64_t>(report.rank, std::ssize(report.spectrum));
  const weights::FactorRows factors = leading_factors(team, components, split, kept);
  if (bench.options.method.form == weights::Form::dense)
    return std::make_shared<weights::Dense>(team, split, weights::multiply(team, factors));
  report.form = bench.options.method.form;
  return make_balanced_low_rank(team, split, factors);
}

/// The same on all ranks.
double bytes_for_decomposition(const Workbench& bench) {
  const int per_node = parallel::ranks_per_node(bench.world);
  return bench.world.min(left_for_decomposition(bench.job, {.ranks = bench.world.size(),
                                                            .ranks_per_node = per_node,
                                                            .node_bytes = available_node_bytes()}));
}

/// The form of the deck of selected weight `w` at `rank`; the weight itself from its full rank on.
/// Collective over the world.
NewForm make_component_form(const Workbench& bench, std::size_t w, const WeightFactors& factors,
                            std::int64_t rank) {
  const bool has_spectrum = !factors.singular_values.empty() && factors.singular_values[0] > 0;
  if (!has_spectrum && is_zero_weight(bench, w)) {
    NewForm zero = zero_form(bench, w);
    zero.report.spectrum = factors.singular_values;
    return zero;
  }
  NewForm form = present_form(bench, w);
  WeightReport& report = form.report;
  report.rank = std::min(rank, report.shape.full_rank());
  report.spectrum = factors.singular_values;
  report.weighted_error = relative_tail({report.name, report.shape, report.spectrum}, report.rank);
  if (report.rank < report.shape.full_rank()) form.weight = make_form(bench, factors, report);
  report.numbers = report.form == weights::Form::dense
                       ? form.weight->stored_numbers()
                       : stored_numbers(bench.options.method.gauge(), report.shape, report.rank);
  report.bytes = form.weight->stored_bytes();
  return form;
}

/// With errors as they count against each other.
std::vector<Candidate> weighed_candidates(Workbench& bench,
                                          const std::vector<WeightFactors>& factors,
                                          const std::vector<double>& error_weights) {
  std::vector<Candidate> candidates = candidates_of(bench, factors);
  if (bench.options.measures_errors())
    weigh_errors(candidates,
                 measured_error_weights(bench, candidates, [&](std::size_t w, std::int64_t rank) {
                   return make_component_form(bench, w, factors[w], rank);
                 }));
  weigh_errors(candidates, error_weights);
  return candidates;
}

/// The selected weights of the layers, which come first.
std::size_t weights_of_layers(const Workbench& bench) {
  return static_cast<std::size_t>(
      std::ranges::find_if(bench.job.selected, &NamedShape::is_of_vocabulary) -
      bench.job.selected.begin());
}

std::vector<WeightFactors> decompose_weights(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  std::vector<WeightFactors> factors = bench.timed("decomposition", seconds.decomposition, [&] {
    // Behind the weights of the layers.
    std::vector<WeightFactors> of_vocabulary;
    const std::size_t first = weights_of_layers(bench);
    for (std::size_t w = first; w < bench.names.size(); ++w)
      of_vocabulary.push_back(decompose_by_rows(bench.names[w],
                                                weight_of(bench.model, bench.names[w]), bench.world,
                                                bench.teams, norm, w));
    const std::vector<std::string> names(bench.names.begin(),
                                         bench.names.begin() + static_cast<std::ptrdiff_t>(first));
    auto all = decompose(bench.model, bench.world, bench.teams, names, std::move(norm),
                         bytes_for_decomposition(bench), [&] { bench.stop_if_asked(); });
    std::ranges::move(of_vocabulary, std::back_inserter(all));
    return all;
  });
  log().info("{} decomposed in {}", counted(std::ssize(bench.names), "weight"),
             format_duration(seconds.decomposition));
  return factors;
}

/// Selected weights from `first` on. Factors are released as they are used.
void convert(Workbench& bench, std::size_t first, std::vector<WeightFactors> factors,
             const Ranks& ranks) {
  bench.result.weights.resize(bench.names.size());
  for (std::size_t w = first; w < bench.names.size(); ++w) {
    WeightFactors& own = factors[w - first];
    NewForm form = make_component_form(bench, w, own, ranks[w]);
    bench.model.replace_weight(form.report.name, std::move(form.weight));
    bench.result.weights[w] = std::move(form.report);
    own.bases = nullptr;
  }
}

/// Forms of weights whose ranks are known.
FormsOfGroup components_of_rank(Workbench& bench, const Ranks& ranks) {
  return [&bench, &ranks, bytes = bytes_for_decomposition(bench)](
             const std::vector<std::size_t>& group, ErrorNorm norm) {
    std::vector<std::string> names;
    for (const std::size_t w : group) names.push_back(bench.names[w]);
    const auto factors = decompose(
        bench.model, bench.world, bench.teams, names, std::move(norm), bytes, [] {},
        Output::silent);
    std::vector<NewForm> forms;
    for (std::size_t k = 0; k < group.size(); ++k)
      forms.push_back(make_component_form(bench, group[k], factors[k], ranks[group[k]]));
    return forms;
  };
}

}  // namespace

FormsOfSize components_of_size(Workbench& bench, ErrorNorm norm) {
  return [&bench, factors = decompose_weights(bench, std::move(norm))](std::int64_t rank) {
    std::vector<NewForm> forms;
    for (std::size_t w = 0; w < factors.size(); ++w)
      forms.push_back(make_component_form(bench, w, factors[w], rank));
    return forms;
  };
}

void compress_by_components(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  const std::vector<double> error_weights = norm.error_weights;
  ErrorNorm outputs{
      .output_moments = norm.output_moments, .ridge = norm.ridge, .input_ridge = norm.input_ridge};
  std::vector<WeightFactors> factors = decompose_weights(bench, std::move(norm));
  const Ranks ranks = bench.timed("allocation", seconds.allocation, [&] {
    return allocate(bench, weighed_candidates(bench, factors, error_weights), factors);
  });
  std::size_t first = 0;
  if (bench.options.fit.is_sequential()) {  // the layers; embedding and output weight at once
    first = weights_of_layers(bench);
    factors.erase(factors.begin(), factors.begin() + static_cast<std::ptrdiff_t>(first));
    fit_in_order(bench, std::move(outputs), components_of_rank(bench, ranks));
  }
  bench.timed("replacement", seconds.conversion,
              [&] { convert(bench, first, std::move(factors), ranks); });
}

}  // namespace rankine::compress
