#include "compress/stages/dealt_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>

#include "compress/decomposition/decomposition_task.hpp"
#include "core/contracts.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/ridge.hpp"

namespace rankine::compress {

using torch::Tensor;

namespace {

/// Puts a moment with its ridge into the norm; one of zeros makes every error zero, and leaves what
/// the operator is to the weight itself.
void weigh(DealtWeight& weight, Tensor& side, const Tensor& moment, double ridge) {
  if (weights::is_zero(moment)) {
    weight.has_errors = false;
    return;
  }
  weights::add_ridge(moment, ridge);
  side = moment;
}

/// A piece with its moments on rank `owner` of the world; nothing elsewhere. Collective over the
/// world.
std::optional<DealtWeight> assemble(const Workbench& bench, const NormedWeights& group,
                                    const RowsOfWeight& piece, int owner) {
  const ErrorNorm& norm = group.norm;
  const std::size_t place = piece.place;
  const auto dense = weight_of(bench.model, bench.names[group.weights[place]]);
  const torch::ScalarType type = dense->own_rows().scalar_type();
  DealtWeight whole{.place = place,
                    .rows = piece.rows,
                    .w = rows_on(*dense, bench.world, bench.teams, piece.rows, owner, type)};
  Tensor inputs, outputs;
  std::vector<Tensor> of_tokens;
  for (std::int64_t g = 0; g < norm.groups; ++g)
    of_tokens.push_back(norm.token_moments[place * static_cast<std::size_t>(norm.groups) +
                                           static_cast<std::size_t>(g)]
                            .assemble_on(bench.world, owner));
  if (norm.inputs != InputWeighting::none && norm.groups == 0)
    inputs = norm.input_moments.moments[norm.input_moments.of_weight[place]].assemble_on(
        bench.world, owner);
  if (!norm.output_moments.empty())
    outputs = norm.output_moments[place].assemble_on(bench.world, owner);
  if (bench.world.rank() != owner) return std::nullopt;
  const auto ridge = [&](double wanted, std::int64_t size) {
    return weights::ridge_above_rounding(wanted, size, type);
  };
  if (inputs.defined()) {
    weigh(whole, whole.norm.inputs, inputs, ridge(norm.input_ridge, dense->inputs()));
    if (inputs.dim() == 1) whole.norm.inputs = torch::diag(inputs);
  }
  for (const Tensor& moment : of_tokens)
    weigh(whole, whole.token_moments.emplace_back(), moment,
          ridge(norm.input_ridge, dense->inputs()));
  if (outputs.defined()) {
    Tensor& side = outputs.dim() == 1 ? whole.row_weights : whole.norm.outputs;
    weigh(whole, side, outputs, ridge(norm.ridge, dense->outputs()));
  }
  RANKINE_EXPECTS(!whole.norm.outputs.defined() || piece.rows.count == dense->outputs(),
                  "rows of a weight that comes in pieces do not count together");
  if (whole.row_weights.defined())
    whole.row_weights = whole.row_weights.narrow(0, piece.rows.first, piece.rows.count);
  return whole;
}

/// Rank p of the world gets the p-th piece of the batch. Collective over the world.
std::optional<DealtWeight> deal(const Workbench& bench, const NormedWeights& group,
                                std::span<const RowsOfWeight> batch) {
  std::optional<DealtWeight> mine;
  for (std::size_t p = 0; p < batch.size(); ++p)
    if (auto piece = assemble(bench, group, batch[p], static_cast<int>(p))) mine = std::move(piece);
  return mine;
}

}  // namespace

NormedWeights all_weights(const Workbench& bench, const ErrorNorm& norm) {
  std::vector<std::size_t> all(bench.names.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return {std::move(all), norm, bench.progress()};
}

std::vector<std::size_t> all_places(const NormedWeights& group) {
  std::vector<std::size_t> all(group.weights.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

void for_each_dealt_piece(const Workbench& bench, const NormedWeights& group,
                          std::vector<RowsOfWeight> pieces, const std::string& what,
                          const std::function<void(const DealtWeight&)>& work,
                          const std::function<void(const RowsOfWeight& piece, int root)>& share) {
  std::ranges::stable_sort(pieces, std::greater<>(), [&](const RowsOfWeight& piece) {
    return piece.rows.count * bench.job.selected[group.weights[piece.place]].shape.columns;
  });
  const auto ranks = static_cast<std::size_t>(bench.world.size());
  ProgressLine progress(group.progress);
  for (std::size_t first = 0; first < pieces.size(); first += ranks) {
    const auto batch = std::span(pieces).subspan(first, std::min(ranks, pieces.size() - first));
    const std::optional<DealtWeight> mine = deal(bench, group, batch);
    parallel::agree_on_failure(bench.world, [&] {
      if (mine) work(*mine);
    });
    for (std::size_t p = 0; p < batch.size(); ++p) share(batch[p], static_cast<int>(p));
    bench.stop_if_asked();
    const std::size_t done = first + batch.size();
    progress.update(static_cast<double>(done) / static_cast<double>(pieces.size()),
                    fmt::format("{}: {} of {}", what, done, pieces.size()));
  }
}

void for_each_dealt_weight(const Workbench& bench, const NormedWeights& group,
                           std::vector<std::size_t> chosen, const std::string& what,
                           const std::function<void(const DealtWeight&)>& work,
                           const std::function<void(std::size_t place, int root)>& share) {
  std::vector<RowsOfWeight> pieces;
  for (const std::size_t place : chosen)
    pieces.push_back({place, {0, bench.job.selected[group.weights[place]].shape.rows}});
  for_each_dealt_piece(bench, group, std::move(pieces), what, work,
                       [&](const RowsOfWeight& piece, int root) { share(piece.place, root); });
}

}  // namespace rankine::compress
