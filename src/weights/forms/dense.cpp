#include "weights/forms/dense.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <span>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/element_type.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// A sum shows every NaN and infinity, and vectorises.
template <class T>
bool all_finite(std::span<const T> values) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * T(0);
  return sum == T(0);
}

void check_shape(const files::TensorEntry& entry, const std::vector<std::int64_t>& shape) {
  if (entry.shape == shape) return;
  throw InputError(fmt::format(
      "the tensor {} has shape [{}] (config.json asks for [{}]). Take config.json and weights from "
      "the same model.",
      entry.name, fmt::join(entry.shape, ", "), fmt::join(shape, ", ")));
}

}  // namespace

Tensor read_checked_rows(const files::SafetensorsReader& file, const std::string& tensor,
                         const std::vector<std::int64_t>& shape, std::int64_t first,
                         std::int64_t count, torch::ScalarType type) {
  const files::TensorEntry& entry = file.at(tensor);
  check_shape(entry, shape);
  if (!files::is_floating_point(entry.type))
    throw InputError(
        fmt::format("the tensor {} holds integers ({}; weights are floating-point numbers). Take "
                    "the checkpoint "
                    "as it was before it was quantised.",
                    tensor, files::name_of(entry.type)));
  std::vector<std::int64_t> own = shape;
  own[0] = count;
  Tensor rows = torch::empty(own, type);
  with_element_type(rows, [&]<class T>(T) {
    const std::span values(rows.data_ptr<T>(), static_cast<std::size_t>(rows.numel()));
    file.read_rows(entry, first, count, values);
    if (!all_finite<T>(values))
      throw NumericalError(fmt::format(
          "the tensor {} holds a number that is not finite, in rows {} to {} (nothing can be "
          "computed with it). Get the checkpoint again.",
          tensor, first, first + count - 1));
  });
  return rows;
}

Dense::Dense(const parallel::Communicator& ranks, RowSplit rows, Tensor own_rows)
    : Weight(ranks, std::move(rows)), rows_(std::move(own_rows)) {
  RANKINE_EXPECTS(rows_.dim() == 2 && rows_.size(0) == own_count(), "own rows are given");
}

std::unique_ptr<Dense> Dense::read(const parallel::Communicator& team, const DenseSource& source) {
  const RowSplit& split = source.split;
  Tensor rows =
      read_checked_rows(source.file, source.name + ".weight", {split.total(), source.inputs},
                        split.first(team.rank()), split.count(team.rank()), source.type);
  return std::make_unique<Dense>(team, split, std::move(rows));
}

Tensor Dense::look_up(const Tensor& ids) const {
  if (own_count() == outputs()) return rows_.index_select(0, ids);
  return Weight::look_up(ids);
}

std::unique_ptr<Weight> read_dense(const parallel::Communicator& team, const DenseSource& source,
                                   const StoredTensors& tensors) {
  tensors.require("weight",
                  tensors.shape("weight") == std::vector{source.split.total(), source.inputs},
                  "its shape");
  return std::make_unique<Dense>(team, source.split, tensors.own("weight", source.split));
}

}  // namespace rankine::weights
