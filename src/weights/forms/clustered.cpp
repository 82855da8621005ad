#include "weights/forms/clustered.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <bit>

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
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
    : MaterialisedWeight(ranks, std::move(rows)),
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

namespace {

/// Own rows of codes below `clusters`.
Tensor read_codes(const StoredTensors& tensors, const DenseSource& source, int rank,
                  std::int64_t clusters) {
  const int bits = bits_per_code(clusters);
  const std::vector<std::int64_t> shape{source.split.total(), (source.inputs * bits + 7) / 8};
  tensors.require("codes", tensors.shape("codes") == shape, "its shape");
  tensors.require("codes", tensors.type("codes") == files::DataType::uint8, "its type");
  const Tensor packed =
      tensors.integers("codes", source.split.first(rank), source.split.count(rank));
  const Tensor codes = unpack_bits(packed.to(torch::kUInt8), bits, source.inputs);
  tensors.require("codes", codes.numel() == 0 || codes.max().item<std::int64_t>() < clusters,
                  "a code beyond the centroids");
  return codes;
}

/// Integers in [0, end), one for each outlier.
Tensor read_places(const StoredTensors& tensors, const std::string& part, std::int64_t count,
                   std::int64_t end) {
  tensors.require(part, tensors.length(part) == count, "their number");
  const Tensor places = tensors.integers(part, 0, count);
  tensors.require(part, places.ge(0).logical_and(places.lt(end)).all().item<bool>(),
                  "a place beyond the weight");
  return places;
}

Outliers read_outliers(const StoredTensors& tensors, const DenseSource& source) {
  const std::int64_t count = tensors.length("outliers");
  Outliers outliers{read_places(tensors, "outlier_rows", count, source.split.total()),
                    read_places(tensors, "outlier_columns", count, source.inputs),
                    tensors.all("outliers")};
  const Tensor places = outliers.rows * source.inputs + outliers.columns;
  tensors.require("outliers", count < 2 || places.diff().gt(0).all().item<bool>(),
                  "their places do not ascend");
  return outliers;
}

}  // namespace

std::unique_ptr<Weight> read_clustered(const parallel::Communicator& team,
                                       const DenseSource& source, const StoredTensors& tensors) {
  const std::int64_t clusters = tensors.length("centroids");
  tensors.require("centroids", clusters > 0 && clusters <= std::int64_t{1} << 31, "their number");
  Outliers outliers{torch::empty({0}, torch::kInt64), torch::empty({0}, torch::kInt64),
                    torch::empty({0}, source.type)};
  if (tensors.has("outliers")) outliers = read_outliers(tensors, source);
  return std::make_unique<Clustered>(team, source.split, tensors.all("centroids"),
                                     read_codes(tensors, source, team.rank(), clusters),
                                     std::move(outliers));
}

}  // namespace rankine::weights
