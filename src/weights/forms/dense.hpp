// A weight stored as what it is: all its numbers.
#pragma once

#include <algorithm>
#include <memory>

#include "parallel/communicator.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// Where a dense weight stands in a checkpoint, and how it is to be held.
struct DenseSource {
  const files::SafetensorsReader& file;
  std::string name;  ///< without ".weight"
  std::int64_t inputs;
  RowSplit split;
  torch::ScalarType type;  ///< float32 or float64
  /// Numbers of 16 bits are those of the original, and not rounded to that type.
  bool is_exact = false;
};

class Dense final : public Weight {
 public:
  /// Takes over this rank's rows, split.count(rank) x inputs.
  Dense(const parallel::Communicator& team, RowSplit split, torch::Tensor own_rows);

  /// Reads this rank's rows of "<name>.weight". Not collective. Throws InputError (no such tensor,
  /// wrong shape, file too short) or NumericalError (a number that is not finite).
  static std::unique_ptr<Dense> read(const parallel::Communicator& team, const DenseSource& source);

  Form form() const override { return Form::dense; }
  std::int64_t kept_rank() const override { return std::min(outputs(), inputs()); }
  std::int64_t inputs() const override { return rows_.size(1); }
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor own_rows() const override { return rows_; }
  std::vector<Parameter> parameters() const override {
    return {{"weight", rows_, Placement::rows, own_first(), outputs()}};
  }

 private:
  torch::Tensor rows_;
};

/// Rows [first, first + count) of a tensor that must have `shape`; as a tensor of `type`. Throws
/// like Dense::read.
torch::Tensor read_checked_rows(const files::SafetensorsReader& file, const std::string& tensor,
                                const std::vector<std::int64_t>& shape, std::int64_t first,
                                std::int64_t count, torch::ScalarType type);

/// The same of the tensor "weight" that a compressed model may have.
std::unique_ptr<Weight> read_dense(const parallel::Communicator& team, const DenseSource& source,
                                   const StoredTensors& tensors);

}  // namespace rankine::weights
