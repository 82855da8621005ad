#include "compress/stages/dealt_codebooks.hpp"

#include "compress/job/shared_values.hpp"

namespace rankine::compress {

using torch::Tensor;

namespace {

/// The part of the moment of the output gradients that says what rows count one by one.
Tensor own_weights(const DealtWeight& weight) {
  const Tensor& whole = weight.norm.outputs;
  return whole.defined() ? whole.diagonal().contiguous() : weight.row_weights;
}

/// What rows count beside each other. Moments of tokens know already what a group of rows does, so
/// that the mean of each group is 1.
Tensor row_weights(const DealtWeight& weight) {
  const Tensor own = own_weights(weight);
  if (weight.token_moments.empty() || !own.defined()) return own;
  const auto groups =
      weights::RowSplit::even(own.size(0), static_cast<int>(std::ssize(weight.token_moments)));
  Tensor relative = own.clone();
  for (int g = 0; g < groups.n_ranks(); ++g) {
    const Tensor of_group = relative.narrow(0, groups.first(g), groups.count(g));
    of_group.div_(of_group.mean());
  }
  return relative;
}

}  // namespace

std::vector<RowsOfWeight> pieces_of(const Workbench& bench, const NormedWeights& group,
                                    const std::vector<std::size_t>& places) {
  std::vector<RowsOfWeight> pieces;
  for (const std::size_t place : places)
    for (const weights::RowRange& rows :
         codebook_pieces(bench.job.selected[group.weights[place]], bench.options.method))
      pieces.push_back({place, rows});
  return pieces;
}

/// Rows count together under one moment of the inputs; parts of them with moments of their own do
/// not.
weights::RowNorm row_norm(const DealtWeight& weight) {
  weights::RowNorm norm;
  if (!weight.has_errors) return norm;
  norm.moments = weight.token_moments;
  if (weight.norm.inputs.defined()) norm.moments = {weight.norm.inputs};
  if (norm.moments.size() == 1) norm.outputs = weight.norm.outputs;
  if (!norm.outputs.defined()) norm.row_weights = row_weights(weight);
  return norm;
}

weights::Codebooks make_codebooks(const DealtWeight& weight, const weights::RowNorm& norm,
                                  weights::CodebookOptions options) {
  if (norm.moments.empty()) options.rounds = 0;
  return weights::make_codebooks(weight.w, norm, options);
}

}  // namespace rankine::compress
