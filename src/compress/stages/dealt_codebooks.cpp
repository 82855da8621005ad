#include "compress/stages/dealt_codebooks.hpp"

namespace rankine::compress {

using torch::Tensor;

namespace {

/// What rows count beside each other. Moments of tokens know already what a group of rows does, so
/// that the mean of each group is 1.
Tensor row_weights(const DealtWeight& weight) {
  if (weight.token_moments.empty() || !weight.row_weights.defined()) return weight.row_weights;
  const auto groups =
      weights::RowSplit::even(weight.w.size(0), static_cast<int>(std::ssize(weight.token_moments)));
  Tensor relative = weight.row_weights.clone();
  for (int g = 0; g < groups.n_ranks(); ++g) {
    const Tensor of_group = relative.narrow(0, groups.first(g), groups.count(g));
    of_group.div_(of_group.mean());
  }
  return relative;
}

weights::RowNorm norm_of(const DealtWeight& weight) {
  weights::RowNorm norm{.moments = weight.token_moments, .row_weights = row_weights(weight)};
  if (weight.norm.inputs.defined()) norm.moments = {weight.norm.inputs};
  return norm;
}

}  // namespace

MadeCodebooks make_codebooks(const DealtWeight& weight, weights::CodebookOptions options) {
  const weights::RowNorm norm = weight.has_errors ? norm_of(weight) : weights::RowNorm{};
  if (norm.moments.empty()) options.rounds = 0;
  MadeCodebooks made{.books = weights::make_codebooks(weight.w, norm, options)};
  if (weight.has_errors) made.error = weights::error_of(weight.w, norm, made.books);
  return made;
}

}  // namespace rankine::compress
