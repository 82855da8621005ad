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

/// Calls work(first, count) for rows that are worked on at once: indices of 64 bits take more than
/// the weight.
template <class Work>
void for_each_piece(std::int64_t rows, Work&& work) {
  constexpr std::int64_t at_once = 4096;
  for (std::int64_t first = 0; first < rows; first += at_once)
    work(first, std::min(at_once, rows - first));
}

/// Which of all centroids, all books in a row, some rows of codes mean. `begins`: the first one of
/// each row's book.
Tensor places_of(const Tensor& codes, const Tensor& begins, std::int64_t first,
                 std::int64_t count) {
  return (codes.narrow(0, first, count).to(torch::kInt64) +
          begins.narrow(0, first, count).unsqueeze(1))
      .flatten();
}

/// The centroid of every code. The gradient of a centroid is the sum over its members, in float64.
struct TakeCentroids : Function<TakeCentroids> {
  static Tensor forward(AutogradContext* context, const Tensor& centroids, const Tensor& codes,
                        const Tensor& begins) {
    context->save_for_backward({codes, begins});
    context->saved_data["clusters"] = centroids.size(0);
    const Tensor values = torch::empty(codes.sizes(), centroids.options());
    for_each_piece(codes.size(0), [&](std::int64_t first, std::int64_t count) {
      const Tensor piece = centroids.index_select(0, places_of(codes, begins, first, count));
      values.narrow(0, first, count).copy_(piece.view({count, codes.size(1)}));
    });
    return values;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::int64_t clusters = context->saved_data["clusters"].toInt();
    const Tensor sums = torch::zeros({clusters}, torch::kFloat64);
    for_each_piece(saved[0].size(0), [&](std::int64_t first, std::int64_t count) {
      const Tensor members = gradients[0].narrow(0, first, count).to(torch::kFloat64).flatten();
      sums.add_(torch::bincount(places_of(saved[0], saved[1], first, count), members, clusters));
    });
    return {sums.to(gradients[0].scalar_type()), Tensor(), Tensor()};
  }
};

Tensor narrow_codes(const Tensor& codes, std::int64_t clusters) {
  return codes.to(clusters <= 256 ? torch::kUInt8 : torch::kInt32).contiguous();
}

/// How far each outlier is behind the one before, the first behind the beginning: few bits where
/// there are many.
Tensor gaps_of(const Outliers& outliers, std::int64_t inputs) {
  const Tensor gaps =
      (outliers.rows * inputs + outliers.columns).diff(1, 0, torch::zeros({1}, torch::kInt64));
  const bool are_short = gaps.max().item<std::int64_t>() <= longest_short_gap;
  return gaps.to(are_short ? torch::kInt16 : torch::kInt32);
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
      codes_(narrow_codes(own_codes, centroids_.size(-1))),
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
  const Tensor packed = pack_bits(codes_, bits_per_code(clusters()));
  std::vector<Parameter> all{{"codes", packed, Placement::rows, own_first(), outputs()}};
  const std::int64_t count = outliers_.values.size(0);
  if (count > 0)
    all.push_back({"outlier_gaps", gaps_of(outliers_, inputs()), Placement::copy, 0, count});
  return all;
}

Tensor Clustered::own_codes() const { return codes_.to(torch::kInt64); }

std::int64_t Clustered::rows_per_book() const {
  const std::int64_t books = centroids_.dim() == 2 ? centroids_.size(0) : 1;
  return (outputs() + books - 1) / books;
}

Tensor Clustered::shared_values(const Tensor& centroids, const Tensor& local) const {
  const Tensor books = (local + own_first()).floor_divide(rows_per_book());
  return TakeCentroids::apply(centroids.flatten(), codes_.index_select(0, local),
                              books * clusters());
}

Tensor Clustered::compute_rows() const {
  // Each rank's entries give its share of the gradients.
  Tensor rows =
      shared_values(share_input(team(), centroids_), torch::arange(own_count(), torch::kInt64));
  if (outliers_.values.size(0) == 0) return rows;
  const Tensor values = share_input(team(), outliers_.values);
  const Tensor local = outliers_.rows - own_first();
  const Tensor own = local.ge(0).logical_and(local.lt(own_count())).nonzero().flatten();
  return rows.index_put_({local.index_select(0, own), outliers_.columns.index_select(0, own)},
                         values.index_select(0, own));
}

Tensor Clustered::look_up(const Tensor& ids) const {
  const bool trains = centroids_.requires_grad() || outliers_.values.requires_grad();
  if ((trains && torch::GradMode::is_enabled()) || own_count() == 0) return Weight::look_up(ids);
  const Tensor own = ids.ge(own_first()).logical_and(ids.lt(own_first() + own_count()));
  const Tensor local = (ids - own_first()).clamp(0, own_count() - 1);
  const Tensor rows = shared_values(centroids_, local);
  const Tensor begins = torch::searchsorted(outliers_.rows, ids);
  const Tensor ends = torch::searchsorted(outliers_.rows, ids, false, true);
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto begin = begins[i].item<std::int64_t>(), end = ends[i].item<std::int64_t>();
    if (begin == end) continue;
    rows[i].index_put_({outliers_.columns.slice(0, begin, end)},
                       outliers_.values.slice(0, begin, end));
  }
  return rows * own.to(rows.scalar_type()).unsqueeze(1);
}

namespace {

/// Own rows of codes below `clusters`.
Tensor read_codes(const StoredTensors& tensors, const DenseSource& source, int rank,
                  std::int64_t clusters) {
  const int bits = bits_per_code(clusters);
  const std::vector<std::int64_t> shape{source.split.total(), (source.inputs * bits + 7) / 8};
  tensors.require("codes", tensors.shape("codes") == shape, "its shape");
  tensors.require("codes", tensors.type("codes") == files::DataType::uint8, "its type");
  const Tensor codes = narrow_codes(
      torch::empty({source.split.count(rank), source.inputs}, torch::kUInt8), clusters);
  for_each_piece(codes.size(0), [&](std::int64_t first, std::int64_t count) {
    const Tensor packed = tensors.integers("codes", source.split.first(rank) + first, count);
    const Tensor piece = unpack_bits(packed.to(torch::kUInt8), bits, source.inputs);
    tensors.require("codes", piece.numel() == 0 || piece.max().item<std::int64_t>() < clusters,
                    "a code beyond the centroids");
    codes.narrow(0, first, count).copy_(piece);
  });
  return codes;
}

Outliers read_outliers(const StoredTensors& tensors, const DenseSource& source) {
  const std::int64_t count = tensors.length("outliers");
  tensors.require("outlier_gaps", tensors.length("outlier_gaps") == count, "their number");
  const Tensor gaps = tensors.integers("outlier_gaps", 0, count);
  const Tensor places = gaps.cumsum(0);
  tensors.require(
      "outlier_gaps",
      count == 0 ||
          (gaps[0].item<std::int64_t>() >= 0 && gaps.slice(0, 1).gt(0).all().item<bool>() &&
           places[-1].item<std::int64_t>() < source.split.total() * source.inputs),
      "places that do not ascend within the weight");
  return {places.floor_divide(source.inputs), places.remainder(source.inputs),
          tensors.all("outliers")};
}

/// K of them, or books x K.
Tensor read_centroids(const StoredTensors& tensors, const DenseSource& source) {
  const std::vector<std::int64_t> shape = tensors.shape("centroids");
  const std::int64_t rows = source.split.total();
  const bool has_books = shape.size() == 2 && shape[0] > 0 && shape[0] <= rows;
  const std::int64_t of_a_book = has_books ? (rows + shape[0] - 1) / shape[0] : rows;
  tensors.require(
      "centroids",
      shape.size() == 1 || (has_books && (rows + of_a_book - 1) / of_a_book == shape[0]),
      "its shape");
  tensors.require("centroids", shape.back() > 0 && shape.back() <= std::int64_t{1} << 31,
                  "their number");
  return tensors.all("centroids");
}

}  // namespace

std::unique_ptr<Weight> read_clustered(const parallel::Communicator& team,
                                       const DenseSource& source, const StoredTensors& tensors) {
  const Tensor centroids = read_centroids(tensors, source);
  Outliers outliers{torch::empty({0}, torch::kInt64), torch::empty({0}, torch::kInt64),
                    torch::empty({0}, source.type)};
  if (tensors.has("outliers")) outliers = read_outliers(tensors, source);
  return std::make_unique<Clustered>(team, source.split, centroids,
                                     read_codes(tensors, source, team.rank(), centroids.size(-1)),
                                     std::move(outliers));
}

}  // namespace rankine::weights
