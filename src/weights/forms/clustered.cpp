#include "weights/forms/clustered.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <bit>

#include "core/contracts.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/storage/packed_bits.hpp"

namespace rankine::weights {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

/// The centroid of every code. The gradient of a centroid is the sum over its members, in float64.
struct TakeCentroids : Function<TakeCentroids> {
  static Tensor forward(AutogradContext* context, const Tensor& centroids, const Tensor& codes) {
    context->save_for_backward({codes});
    context->saved_data["clusters"] = centroids.size(0);
    return centroids.index_select(0, codes.flatten().to(torch::kInt64)).view(codes.sizes());
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Tensor codes = context->get_saved_variables()[0];
    const Tensor members = gradients[0].to(torch::kFloat64).flatten();
    const Tensor sums = torch::bincount(codes.flatten().to(torch::kInt64), members,
                                        context->saved_data["clusters"].toInt());
    return {sums.to(gradients[0].scalar_type()), Tensor()};
  }
};

Tensor narrow_codes(const Tensor& codes, std::int64_t clusters) {
  return codes.to(clusters <= 256 ? torch::kUInt8 : torch::kInt32).contiguous();
}

}  // namespace

int bits_per_code(std::int64_t clusters) {
  return static_cast<int>(
      std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(clusters, 1) - 1)));
}

Clustered::Clustered(const parallel::Communicator& ranks, RowSplit rows, Tensor centroids,
                     Tensor own_codes, Outliers outliers)
    : MaterialisedForm(ranks, std::move(rows)),
      centroids_(std::move(centroids)),
      codes_(narrow_codes(own_codes, centroids_.size(0))),
      outliers_(std::move(outliers)) {
  RANKINE_EXPECTS(codes_.dim() == 2 && codes_.size(0) == own_count(), "own codes are given");
}

std::vector<Parameter> Clustered::parameters() const {
  std::vector<Parameter> all{{"centroids", centroids_, Placement::copy, 0, centroids_.size(0)}};
  if (outliers_.values.size(0) > 0)
    all.push_back({"outliers", outliers_.values, Placement::copy, 0, outliers_.values.size(0)});
  return all;
}

std::vector<Parameter> Clustered::indices() const {
  const Tensor packed = pack_bits(codes_, bits_per_code(centroids_.size(0)));
  std::vector<Parameter> all{{"codes", packed, Placement::rows, own_first(), outputs()}};
  const std::int64_t count = outliers_.values.size(0);
  if (count > 0) {
    all.push_back({"outlier_rows", outliers_.rows.to(torch::kInt32), Placement::copy, 0, count});
    all.push_back(
        {"outlier_columns", outliers_.columns.to(torch::kInt32), Placement::copy, 0, count});
  }
  return all;
}

Tensor Clustered::own_codes() const { return codes_.to(torch::kInt64); }

Tensor Clustered::compute_rows() const {
  // Each rank's entries give its share of the gradients.
  const Tensor rows = TakeCentroids::apply(share_input(team(), centroids_), codes_);
  if (outliers_.values.size(0) == 0) return rows;
  const Tensor values = share_input(team(), outliers_.values);
  const Tensor local = outliers_.rows - own_first();
  const Tensor own = local.ge(0).logical_and(local.lt(own_count())).nonzero().flatten();
  return rows.index_put({local.index_select(0, own), outliers_.columns.index_select(0, own)},
                        values.index_select(0, own));
}

}  // namespace rankine::weights
