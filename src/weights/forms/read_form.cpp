#include "weights/forms/read_form.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "parallel/agreement.hpp"
#include "weights/forms/clustered.hpp"
#include "weights/forms/column_pivoted.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/forms/pivoted.hpp"
#include "weights/forms/quantized.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/storage/packed_bits.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

void require(const StoredTensors& tensors, const std::string& part, bool fits,
             const std::string& reason) {
  if (!fits) tensors.refuse(part, reason);
}

std::unique_ptr<Weight> read_low_rank(const parallel::Communicator& team, const DenseSource& source,
                                      const StoredTensors& tensors) {
  const auto left = tensors.shape("left"), right = tensors.shape("right");
  require(tensors, "left", left.size() == 2 && left[0] == source.split.total(), "its rows");
  require(tensors, "right", right.size() == 2 && right[0] == left[1] && right[1] == source.inputs,
          "its shape");
  RowSplit right_split = RowSplit::even(right[0], team.size());
  const Tensor own_right = tensors.own("right", right_split);
  return std::make_unique<LowRank>(team, source.split, tensors.own("left", source.split),
                                   std::move(right_split), own_right);
}

/// `rank` ascending numbers of rows or columns below `end`.
std::vector<std::int64_t> read_pivots(const StoredTensors& tensors, std::int64_t rank,
                                      std::int64_t end) {
  require(tensors, "pivots", tensors.shape("pivots") == std::vector{rank}, "their number");
  const Tensor values = tensors.integers("pivots", 0, rank);
  const std::int64_t* begin = values.data_ptr<std::int64_t>();
  std::vector<std::int64_t> pivots(begin, begin + rank);
  const bool ascending = std::ranges::adjacent_find(pivots, std::greater_equal<>()) == pivots.end();
  require(tensors, "pivots",
          ascending && (rank == 0 || (pivots.front() >= 0 && pivots.back() < end)),
          "they do not ascend within the weight");
  return pivots;
}

std::unique_ptr<Weight> read_pivoted(const parallel::Communicator& team, const DenseSource& source,
                                     const StoredTensors& tensors) {
  const auto basis = tensors.shape("basis"), coefficients = tensors.shape("coefficients");
  require(tensors, "basis", basis.size() == 2 && basis[1] == source.inputs, "its columns");
  require(tensors, "coefficients",
          coefficients == std::vector{source.split.total() - basis[0], basis[0]}, "their shape");
  auto pivots = read_pivots(tensors, basis[0], source.split.total());
  const RowSplit basis_split = split_of_pivots(source.split, pivots);
  std::vector<std::int64_t> others;
  for (int rank = 0; rank < team.size(); ++rank)
    others.push_back(source.split.count(rank) - basis_split.count(rank));
  return std::make_unique<Pivoted>(team, source.split, std::move(pivots),
                                   tensors.own("basis", basis_split),
                                   tensors.own("coefficients", RowSplit::of(others)));
}

std::unique_ptr<Weight> read_column_pivoted(const parallel::Communicator& team,
                                            const DenseSource& source,
                                            const StoredTensors& tensors) {
  const auto columns = tensors.shape("columns"), coefficients = tensors.shape("coefficients");
  require(tensors, "columns", columns.size() == 2 && columns[0] == source.split.total(),
          "its rows");
  require(tensors, "coefficients",
          coefficients == std::vector{columns[1], source.inputs - columns[1]}, "their shape");
  auto pivots = read_pivots(tensors, columns[1], source.inputs);
  const RowSplit middle = RowSplit::even(columns[1], team.size());
  return std::make_unique<ColumnPivoted>(team, source.split, std::move(pivots),
                                         tensors.own("columns", source.split),
                                         tensors.own("coefficients", middle));
}

std::unique_ptr<Weight> read_matrix_product(const parallel::Communicator& team,
                                            const DenseSource& source,
                                            const StoredTensors& tensors) {
  std::vector<Tensor> cores;
  std::int64_t bond = 1, rows = source.split.total(), columns = source.inputs;  // left to make
  for (std::string part = "core0"; tensors.has(part); part = fmt::format("core{}", cores.size())) {
    const auto shape = tensors.shape(part);
    require(tensors, part, shape.size() == 4 && shape[0] == bond, "its bond");
    require(tensors, part,
            shape[1] > 0 && rows % shape[1] == 0 && shape[2] > 0 && columns % shape[2] == 0,
            "its legs");
    rows /= shape[1];
    columns /= shape[2];
    bond = shape[3];
    cores.push_back(tensors.all(part));
  }
  require(tensors, "core0", bond == 1 && rows == 1 && columns == 1, "the legs of all cores");
  return std::make_unique<MatrixProduct>(team, source.split, std::move(cores));
}

/// Own rows of codes below `clusters`.
Tensor read_codes(const StoredTensors& tensors, const DenseSource& source, int rank,
                  std::int64_t clusters) {
  const int bits = bits_per_code(clusters);
  const std::vector<std::int64_t> shape{source.split.total(), (source.inputs * bits + 7) / 8};
  require(tensors, "codes", tensors.shape("codes") == shape, "its shape");
  require(tensors, "codes", tensors.type("codes") == files::DataType::uint8, "its type");
  const Tensor packed =
      tensors.integers("codes", source.split.first(rank), source.split.count(rank));
  const Tensor codes = unpack_bits(packed.to(torch::kUInt8), bits, source.inputs);
  require(tensors, "codes", codes.numel() == 0 || codes.max().item<std::int64_t>() < clusters,
          "a code beyond the centroids");
  return codes;
}

/// Integers in [0, end), one for each outlier.
Tensor read_places(const StoredTensors& tensors, const std::string& part, std::int64_t count,
                   std::int64_t end) {
  require(tensors, part, tensors.length(part) == count, "their number");
  const Tensor places = tensors.integers(part, 0, count);
  require(tensors, part, places.ge(0).logical_and(places.lt(end)).all().item<bool>(),
          "a place beyond the weight");
  return places;
}

Outliers read_outliers(const StoredTensors& tensors, const DenseSource& source) {
  const std::int64_t count = tensors.length("outliers");
  Outliers outliers{read_places(tensors, "outlier_rows", count, source.split.total()),
                    read_places(tensors, "outlier_columns", count, source.inputs),
                    tensors.all("outliers")};
  const Tensor places = outliers.rows * source.inputs + outliers.columns;
  require(tensors, "outliers", count < 2 || places.diff().gt(0).all().item<bool>(),
          "their places do not ascend");
  return outliers;
}

std::unique_ptr<Weight> read_clustered(const parallel::Communicator& team,
                                       const DenseSource& source, const StoredTensors& tensors) {
  const std::int64_t clusters = tensors.length("centroids");
  require(tensors, "centroids", clusters > 0 && clusters <= std::int64_t{1} << 31, "their number");
  Outliers outliers{torch::empty({0}, torch::kInt64), torch::empty({0}, torch::kInt64),
                    torch::empty({0}, source.type)};
  if (tensors.has("outliers")) outliers = read_outliers(tensors, source);
  return std::make_unique<Clustered>(team, source.split, tensors.all("centroids"),
                                     read_codes(tensors, source, team.rank(), clusters),
                                     std::move(outliers));
}

std::unique_ptr<Weight> read_dense(const parallel::Communicator& team, const DenseSource& source,
                                   const StoredTensors& tensors) {
  require(tensors, "weight",
          tensors.shape("weight") == std::vector{source.split.total(), source.inputs}, "its shape");
  return std::make_unique<Dense>(team, source.split, tensors.own("weight", source.split));
}

/// Wrapped when the numbers are stored in few bits, as the first of them tells.
std::unique_ptr<Weight> with_storage(const parallel::Communicator& team,
                                     std::unique_ptr<Weight> weight, const StoredTensors& tensors,
                                     const std::string& part) {
  if (tensors.in_four_bits(part)) {
    std::vector<Parameter> stored;
    for (const Parameter& parameter : weight->parameters())
      for (Parameter& piece : tensors.four_bit_parts(parameter)) stored.push_back(std::move(piece));
    return std::make_unique<Quantized>(team, std::move(weight), Storage::four_bits,
                                       std::move(stored));
  }
  const auto type = tensors.type(part);
  if (type == files::DataType::bfloat16)
    return make_quantized(team, std::move(weight), Storage::bfloat16);
  if (type == files::DataType::float16)
    return make_quantized(team, std::move(weight), Storage::float16);
  return weight;
}

}  // namespace

std::unique_ptr<Weight> read_form(const parallel::Communicator& team, const DenseSource& source) {
  using Read = std::unique_ptr<Weight> (*)(const parallel::Communicator&, const DenseSource&,
                                           const StoredTensors&);
  static const std::vector<std::pair<std::string, Read>> forms{
      {"left", read_low_rank},          {"basis", read_pivoted},
      {"columns", read_column_pivoted}, {"core0", read_matrix_product},
      {"centroids", read_clustered},    {"weight", read_dense}};
  return parallel::agree_on_failure(team, [&]() -> std::unique_ptr<Weight> {
    const StoredTensors tensors(source, team.rank());
    for (const auto& [part, read] : forms)
      if (tensors.has(part)) {
        const auto type = tensors.type(part);
        require(tensors, part, !type || files::is_floating_point(*type), "its type");
        auto weight = with_storage(team, read(team, source, tensors), tensors, part);
        tensors.require_just(weight->plan(source.name, type.value_or(files::DataType::float32)));
        return weight;
      }
    // Says which tensor there should be.
    return Dense::read(team, source);
  });
}

}  // namespace rankine::weights
